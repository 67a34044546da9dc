"""Folders of recordings: processed file by file, stopped and resumed at any point."""
