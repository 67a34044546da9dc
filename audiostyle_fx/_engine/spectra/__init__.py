"""Transforms between samples and spectra."""
