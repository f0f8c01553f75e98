"""Days and moments as people and files write them."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_DAY, LAST_DAY = date(1000, 1, 1), date(8999, 12, 31)  # room on both sides for zones and periods
_MONTHS = "january february march april may june july august september october november december".split()
_ISO = re.compile(r"(\d{4})([-/.]?)(\d{2})\2(\d{2})")
_NUMERIC = re.compile(r"(\d{1,2})([./-])\s*(\d{1,2})\2\s*(\d{4}|\d{2})")
_NAMED = (
    re.compile(
        r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[.\s-]*(?P<month>[a-z]{3,9})[.,\s-]*(?P<year>\d{4}|\d{2})", re.IGNORECASE
    ),
    re.compile(
        r"(?P<month>[a-z]{3,9})[.\s]*(?P<day>\d{1,2})(?:st|nd|rd|th)?[,\s]+(?P<year>\d{4}|\d{2})", re.IGNORECASE
    ),
)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?\s*([ap]\.?m\.?)?", re.IGNORECASE)
_SERIAL = re.compile(r"\d{1,7}(\.\d+)?")
_EXCEL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  a serial number has no zone


def parse_date(text: str, *, day_first: bool | None = None) -> date:
    """ "2025-12-31", "31.12.2025", "12/31/2025", "31 Dec 2025". ValueError when it is no day, or could be two.

    `day_first` tells 03/04/2025 apart; with dots the day always stands first. Two digits of a year mean 1969 to 2068.
    """
    text = text.strip()
    if iso := _ISO.fullmatch(text):
        return _day(text, iso[1], iso[3], iso[4])
    if numeric := _NUMERIC.fullmatch(text):
        first, sign, second, year = numeric.groups()
        if sign == "." or int(first) > 12:
            day_first = True
        elif int(second) > 12 or first == second:
            day_first = False
        if day_first is None:
            one, other = _day(text, year, second, first), _day(text, year, first, second)
            raise ValueError(
                f"“{text}” could be {show_date(one)} or {show_date(other)}; write it like {one.isoformat()}"
            )
        return _day(text, year, *((second, first) if day_first else (first, second)))
    for pattern in _NAMED:
        if (named := pattern.fullmatch(text)) and (month := _month(named["month"].lower())):
            return _day(text, named["year"], month, named["day"])
    raise _no_day(text)


def parse_moment(text: str, *, time_zone: str, day_first: bool | None = None) -> datetime:
    """A day with or without a time of day ("31.12.2025 14:30", "2025-12-31T14:30:00Z"), in UTC.

    Without an offset of its own the clock is that of `time_zone`; without a time of day it is midnight there.
    """
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _written(text, day_first)
    if not FIRST_DAY <= moment.date() <= LAST_DAY:
        raise _no_day(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC)


def from_excel(serial: float) -> datetime:
    """The local time that a spreadsheet means by a number of days, to the second. ValueError out of its range."""
    if not 1 <= serial < 2_958_466:
        raise ValueError(f"“{serial}” is not a date of a spreadsheet")
    shift = 1 if serial < 60 else 0  # spreadsheets believe in 29 February 1900
    return _EXCEL_ZERO + timedelta(days=shift, seconds=round(serial * 86_400))


def is_serial(text: str) -> bool:
    return _SERIAL.fullmatch(text.strip()) is not None


def guess_day_first(samples: list[str]) -> bool | None:
    """Whether a column of a file writes the day before the month, or None when no value tells."""
    for text in samples:
        numeric = _NUMERIC.match(text.strip())
        if numeric and int(numeric[1]) > 12:
            return True
        if numeric and int(numeric[3]) > 12:
            return False
    return None


def show_date(day: date) -> str:
    return f"{day.day} {day:%b} {day.year}"


def show_moment(moment: datetime, time_zone: str) -> str:
    """31 Dec 2025, 14:30 where the viewer lives."""
    local = moment.astimezone(ZoneInfo(time_zone))
    return f"{show_date(local.date())}, {local:%H:%M}"


def show_ago(moment: datetime, now: datetime, time_zone: str) -> str:
    """How long a moment in the past is gone: now, 5 min ago, 3 h ago, yesterday, then its day."""
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min ago"
    zone = ZoneInfo(time_zone)
    days = (now.astimezone(zone).date() - moment.astimezone(zone).date()).days
    if days == 0:
        return f"{minutes // 60} h ago"
    return "yesterday" if days == 1 else show_date(moment.astimezone(zone).date())


def _written(text: str, day_first: bool | None) -> datetime:
    clock = _CLOCK.search(text)
    if clock is None or clock.end() != len(text):
        return datetime.combine(parse_date(text, day_first=day_first), time())
    hour, minute, second, fraction, half = clock.groups()
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            raise _no_day(text)
        hours = hours % 12 + (12 if half[0] in "pP" else 0)
    day = parse_date(text[: clock.start()].rstrip(" ,T"), day_first=day_first)
    try:
        return datetime.combine(day, time(hours, int(minute), int(second or 0), int((fraction or "0").ljust(6, "0"))))
    except ValueError:
        raise _no_day(text) from None


def _month(word: str) -> int:
    return next((n for n, name in enumerate(_MONTHS, 1) if name.startswith(word)), 0)


def _day(text: str, year: str, month: str | int, day: str) -> date:
    full = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 69 else 1900)
    try:
        found = date(full, int(month), int(day))
    except ValueError:
        raise ValueError(f"“{text}” is not a day of the calendar") from None
    if not FIRST_DAY <= found <= LAST_DAY:
        raise _no_day(text)
    return found


def _no_day(text: str) -> ValueError:
    return ValueError(f"“{text}” is not a date; write it like 2025-12-31")
