"""Transfers of whole recordings: planned in sections, styled and joined, at once or in chunks."""
