"""Passes over memory between matrix products and FFTs: each is a CUDA kernel and its NumPy twin."""
