"""Text as people write it, folded for search, sorting and comparison."""

import re
import unicodedata
from functools import lru_cache

_SPECIAL = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "ħ": "h", "ŧ": "t"}
)


def fold(text: str) -> str:
    """Lower case, without accents: "Køhler  ŁÓDŹ" -> "kohler lodz". Folding twice changes nothing more."""
    if text.isascii():
        return " ".join(text.casefold().split())
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_SPECIAL)).casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return " ".join(bare.translate(_SPECIAL).split())


# Letters that got a lower case in Unicode 15 and 16 (PostgreSQL 18), which Python 3.11 does not know yet; and the one
# letter whose lower case Python writes with two characters.
_NEWER = {
    "\u0130": "i",
    "\u1c89": "\u1c8a",
    "\ua7cb": "\u0264",
    "\ua7cc": "\ua7cd",
    "\ua7da": "\ua7db",
    "\ua7dc": "\u019b",
} | {chr(c): chr(c + 0x20) for c in range(0x10D50, 0x10D66)}


def lower(text: str) -> str:
    """Lower case letter by letter: exactly what `lower()` answers in a PostgreSQL database with locale C.UTF-8.

    `str.lower` differs: it looks at neighbours (final sigma) and turns U+0130 into two characters.
    """
    if text.isascii():
        return text.lower()
    return "".join(_NEWER.get(c) or c.lower() for c in text)


# The other way round, and the Greek letters with a iota below, which Python writes apart.
_CAPITAL = {v: k for k, v in _NEWER.items() if k != "\u0130"} | {
    chr(c): chr(c + 8) for first in (0x1F80, 0x1F90, 0x1FA0) for c in range(first, first + 8)
}
_CAPITAL |= {"\u1fb3": "\u1fbc", "\u1fc3": "\u1fcc", "\u1ff3": "\u1ffc"}


def upper(text: str) -> str:
    """Upper case letter by letter, as `upper()` answers there: "ß" stays."""
    if text.isascii():
        return text.upper()
    return "".join(_CAPITAL.get(c) or (large if len(large := c.upper()) == 1 else c) for c in text)


def sort_key(text: str) -> str:
    """Key by which names sort; the database has only byte order."""
    return fold(text)[:200]


_LEGAL = {
    "gmbh",
    "ag",
    "inc",
    "llc",
    "ltd",
    "plc",
    "co",
    "kg",
    "sa",
    "sas",
    "srl",
    "spa",
    "bv",
    "nv",
    "ab",
    "as",
    "oy",
    "kft",
    "corp",
    "corporation",
    "limited",
}


def name_key(text: str) -> str:
    """Key under which two spellings of a name meet: "GTXPro" and "GTX Pro", "Acme S.A." and "ACME SA".

    Legal forms at the end do not count, unless nothing else is left. Empty only for an empty name.
    """
    folded = re.sub(r"(?<=\b\w)\.(?=\w\b)", "", fold(text).replace("&", " and "))  # s.a. -> sa.
    words = re.findall(r"[^\W_]+", folded)
    while len(words) > 1 and words[-1] in _LEGAL:
        words.pop()
    return ("".join(words) or "".join(folded.split()))[:200]


def digits(text: str) -> str:
    """The digits of a phone number without extension: the last ten, so that +49 170 ... and 0170 ... meet."""
    return re.sub(r"\D", "", text.partition(";")[0])[-10:]


@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    words = [w for w in re.split(r"[\s\-]+", name) if w[:1].isalnum()]
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else words[0][1:2])).upper() if words else "?"


@lru_cache(maxsize=4096)
def tint(name: str) -> int:
    """One of eight colours for a person or company mark; the same name always gets the same."""
    return sum(fold(name).encode()) % 8 + 1


def label_of(name: str) -> str:
    """primary_contact_id -> Primary contact, created_at -> Created, email -> E-mail."""
    for end in ("_id", "_minor", "_on", "_at"):
        name = name.removesuffix(end)
    return name.replace("_", " ").capitalize().replace("Email", "E-mail")


def clip(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
