"""Optimizers: one algorithm in each file, and the loop that runs them."""
