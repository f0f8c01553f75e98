"""Loads every part that registers itself when it is imported: declarations, rules, handlers, jobs, pieces of pages."""

import importlib
import pkgutil

REGISTERING = ("models", "services", "handlers", "jobs")


def load(*layers: str) -> list[str]:
    """Import all modules of these layers (default: all that register something); returns their names."""
    found = []
    for layer in layers or REGISTERING:
        package = importlib.import_module(f"crm_app.{layer}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
            found.append(module.name)
    return found
