"""Recordings on disk and in memory: files, formats, tags, sample rates, channels and levels."""
