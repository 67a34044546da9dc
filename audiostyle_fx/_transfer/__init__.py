"""A style and a content become a result."""
