"""Addresses by which people are reached: e-mail, phone, web. Each reader gives the one spelling that is stored."""

import re
from urllib.parse import urlsplit, urlunsplit

import phonenumbers

_EMAIL = re.compile(r"[^\s@<>(),;:\"\\\[\]]+@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,63}")
_NAMED_EMAIL = re.compile(r"[^<>]*<([^<>]+)>")
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+(?:[^\W\d_]{2,63}|xn--[a-z0-9-]+)")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?!\d)", re.IGNORECASE)


def parse_email(text: str) -> str:
    """ "Dana Roth <dana@Acme.com>" -> "dana@acme.com". Only the shape is checked; the part before @ keeps its case."""
    address = text.strip().removeprefix("mailto:")
    if named := _NAMED_EMAIL.fullmatch(address):
        address = named[1].strip()
    local, _, host = address.rpartition("@")
    dots_fit = ".." not in local and not local.startswith(".") and not local.endswith(".")
    if not _EMAIL.fullmatch(address) or not dots_fit or len(local) > 64 or len(address) > 254:
        raise ValueError(f"“{text.strip()}” is not an e-mail address; write it like name@example.com")
    return f"{local}@{host.lower()}"


def parse_phone(text: str, region: str) -> str:
    """E.164 ("+493012345678"), with ";ext=12" where there is an extension. `region` (ISO 3166) reads local numbers."""
    try:
        number = phonenumbers.parse(text.strip(), region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise ValueError(
            f"“{text.strip()}” is not a phone number; write it with the country code, like +49 30 12345678"
        )
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain};ext={number.extension}" if number.extension else plain


def show_phone(stored: str) -> str:
    """+49 30 12345678 ext. 12; what cannot be read is shown as it is."""
    try:
        number = phonenumbers.parse(stored, None)
    except phonenumbers.NumberParseException:
        return stored
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


# Where anybody gets an address: such a domain says nothing about a company.
_FREE_MAIL = frozenset(
    "gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com icloud.com me.com aol.com gmx.de"
    " gmx.net gmx.com gmx.at gmx.ch web.de t-online.de freenet.de mail.ru yandex.ru proton.me protonmail.com orange.fr"
    " free.fr laposte.net libero.it wp.pl o2.pl qq.com 163.com".split()
)


def domain_of(website: str, email: str = "") -> str:
    """ "https://www.Acme.com/de" -> "acme.com"; without a website that of a company's e-mail."""
    host = re.sub(r"^[a-z][a-z0-9+.-]*://", "", website.strip().lower())
    host = re.split(r"[/:?#]", host, maxsplit=1)[0].removeprefix("www.").strip(".")
    if not host:
        host = email.strip().lower().rpartition("@")[2]
        host = "" if host in _FREE_MAIL else host
    return host[:253] if "." in host else ""


def parse_url(text: str) -> str:
    """An http(s) address; "acme.com" gets https://. Anything a browser could run or be fooled by is refused."""
    address = text.strip()
    wrong = ValueError(f"“{address}” is not a web address; write it like https://example.com")
    if re.search(r"[\s\\<>\"{}|^`\x00-\x1f\x7f]", address) or len(address) > 2_000:
        raise wrong
    scheme = _SCHEME.match(address)
    if scheme is None:
        address = f"https:{address}" if address.startswith("//") else f"https://{address}"
    elif scheme[1].lower() not in ("http", "https"):
        raise ValueError(f"“{text.strip()}” cannot be opened as a web page; only http and https addresses can")
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or ""), parts.port
    except ValueError:
        raise wrong from None
    if "@" in parts.netloc or not (_HOST.fullmatch(host) or _ADDRESS.fullmatch(host) or host == "localhost"):
        raise wrong
    return urlunsplit(
        (parts.scheme.lower(), f"{host}:{port}" if port else host, parts.path, parts.query, parts.fragment)
    )
