"""What people type about themselves, cleaned and checked. Each raises Invalid under the given field's name."""

import re
from ipaddress import ip_address, ip_network
from zoneinfo import available_timezones

from crm_app.core.errors import Invalid
from crm_app.core.money import CURRENCIES
from crm_app.core.text import fold

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
EMAIL_LENGTH = 254


def required_text(field: str, text: str, length: int) -> str:
    """One line, blanks collapsed, not empty."""
    clean = optional_text(field, text, length)
    if not clean:
        raise Invalid(**{field: "is required"})
    return clean


def optional_text(field: str, text: str, length: int) -> str:
    clean = " ".join(_CONTROL.sub(" ", text).split())
    if len(clean) > length:
        raise Invalid(**{field: f"is {len(clean)} characters long; {length} is the most"})
    return clean


def is_email(text: str) -> bool:
    return len(text) <= EMAIL_LENGTH and _EMAIL.fullmatch(text) is not None and not _CONTROL.search(text)


def email_key(text: str) -> str:
    """Under which two spellings of an address are one."""
    return fold(text.strip())


def email_address(text: str, field: str = "email") -> str:
    clean = text.strip()
    if not is_email(clean):
        raise Invalid(**{field: "is not an e-mail address; write it like name@example.com"})
    return clean


def network(ip: str) -> str:
    """What counts as one place for limits: an IPv4 address, or the /64 that a household gets of IPv6."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip[:64]
    return str(ip_network(f"{ip}/64", strict=False)) if address.version == 6 else ip


def time_zone(text: str, field: str = "time_zone") -> str:
    clean = text.strip()
    if clean not in available_timezones():
        raise Invalid(**{field: "is not a time zone; choose one like Europe/Berlin"})
    return clean


def currency(text: str, field: str = "currency") -> str:
    clean = text.strip().upper()
    if clean not in CURRENCIES:
        raise Invalid(**{field: "is not a currency code; write it like EUR"})
    return clean
