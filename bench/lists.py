"""Lists of 100,000 contacts: what a person waits for, each beside the same question as raw SQL.

`python -m bench.lists` runs these alone.
"""

import asyncio
import json
import random
from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from bench import ground, runner
from bench.ground import World
from bench.operations import Operation
from crm_app.core import garbage
from crm_app.core.conditions import parse
from crm_app.core.views import View
from crm_app.models.customers.contacts import CONTACT
from crm_app.services.platform import lists
from crm_app.services.platform.records import Page
from crm_app.store.uow import unit_of_work

PEOPLE = 100_000
_DEALS = 10_000
_AIM = 100.0  # milliseconds, the 95th percentile
_ROWS = 100  # what a list asks for
_DEEP = 1_000  # the page that is jumped to, of 50 rows
_RELATED = {
    "related": "account",
    "some": {
        "all": [
            {"field": "city", "op": "eq", "value": "City 7"},
            {"related": "opportunities", "some": {"field": "status", "op": "eq", "value": "open"}},
        ]
    },
}
_COLUMNS = "c.id, c.version, c.name, c.title, c.email, c.phone, c.updated_at, a.name, u.name"
_FROM = """FROM (SELECT * FROM contact k WHERE k.tenant_id = %s AND k.deleted_at IS NULL {where}
  ORDER BY {order}, k.id LIMIT 100 OFFSET {offset}) c
LEFT JOIN account a ON a.tenant_id = c.tenant_id AND a.id = c.account_id
LEFT JOIN crm_user u ON u.tenant_id = c.tenant_id AND u.id = c.owner_id"""
_RAW_RELATED = """AND EXISTS (SELECT 1 FROM account f WHERE f.tenant_id = k.tenant_id AND f.id = k.account_id
  AND f.city = 'City 7' AND f.deleted_at IS NULL AND EXISTS (SELECT 1 FROM opportunity o WHERE o.tenant_id = f.tenant_id
  AND o.account_id = f.id AND o.status = 'open' AND o.deleted_at IS NULL))"""
_RAW_LINK = """SELECT c.id, c.version, c.name, c.title, c.email, c.phone, c.updated_at, b.{title}
FROM contact c LEFT JOIN {table} b ON b.tenant_id = c.tenant_id AND b.id = c.{link}
WHERE c.tenant_id = %s AND c.deleted_at IS NULL ORDER BY b.{title}, c.id LIMIT 100"""


async def _read(world: World, view: View, *, offset: int = 0) -> Page:
    async with unit_of_work(world.actor) as uow:
        return await lists.page(uow, await lists.entity_of(uow, "contact"), view, offset=offset, limit=_ROWS)


def _bytes(page: Page) -> int:
    return len(json.dumps(page.rows, default=str, separators=(",", ":")).encode())


def _page(name: str, view: View, raw: str, *, offset: int = 0) -> Operation:
    async def service(world: World, _: random.Random) -> int:
        return _bytes(await _read(world, view, offset=offset))

    async def plain(connection: AsyncConnection[Any], world: World, _: random.Random) -> None:
        await (await connection.execute(raw, [world.tenant_id])).fetchall()

    return Operation(name, service, plain, _AIM, "")


def _rows(order: str, *, where: str = "", offset: int = 0) -> str:
    return f"SELECT {_COLUMNS} {_FROM.format(order=order, where=where, offset=offset)}"


def _sorted(name: str) -> Operation:
    spec = CONTACT.fields[name]
    down = name == "updated_at"
    if spec.target:
        table, title = ("crm_user", "name") if spec.target == "user" else ("account", "sort_key")
        raw = _RAW_LINK.format(table=table, title=title, link=name)
    else:
        raw = _rows(f"k.{'sort_key' if name == 'name' else name}{' DESC' if down else ''}")
    return _page(f"sorted by {spec.label.lower()}", View(sort=name, descending=down), raw)


def _counted(name: str, view: View, where: str) -> Operation:
    async def service(world: World, _: random.Random) -> None:
        async with unit_of_work(world.actor) as uow:
            await lists.totals(uow, await lists.entity_of(uow, "contact"), view)

    async def plain(connection: AsyncConnection[Any], world: World, _: random.Random) -> None:
        count = "SELECT count(*), count(DISTINCT k.owner_id) FROM contact k WHERE k.tenant_id = %s"
        await (await connection.execute(f"{count} AND k.deleted_at IS NULL {where}", [world.tenant_id])).fetchall()

    return Operation(name, service, plain, _AIM, "")


async def _search(world: World, rng: random.Random) -> int:
    return _bytes(await _read(world, View(query=f"first{rng.randrange(83)} last{rng.randrange(211)}")))


async def _search_raw(connection: AsyncConnection[Any], world: World, rng: random.Random) -> None:
    words = f"first{rng.randrange(83)}:* & last{rng.randrange(211)}:*"
    query = _rows("k.sort_key", where="AND k.search_text @@ %s::tsquery")
    await (await connection.execute(query, [world.tenant_id, words])).fetchall()


_TWO = View(filter=parse(_RELATED))
OPERATIONS: Sequence[Operation] = (
    _page("first page", View(), _rows("k.sort_key")),
    *(_sorted(n) for n in ("account_id", "title", "email", "phone", "owner_id", "updated_at")),
    _page("page 1,000", View(), _rows("k.sort_key", offset=50 * _DEEP), offset=50 * (_DEEP - 1)),
    _page("page 1,000 by e-mail", View(sort="email"), _rows("k.email", offset=50 * _DEEP), offset=50 * (_DEEP - 1)),
    _page("two relations", _TWO, _rows("k.sort_key", where=_RAW_RELATED)),
    _counted("two relations, counted", _TWO, _RAW_RELATED),
    _counted("all, counted", View(), ""),
    Operation("search", _search, _search_raw, _AIM, ""),
)


async def measure(seconds: float, only: str = "") -> dict[str, Any]:
    """Figures by operation."""
    world, imported = await ground.furnish(_DEALS, PEOPLE)
    garbage.settle()
    found: dict[str, Any] = {"import": imported, "operations": {}}
    async with ground.connections() as raw:
        for operation in OPERATIONS:
            if only in operation.name:
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
