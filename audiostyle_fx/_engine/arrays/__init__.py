"""Foundations of all numerical functions: the array module, FFTs, matrix products and threads."""
