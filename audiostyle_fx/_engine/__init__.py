"""Arrays in, arrays out, on NumPy or CuPy: no files, and no names of a user's parameters."""
