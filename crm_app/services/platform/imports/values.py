"""Text of a file's cell -> the value of a field. Each distinct text is read once, however many rows have it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from crm_app.core.money import parse_amount, to_minor
from crm_app.core.registry import FieldSpec, Kind
from crm_app.core.text import fold
from crm_app.services.platform.validation import problem

_TRUE = frozenset("1 y yes true t x on ja j wahr oui o vrai si sì sí s vero verdadero tak da".split())
_FALSE = frozenset("0 n no false f off nein falsch non faux falso nie ne -".split())
_MONTHS = {m: i for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ](.*))?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NUMERIC = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[T ,]+(.*))?")
_NAMED = re.compile(
    r"(?:(\d{1,2})[ .-]+([A-Za-z]{3,9})|([A-Za-z]{3,9}) +(\d{1,2})),?[ .-]+(\d{4}|\d{2})(?:[T ,]+(.*))?"
)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)? ?([AaPp][Mm])?")
_ZONE = re.compile(r" ?(Z|UTC|[+-]\d{2}:?\d{2})$")
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
_SERIAL = range(20_000, 80_000)  # days since 1899-12-30: how a spreadsheet keeps 1954 to 2119
_CENTURY = 2000
_PIVOT = 70  # 70-99 are of the last century
NOON = time(12)


class Unreadable(ValueError):
    """What is wrong with the text; `remedy` is what would be right."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True)
class Habits:
    """How the file writes dates and amounts. `day_first` and `decimal` None: told by the cells themselves."""

    currency: str
    time_zone: str = "UTC"
    day_first: bool | None = None
    decimal: str | None = None


def reader_of(spec: FieldSpec, habits: Habits, *, times: Decimal = Decimal(1)) -> Callable[[str], Any]:
    """A function from stripped, non-empty text to the field's value; raises Unreadable. Links are not read here.

    `times`: what a number of the file is multiplied by, where it is written in thousands or millions.
    """
    read = _READERS[spec.kind]

    def checked(text: str) -> Any:
        value = read(text, spec, habits)
        if times != 1:
            value = int((value * times).to_integral_value(ROUND_HALF_UP)) if isinstance(value, int) else value * times
        if wrong := problem(spec, value):
            raise Unreadable(wrong, _bound_remedy(spec))
        return value

    return checked


def guess_day_first(texts: Iterable[str]) -> bool | None:
    """What the dates of one column say about their order; None when they do not say, or contradict each other."""
    day, month = False, False
    for text in texts:
        found = _NUMERIC.fullmatch(text)
        if found and found[2] != ".":
            day = day or int(found[1]) > 12
            month = month or int(found[3]) > 12
    return None if day == month else day


def _bound_remedy(spec: FieldSpec) -> str:
    if spec.choices:
        return "map the file's value to one of these"
    if spec.max_length:
        return "shorten it in the file"
    return "correct it in the file, or map it to another value"


def _text(text: str, spec: FieldSpec, _habits: Habits) -> str:
    return text if spec.kind is Kind.long_text else " ".join(text.split())


def _email(text: str, _spec: FieldSpec, _habits: Habits) -> str:
    if not _EMAIL.fullmatch(text):
        raise Unreadable("is no e-mail address", "write it like name@example.com, or leave it empty")
    return text


def _number(text: str, spec: FieldSpec, habits: Habits) -> int:
    value = _decimal(text, spec, habits)
    if value != int(value):
        raise Unreadable("is no whole number", "round it in the file")
    return int(value)


def _decimal(text: str, _spec: FieldSpec, habits: Habits) -> Decimal:
    raw = re.sub(r"[\s'\u00a0\u202f]", "", text).replace("\u2212", "-")
    if habits.decimal == "," or (
        habits.decimal is None and re.fullmatch(r"-?\d{1,3}(\.\d{3})+,\d*|-?\d+,\d{1,2}", raw)
    ):
        raw = raw.replace(".", "").replace(",", ".")
    else:
        raw = raw.replace(",", "")
    try:
        value = Decimal(raw)
    except InvalidOperation:
        raise Unreadable("is no number", "write digits only, like 1250 or 12.5") from None
    if not value.is_finite() or abs(value) >= Decimal(10) ** 18:
        raise Unreadable("is no number we can keep", "write digits only, like 1250 or 12.5")
    return value


def _money(text: str, _spec: FieldSpec, habits: Habits) -> int:
    """Minor units of the file's currency."""
    if habits.decimal is not None:
        return to_minor(_decimal(re.sub(r"[^\d.,\-\u2212]", "", text), _spec, habits), habits.currency)
    try:
        return parse_amount(text, habits.currency)
    except ValueError:
        raise Unreadable("is no amount", "write it like 1234.50") from None


def _percent(text: str, spec: FieldSpec, habits: Habits) -> int:
    return _number(text.rstrip("% \u00a0\u202f"), spec, habits)


def _flag(text: str, _spec: FieldSpec, _habits: Habits) -> bool:
    word = fold(text)
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Unreadable("is neither yes nor no", "write yes or no")


def _choice(text: str, spec: FieldSpec, _habits: Habits) -> str:
    word = fold(text)
    for choice in spec.choices:
        if word in (fold(choice.value), fold(choice.label)):
            return choice.value
    raise Unreadable(
        f"is none of {', '.join(c.label for c in spec.choices)}", "map the file's value to one of these under `values`"
    )


def _choices(text: str, _spec: FieldSpec, _habits: Habits) -> list[str]:
    parts = (" ".join(p.split()) for p in re.split(r"[;|]" if re.search(r"[;|]", text) else ",", text))
    return list(dict.fromkeys(p for p in parts if p))


def _date(text: str, _spec: FieldSpec, habits: Habits) -> date:
    return _moment_parts(text, habits)[0]


def _datetime(text: str, _spec: FieldSpec, habits: Habits) -> datetime:
    """UTC. A day without a time is its noon in UTC: the same day nearly everywhere. A time is the actor's own."""
    zone = _ZONE.search(text)
    day, clock = _moment_parts(text[: zone.start()] if zone else text, habits)
    if clock is None:
        return datetime.combine(day, NOON, UTC)
    if zone is None:
        return datetime.combine(day, clock, ZoneInfo(habits.time_zone)).astimezone(UTC)
    moment = datetime.combine(day, clock, UTC)
    if zone[1] not in ("Z", "UTC"):
        sign, digits = zone[1][0], zone[1][1:].replace(":", "")
        shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        moment = moment - shift if sign == "+" else moment + shift
    return moment


def _moment_parts(text: str, habits: Habits) -> tuple[date, time | None]:
    try:
        if found := _ISO.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3])), _clock(found[4])
        if found := _COMPACT.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3])), None
        if found := _NUMERIC.fullmatch(text):
            day, month = _order(found[1], found[2], found[3], habits)
            return date(_year(found[4]), month, day), _clock(found[5])
        if (found := _NAMED.fullmatch(text)) and (month := _MONTHS.get((found[2] or found[3])[:3].lower(), 0)):
            return date(_year(found[5]), month, int(found[1] or found[4])), _clock(found[6])
        if re.fullmatch(r"\d{5}(\.\d+)?", text) and int(float(text)) in _SERIAL:
            whole = datetime(1899, 12, 30) + timedelta(days=float(text))  # noqa: DTZ001
            return whole.date(), whole.time() if "." in text else None
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable("is no day of the calendar", "correct it in the file") from None
    raise Unreadable("is no date", "write it like 2026-03-31")


def _order(first: str, sign: str, second: str, habits: Habits) -> tuple[int, int]:
    """(day, month) of two numbers: a dot means day first; else the setting; else only one reading may be possible."""
    a, b = int(first), int(second)
    if sign == ".":
        return a, b
    if habits.day_first is not None:
        return (a, b) if habits.day_first else (b, a)
    if a > 12 >= b:
        return a, b
    if b > 12 >= a or a == b:
        return b, a
    raise Unreadable("may be two different days", "say in the mapping `day_first: true` or `day_first: false`")


def _year(text: str) -> int:
    year = int(text)
    if len(text) > 2:
        return year
    return year + (_CENTURY if year < _PIVOT else _CENTURY - 100)


def _clock(text: str | None) -> time | None:
    """The time of day after a date; None for midnight too, which is how spreadsheets write a mere day."""
    if not text or not text.strip():
        return None
    found = _CLOCK.fullmatch(_ZONE.sub("", text.strip()))
    if found is None:
        raise Unreadable("is no time of day", "write it like 2026-03-31 14:30")
    hour = int(found[1])
    if found[4]:
        hour = hour % 12 + (12 if found[4].lower() == "pm" else 0)
    clock = time(hour, int(found[2]), int(found[3] or 0))
    return None if clock == time(0) else clock


def _refused(_text_of: str, _spec: FieldSpec, _habits: Habits) -> Any:
    raise Unreadable("cannot be imported from text", "leave this column out")


_READERS: dict[Kind, Callable[[str, FieldSpec, Habits], Any]] = {
    Kind.text: _text,
    Kind.long_text: _text,
    Kind.phone: _text,
    Kind.url: _text,
    Kind.email: _email,
    Kind.number: _number,
    Kind.decimal: _decimal,
    Kind.money: _money,
    Kind.percent: _percent,
    Kind.flag: _flag,
    Kind.choice: _choice,
    Kind.choices: _choices,
    Kind.date: _date,
    Kind.datetime: _datetime,
    Kind.link: _refused,
    Kind.json: _refused,
}
