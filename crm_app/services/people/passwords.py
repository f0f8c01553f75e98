"""Passwords: Argon2id hashes and the rules for new ones."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from passlib.context import CryptContext

from crm_app.core.errors import Invalid
from crm_app.core.text import fold

T = TypeVar("T")
SHORTEST, LONGEST = 10, 200
# OWASP's setting for servers: 19 MiB and two passes, about 25 ms. Older hashes are renewed at the next sign-in.
_context = CryptContext(
    schemes=["argon2"], argon2__type="ID", argon2__memory_cost=19_456, argon2__rounds=2, argon2__parallelism=1
)
_hands = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")  # bounds memory and time taken from pages


async def hash_password(password: str) -> str:
    return await _off_loop(_context.hash, _normal(password))


async def verify(password: str, hashed: str) -> tuple[bool, str | None]:
    """Whether it fits, and a newer hash to store when the old one was made with other settings.

    An empty `hashed` (an address nobody has, an invitation not yet taken) takes as long as a wrong password.
    """
    if len(password) > LONGEST:
        password, hashed = "", ""
    fits, renewed = await _off_loop(_context.verify_and_update, _normal(password), hashed or _nobody())
    return bool(fits and hashed), renewed if fits and hashed else None


def check_new(password: str, email: str = "", field: str = "password") -> str:
    """The password if it may be set; Invalid says what is wrong and what would do."""
    plain, address = fold(password), fold(email)
    if len(password) < SHORTEST:
        raise Invalid(**{field: f"needs at least {SHORTEST} characters; a sentence is easy to remember"})
    if len(password) > LONGEST:
        raise Invalid(**{field: f"may have {LONGEST} characters at most"})
    if address and plain in (address, address.partition("@")[0]):
        raise Invalid(**{field: "must not be your e-mail address"})
    if plain.replace(" ", "") in _common() or len(set(plain)) < 5:
        raise Invalid(**{field: "is among the first that attackers try; take a sentence of your own"})
    return password


def _normal(password: str) -> str:
    """The same word typed on two keyboards gives the same bytes."""
    return unicodedata.normalize("NFC", password)


async def _off_loop(call: Callable[..., T], *args: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(_hands, call, *args)


@cache
def _nobody() -> str:
    return str(_context.hash("a password that nobody has"))


@cache
def _common() -> frozenset[str]:
    return frozenset((Path(__file__).parent / "common_passwords.txt").read_text().split())
