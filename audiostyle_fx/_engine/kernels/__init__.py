"""The array operations between matrix products and FFTs, each as a CUDA kernel and as its NumPy twin."""
