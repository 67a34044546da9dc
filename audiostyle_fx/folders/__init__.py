"""Folders of recordings, processed file by file; the next run resumes a run that was stopped at any moment."""
