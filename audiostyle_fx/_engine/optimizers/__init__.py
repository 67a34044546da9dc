"""Minimizers, one algorithm a file."""
