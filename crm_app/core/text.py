"""Text as people write it, folded for search, sorting and comparison."""

import re
import unicodedata

_SPECIAL = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "ae", "ø": "o", "Ø": "o", "đ": "d", "Đ": "d", "ł": "l", "Ł": "l", "þ": "th"}
)


def fold(text: str) -> str:
    """Lower case, without accents: "Køhler  ŁÓDŹ" -> "kohler lodz"."""
    plain = unicodedata.normalize("NFKD", text.translate(_SPECIAL))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().split())


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
    """Key under which two spellings of a name meet: "GTXPro" and "GTX Pro", "Acme Corp." and "ACME"."""
    words = re.findall(r"[a-z0-9]+", fold(text).replace("&", " and "))
    kept = [w for w in words if w not in _LEGAL] or words
    return "".join(kept)[:200]


def digits(text: str) -> str:
    """The digits of a phone number: the last ten, so that +49 170 ... and 0170 ... meet."""
    return re.sub(r"\D", "", text)[-10:]


def initials(name: str) -> str:
    words = [w for w in re.split(r"[\s\-]+", name) if w[:1].isalnum()]
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else words[0][1:2])).upper() if words else "?"


def label_of(name: str) -> str:
    """primary_contact_id -> Primary contact."""
    return name.removesuffix("_id").removesuffix("_minor").removesuffix("_on").replace("_", " ").capitalize()


def clip(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
