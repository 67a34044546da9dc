"""What every numerical function starts from: the array module, FFTs, matrix products, threads."""
