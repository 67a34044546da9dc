"""Chains of named effects, run from file to file."""
