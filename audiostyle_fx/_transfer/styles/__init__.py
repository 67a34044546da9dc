"""Styles: read, matched to a content's channels, and measured, once for many recordings."""
