"""The transfer of a style to a content."""
