"""A listening page: content, style and result of many transfers, side by side in a browser."""

from .page import Entry, check_page, write_report

__all__ = ["Entry", "check_page", "write_report"]
