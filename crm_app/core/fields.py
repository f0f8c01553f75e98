"""Values of fields between people and programs: read from forms and files, shown on screens and written to files.

`show_value(..., plain=True)` writes what `parse_value` reads back to the same value.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from math import isfinite
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from crm_app.core import addresses, dates, money
from crm_app.core.numbers import MINUS, parse_number
from crm_app.core.registry import Choice, FieldSpec, Kind

LinkResolver = Callable[[FieldSpec, str], UUID | None]  # a name or key of a record of spec.target; None: not found
NameOf = Callable[[FieldSpec, UUID], str]
MASKED = "•••"  # in place of a value that the role may know to be there, not to read
_LARGEST = 2**63 - 1
_YES = frozenset("yes y true t 1 on x ✓ ja oui si sí".split())
_NO = frozenset("no n false f 0 off nein non".split())
_TEXTS = frozenset({Kind.text, Kind.long_text, Kind.email, Kind.phone, Kind.url})


def parse_value(
    spec: FieldSpec,
    raw: Any,
    *,
    currency: str = "USD",
    time_zone: str = "UTC",
    day_first: bool | None = None,
    decimal_sign: str | None = None,
    region: str = "US",
    from_sheet: bool = False,
    links: LinkResolver | None = None,
) -> Any:
    """The typed value of what a person or a file gives: text, or a number, flag or day out of a spreadsheet cell.

    Money is read in major units and returned in minor ones of `currency`; moments are returned in UTC. Nothing given is
    "" for a text that cannot be null, [] for a list, else None. ValueError says what is wrong and what would be right.
    `day_first` tells 03/04/2025 apart and `decimal_sign` 1.234; `region` (ISO 3166) reads phone numbers without country
    code; `from_sheet` takes a spreadsheet's numbers for its days and its 0.45 for 45 %.
    """
    if _is_empty(raw):
        if spec.required:
            raise ValueError(f"{spec.label} is needed")
        return [] if spec.kind is Kind.choices else "" if spec.kind in _TEXTS and not spec.nullable else None
    reader = _Reader(spec, currency, time_zone, day_first, decimal_sign, region, from_sheet, links)
    return _METHODS[spec.kind](reader, raw)


def show_value(
    spec: FieldSpec,
    value: Any,
    *,
    currency: str = "USD",
    time_zone: str = "UTC",
    names: NameOf | None = None,
    plain: bool = False,
) -> str:
    """The value as a person reads it; `plain` for files and inputs: ISO dates, bare numbers, nothing rounded."""
    if spec.masked or value is None or value in ("", []):
        return MASKED if spec.masked and value not in (None, "", []) else ""
    match spec.kind:
        case Kind.money:
            return f"{money.to_major(value, currency):f}" if plain else money.show(value, currency)
        case Kind.number | Kind.decimal:
            return f"{value:f}" if plain and isinstance(value, Decimal) else str(value) if plain else _grouped(value)
        case Kind.percent:
            return str(value) if plain else f"{value}{money.NBSP}%"
        case Kind.flag:
            return ("yes" if value else "no") if plain else ("Yes" if value else "No")
        case Kind.date:
            return value.isoformat() if plain else dates.show_date(value)
        case Kind.datetime:
            return _iso(value) if plain else dates.show_moment(value, time_zone)
        case Kind.choice:
            return _choice_text(spec, value)
        case Kind.choices:
            return "; ".join(_choice_text(spec, v) for v in value)
        case Kind.link:
            return (names(spec, value) if names else "") or str(value)
        case Kind.phone:
            return value if plain else addresses.show_phone(value)
    return str(value)


def _is_empty(raw: Any) -> bool:
    return raw is None or (isinstance(raw, str) and not raw.strip()) or raw in ([], ())


@dataclass(frozen=True, slots=True)
class _Reader:
    """One method for each kind; the fields say in which notation the raw value stands."""

    spec: FieldSpec
    currency: str
    time_zone: str
    day_first: bool | None
    decimal_sign: str | None
    region: str
    from_sheet: bool
    links: LinkResolver | None

    def text(self, raw: Any) -> str:
        text = unicodedata.normalize("NFC", _as_text(raw))
        lines = re.sub(r"\r\n?", "\n", text).strip()
        text = lines if self.spec.kind is Kind.long_text else " ".join(text.split())
        if any((c < " " and c not in "\n\t") or "\ud800" <= c <= "\udfff" for c in text):
            raise ValueError("holds a character that cannot be stored; type it anew instead of pasting")
        return self.fitting(text)

    def fitting(self, text: str) -> str:
        if self.spec.max_length is not None and len(text) > self.spec.max_length:
            raise ValueError(f"has {len(text)} characters; at most {self.spec.max_length} fit")
        return text

    def email(self, raw: Any) -> str:
        return self.fitting(addresses.parse_email(str(raw)))

    def phone(self, raw: Any) -> str:
        return self.fitting(addresses.parse_phone(_as_text(raw), self.region))

    def url(self, raw: Any) -> str:
        return self.fitting(addresses.parse_url(str(raw)))

    def decimal(self, raw: Any) -> Decimal:
        if isinstance(raw, str):
            return self.bounded(parse_number(raw, decimal_sign=self.decimal_sign))
        return self.bounded(_cell(raw))

    def number(self, raw: Any) -> int:
        number = parse_number(raw, decimal_sign=self.decimal_sign, places=0) if isinstance(raw, str) else _cell(raw)
        if number != int(number):
            raise ValueError(f"“{raw}” is not a whole number; write it like {int(number)}")
        return int(self.bounded(number))

    def bounded(self, number: Decimal) -> Decimal:
        low = -_LARGEST if self.spec.minimum is None else self.spec.minimum
        high = _LARGEST if self.spec.maximum is None else self.spec.maximum
        if not low <= number <= high:
            told = f"at least {low}" if number < low else f"at most {high}"
            raise ValueError(f"{_grouped(number)} does not fit; it must be {told}")
        return number

    def percent(self, raw: Any) -> int:
        if isinstance(raw, str):
            number = parse_number(raw.strip().removesuffix("%"), decimal_sign=self.decimal_sign)
        else:
            number = _cell(raw)
            if self.from_sheet and number <= 1:
                number *= 100
        if number != int(number):
            raise ValueError(f"“{raw}” is not a whole percentage; write it like 45 %")
        return int(self.bounded(number))

    def money(self, raw: Any) -> int:
        if isinstance(raw, str):
            minor = money.parse_amount(raw, self.currency, decimal_sign=self.decimal_sign)
        else:
            major = _cell(raw)
            if abs(major) > money.to_major(money.MAX_MINOR, self.currency):
                raise ValueError(f"{raw} is too large; the most is {money.show(money.MAX_MINOR, self.currency)}")
            minor = money.to_minor(major, self.currency)
        for bound, told, sign in ((self.spec.minimum, "at least", 1), (self.spec.maximum, "at most", -1)):
            if bound is not None and (minor - bound) * sign < 0:
                shown, limit = money.show(minor, self.currency), money.show(bound, self.currency)
                raise ValueError(f"{shown} does not fit; it must be {told} {limit}")
        return minor

    def flag(self, raw: Any) -> bool:
        if isinstance(raw, bool):
            return raw
        word = _as_text(raw).strip().lower()
        if word not in _YES | _NO:
            raise ValueError(f"“{raw}” is neither yes nor no")
        return word in _YES

    def date(self, raw: Any) -> date:
        if isinstance(raw, date) and not isinstance(raw, datetime):
            return raw
        if isinstance(raw, str) and not (self.from_sheet and dates.is_serial(raw)):
            try:
                return dates.parse_date(raw, day_first=self.day_first)
            except ValueError:
                if ":" not in raw:
                    raise
        return self.moment(raw).astimezone(ZoneInfo(self.time_zone)).date()

    def moment(self, raw: Any) -> datetime:
        if isinstance(raw, str) and self.from_sheet and dates.is_serial(raw):
            raw = float(raw)
        if isinstance(raw, str):
            return dates.parse_moment(raw, time_zone=self.time_zone, day_first=self.day_first)
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            if not self.from_sheet:
                raise ValueError(f"“{raw}” is not a date; write it like 2025-12-31")
            raw = dates.from_excel(raw)
        if isinstance(raw, date) and not isinstance(raw, datetime):
            raw = datetime.combine(raw, time())
        if not isinstance(raw, datetime):
            raise ValueError(f"“{raw}” is not a date; write it like 2025-12-31")
        return (raw if raw.tzinfo else raw.replace(tzinfo=ZoneInfo(self.time_zone))).astimezone(UTC)

    def choice(self, raw: Any) -> str:
        text = " ".join(_as_text(raw).split())
        if not self.spec.choices:
            return self.fitting(text)
        found = _find_choice(self.spec.choices, text)
        if found is None:
            labels = [c.label for c in self.spec.choices]
            near = get_close_matches(text.lower(), [label.lower() for label in labels], 1)
            meant = next((f"; did you mean {label}?" for label in labels if [label.lower()] == near), "")
            more = " …" if len(labels) > 12 else ""
            raise ValueError(f"“{text}” is not one of {', '.join(labels[:12])}{more}{meant}")
        return found.value

    def choices(self, raw: Any) -> list[str]:
        if isinstance(raw, str):
            whole = _find_choice(self.spec.choices, " ".join(raw.split()))
            raw = [whole.value] if whole else re.split(r"[;|\n]" if re.search(r"[;|\n]", raw) else r",", raw)
        elif not isinstance(raw, list | tuple | set | frozenset):
            raw = [raw]
        return list(dict.fromkeys(self.choice(part) for part in raw if not _is_empty(part)))

    def link(self, raw: Any) -> UUID:
        if isinstance(raw, UUID):
            return raw
        text = " ".join(_as_text(raw).split())
        try:
            return UUID(text)
        except ValueError:
            found = self.links(self.spec, text) if self.links else None
        if found is None:
            raise ValueError(f"“{text}” was not found; check the spelling or create it first")
        return found

    def json(self, raw: Any) -> Any:
        if isinstance(raw, dict | list):
            return raw
        raise ValueError("cannot be given as text")


_METHODS: dict[Kind, Callable[[_Reader, Any], Any]] = {
    Kind.text: _Reader.text,
    Kind.long_text: _Reader.text,
    Kind.number: _Reader.number,
    Kind.decimal: _Reader.decimal,
    Kind.money: _Reader.money,
    Kind.percent: _Reader.percent,
    Kind.flag: _Reader.flag,
    Kind.date: _Reader.date,
    Kind.datetime: _Reader.moment,
    Kind.choice: _Reader.choice,
    Kind.choices: _Reader.choices,
    Kind.link: _Reader.link,
    Kind.email: _Reader.email,
    Kind.phone: _Reader.phone,
    Kind.url: _Reader.url,
    Kind.json: _Reader.json,
}


def _as_text(raw: Any) -> str:
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))  # a spreadsheet's 4711.0 is the number 4711 of an invoice
    return raw.isoformat() if isinstance(raw, date) else str(raw)


def _cell(raw: Any) -> Decimal:
    """A number that came as a number."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal) or not isfinite(raw):
        raise ValueError(f"“{raw}” is not a number; write it like 1234.5")
    return Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)


def _find_choice(choices: Iterable[Choice], text: str) -> Choice | None:
    """By value first, as a program writes it, then by label, as a person does; case does not count."""
    word, choices = text.casefold(), tuple(choices)
    by_value = next((c for c in choices if c.value == text), None)
    by_value = by_value or next((c for c in choices if c.value.casefold() == word), None)
    return by_value or next((c for c in choices if " ".join(c.label.casefold().split()) == word), None)


def _grouped(number: int | Decimal) -> str:
    return f"{number:,}".replace(",", money.NNBSP).replace("-", MINUS)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _choice_text(spec: FieldSpec, value: str) -> str:
    """The label, unless another choice would be read for it."""
    label = spec.choice_label(value)
    found = _find_choice(spec.choices, label)
    return label if found is not None and found.value == value and not re.search(r"[;|\n]", label) else str(value)
