"""The numerical core: arrays in, arrays out, on NumPy or CuPy. It knows no files and no user parameters."""
