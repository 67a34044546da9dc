"""Folders of recordings: processed file by file; a run that is stopped at any moment is resumed by the next."""
