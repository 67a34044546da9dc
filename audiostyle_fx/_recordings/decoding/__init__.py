"""Decoders of sound files, and repairs of files whose headers are wrong, unfinished or missing."""
