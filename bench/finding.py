"""Finding one of 100,000 contacts: what is typed into the palette, and whether somebody is there already.

`python -m bench.finding` runs these alone. The people have 12,000 last and 800 first names, e-mails and numbers of
their own; what is asked for is theirs. Raw is the search function alone for the same kinds, with the words typed right;
for a number the scan of its indexes; for duplicates the scans of the keys.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection

from bench import ground, runner
from bench.ground import World
from bench.operations import Operation
from crm_app.core import garbage
from crm_app.core.clock import utcnow
from crm_app.core.text import digits, fold, name_key, sort_key
from crm_app.models.base import new_id
from crm_app.models.customers.contacts import CONTACT
from crm_app.services.customers import duplicates
from crm_app.services.platform import finding
from crm_app.store import databases
from crm_app.store.uow import unit_of_work

PEOPLE = 100_000
_DEALS = 2_000
_AIM = 100.0  # milliseconds, the 95th percentile
_SYLLABLES = "ka lo mi ra ten ber gar sen hol mar vin del son ric tor ban fel lin gus pet".split()
_COLUMNS = (
    "tenant_id, id, created_at, updated_at, version, name, first_name, last_name, account_id, owner_id, email, phone,"
    " mobile, title, department, city, country, lead_source, description, email_key, phone_key, mobile_key, name_key,"
    " sort_key"
)
_SEARCH = "SELECT * FROM crm_search(%s, %s::tsquery, NULL, 5)"
_CALLED = """
SELECT id FROM contact WHERE tenant_id = %s AND deleted_at IS NULL AND {key} > '' AND strpos({key}, %s) > 0 LIMIT 5"""
_KINDS = (*finding.KINDS, "activity", "user", "team")  # those that have a page, as the palette asks
_ALIKE = """
SELECT * FROM contact WHERE tenant_id = %(t)s AND deleted_at IS NULL AND email_key = %(mail)s
UNION ALL SELECT * FROM contact WHERE tenant_id = %(t)s AND deleted_at IS NULL AND phone_key = %(phone)s
UNION ALL SELECT * FROM contact WHERE tenant_id = %(t)s AND deleted_at IS NULL AND name_key = %(name)s"""


@dataclass(frozen=True)
class Person:
    first: str
    last: str
    email: str
    phone: str


_people: list[Person] = []
Text = Callable[[Person, random.Random], str]


def _word(rng: random.Random) -> str:
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.choice((2, 3, 3, 4)))).capitalize()


async def bring_in(world: World, rng: random.Random) -> None:
    """As the owner: it is scenery."""
    firsts, lasts = [_word(rng) for _ in range(800)], [_word(rng) for _ in range(12_000)]
    now, owner = utcnow(), world.actor.user_id
    async with await psycopg.AsyncConnection.connect(databases.database_urls().owner) as connection:
        await connection.execute("SELECT set_config('app.source', 'import', true)")
        async with connection.cursor() as cursor, cursor.copy(f"COPY contact ({_COLUMNS}) FROM STDIN") as copy:
            for n in range(PEOPLE):
                first, last = rng.choice(firsts), rng.choice(lasts)
                email = f"{first}.{last}{n}@{_word(rng)}.example".lower()
                one = Person(first, last, email, f"+49 {rng.choice((30, 40, 89))} {rng.randrange(10**7):07d}")
                mobile = f"0170 {rng.randrange(10**7):07d}" if n % 2 else ""
                name = f"{first} {last}"
                keys = (fold(email), digits(one.phone), digits(mobile), name_key(name), sort_key(f"{last} {first}"))
                head = (world.tenant_id, new_id(), now, now, 1, name, first, last, rng.choice(world.accounts), owner)
                await copy.write_row((*head, email, one.phone, mobile, *[""] * 6, *keys))
                _people.append(one)
    with psycopg.connect(databases.database_urls().owner, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def mistyped(word: str, rng: random.Random) -> str:
    """Two letters exchanged, one left out, or one wrong."""
    at = rng.randrange(1, len(word) - 1)
    wrong = (word[at + 1] + word[at] + word[at + 2 :], word[at + 1 :], rng.choice("aeiourstln") + word[at + 1 :])
    return word[:at] + rng.choice(wrong)


def _typed(name: str, text: Text, right: Text | None = None) -> Operation:
    async def service(world: World, rng: random.Random) -> int:
        async with unit_of_work(world.actor) as uow:
            found = await finding.search_forgiving(uow, text(rng.choice(_people), rng), kinds=_KINDS)
        return len(json.dumps([(h.title, h.detail, h.extra) for h in found.hits]).encode())

    async def plain(connection: AsyncConnection[Any], world: World, rng: random.Random) -> None:
        words = fold((right or text)(rng.choice(_people), rng)).replace("@", " ").replace(".", " ").split()
        await connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(world.tenant_id)])
        for kind in finding.KINDS:
            await (await connection.execute(_SEARCH, [kind, " & ".join(f"{w}:*" for w in words)])).fetchall()

    return Operation(name, service, plain, _AIM, "")


def _called(name: str, text: Text) -> Operation:
    async def plain(connection: AsyncConnection[Any], world: World, rng: random.Random) -> None:
        number = finding.phone_parts(text(rng.choice(_people), rng))[0]
        for key in ("phone_key", "mobile_key"):
            await (await connection.execute(_CALLED.format(key=key), [world.tenant_id, number])).fetchall()

    return Operation(name, _typed(name, text).service, plain, _AIM, "")


def _alike() -> Operation:
    async def service(world: World, rng: random.Random) -> None:
        one = rng.choice(_people)
        typed = {"first_name": one.first, "last_name": one.last, "email": one.email, "phone": one.phone}
        async with unit_of_work(world.actor) as uow:
            await duplicates.similar(uow, CONTACT, typed)

    async def plain(connection: AsyncConnection[Any], world: World, rng: random.Random) -> None:
        one = rng.choice(_people)
        keys = {"mail": fold(one.email), "phone": digits(one.phone), "name": name_key(f"{one.first} {one.last}")}
        await (await connection.execute(_ALIKE, {"t": world.tenant_id, **keys})).fetchall()

    return Operation("duplicate check at create", service, plain, _AIM, "")


def operations() -> tuple[Operation, ...]:
    return (
        _typed("two letters", lambda p, _: p.last[:2]),
        _typed("four letters", lambda p, _: p.last[:4]),
        _typed("beginnings of two words", lambda p, _: f"{p.first[:3]} {p.last[:4]}"),
        _typed("e-mail", lambda p, _: p.email),
        _typed("a typing error", lambda p, rng: mistyped(p.last, rng), lambda p, _: p.last),
        _typed(
            "a typing error in one of two",
            lambda p, rng: f"{mistyped(p.first, rng)} {p.last}",
            lambda p, _: f"{p.first} {p.last}",
        ),
        _called("a phone number", lambda p, _: p.phone),
        _called("its last six digits", lambda p, _: p.phone[-6:]),
        _alike(),
    )


async def measure(seconds: float) -> dict[str, Any]:
    """Figures by operation."""
    world, imported = await ground.furnish(_DEALS)
    await bring_in(world, random.Random(7))
    garbage.settle()
    found: dict[str, Any] = {"import": imported, "operations": {}}
    first: Awaitable[Any] = operations()[4].service(world, random.Random(1))
    await first  # the first one in a process reads the words of the workspace
    async with ground.connections() as raw:
        for operation in operations():
            print(f"{PEOPLE:,} contacts: {operation.name}", flush=True)
            found["operations"][operation.name] = await runner.measure(operation, world, raw, seconds)
    await ground.leave()
    return found


def main() -> None:
    with ground.scratch():
        found = asyncio.run(measure(2.0))
    print("\n".join(runner.lines(found["operations"])))


if __name__ == "__main__":
    main()
