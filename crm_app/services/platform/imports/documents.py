"""Reading the document of a mapping: pieces that know where they stand, so that a refusal names the place."""

import difflib
from enum import StrEnum
from typing import Any, NoReturn

from crm_app.core.errors import Invalid
from crm_app.core.text import fold


class Part:
    """A piece of the document, which knows where it stands."""

    def __init__(self, path: str, data: Any) -> None:
        self.path, self.data = path, data
        if not isinstance(data, dict):
            self.wrong("", "must hold names and values, like `entity: account`")

    def wrong(self, place: str, message: str) -> NoReturn:
        where = f"{self.path}{place}".rstrip(".")
        raise Invalid(f"Mapping, {where or 'at its start'}: {message}.")

    def knows(self, *names: str) -> None:
        for name in self.data:
            if name not in names:
                self.wrong(name, f"is not known here{near(name, names)}")

    def value(self, name: str, kind: Any, default: Any) -> Any:
        found = self.data.get(name, default)
        if found is not default and not isinstance(found, kind):
            self.wrong(name, "must be a list" if kind is list else "must be a text")
        return found

    def mapping(self) -> dict[str, Any]:
        return dict(self.data)

    def inner(self, name: str) -> dict[str, Any]:
        found = self.data.get(name) or {}
        if not isinstance(found, dict):
            self.wrong(name, "must hold names and values")
        return found

    def texts(self, name: str, within: str = "") -> dict[str, str]:
        found = self.inner(name)[within] if within else self.inner(name)
        if not isinstance(found, dict) or any(not isinstance(v, str) for v in found.values()):
            self.wrong(f"{name}.{within}".rstrip("."), "must hold names and texts")
        return {str(k): v for k, v in found.items()}

    def choice(self, name: str, kind: type[StrEnum], default: Any) -> Any:
        found = self.value(name, str, default)
        if found not in set(kind):
            self.wrong(name, f"must be one of {', '.join(kind)}")
        return kind(found)

    def flag(self, name: str, defaults: dict[str, Any]) -> bool | None:
        found = self.value(name, str, defaults.get(name))
        if found is None:
            return None
        if fold(found) not in ("true", "false", "yes", "no"):
            self.wrong(name, "is true or false")
        return fold(found) in ("true", "yes")

    def number(self, name: str) -> int | None:
        found = self.value(name, str, None)
        if found is not None and (not found.isdigit() or int(found) < 1):
            self.wrong(name, "is the number of a row, from 1")
        return int(found) if found else None


def near(name: str, names: Any) -> str:
    close = difflib.get_close_matches(name, [str(n) for n in names], 3, 0.6)
    return f"; did you mean {' or '.join(close)}?" if close else f"; it may be {', '.join(sorted(names)[:30])}"
