"""The tables of SalesCompass, one file per entity."""

import importlib
import pkgutil
from functools import cache


@cache
def load_all() -> None:
    """Import every table and declaration: the registry and the metadata are complete afterwards."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
