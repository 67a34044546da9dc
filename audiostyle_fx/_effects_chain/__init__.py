"""Any effects, one after the other, from file to file."""
