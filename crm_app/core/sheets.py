"""Cells of tables that people open in a spreadsheet."""

_RUN = ("=", "+", "-", "@", "\t", "\r", "\n")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run this text instead of showing it."""
    return text[:1] in _RUN or text.lstrip(" \u00a0\u200b\ufeff")[:1] in _RUN[:4]


def harmless(text: str) -> str:
    """The text as a cell of a CSV file: what begins like a formula gets the quote that marks a text."""
    return f"'{text}" if text and is_formula(text) else text
