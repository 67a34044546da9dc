"""The listening page: content, style and result of many transfers next to each other in a browser."""

from .clips import ArrayRecording
from .entries import Entry
from .page import check_page, is_listening_page, write_report

__all__ = ["ArrayRecording", "Entry", "check_page", "is_listening_page", "write_report"]
