"""Chains of effects with names, run from file to file."""
