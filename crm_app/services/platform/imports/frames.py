"""Polars, loaded when the first frame is made: it takes 40 MB and half a second, and most processes import no file."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
else:

    class _WhenNeeded:
        def __getattr__(self, name: str) -> Any:
            return getattr(importlib.import_module("polars"), name)

    pl = _WhenNeeded()

__all__ = ["pl"]
