"""Whole recordings: planned in sections, styled, put together, at once or in chunks."""
