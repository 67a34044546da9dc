"""What every numerical function is built on: the array module, FFTs, matrix products and threads."""
