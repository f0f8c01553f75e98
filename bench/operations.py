"""What is measured: each operation as the product does it, and the same question as raw SQL."""

import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection

from bench import rest
from bench.ground import World
from crm_app.core.clock import utcnow
from crm_app.models.base import new_id
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.platform import finding, records
from crm_app.services.sales import board, deal_page, drops
from crm_app.state.sales import cards
from crm_app.store.uow import unit_of_work

Service = Callable[[World, random.Random], Awaitable[int | None]]  # bytes that the browser would get, where it counts
Raw = Callable[[AsyncConnection[Any], World, random.Random], Awaitable[None]]


@dataclass(frozen=True)
class Operation:
    """`aim` is the median to reach alone, at 10,000 and at 100,000 deals; `peers` the best of others (10k / 100k)."""

    name: str
    service: Service
    raw: Raw
    aim_ms: float
    peers: str


_CARDS = """
SELECT s.id, c.* FROM stage s CROSS JOIN LATERAL (
  SELECT d.id, d.version, d.name, d.amount_minor, d.currency, d.expected_close_on, d.probability, d.owner_id,
         d.stage_entered_at, d.next_activity_at, d.next_activity_kind, d.next_activity_subject, d.health, d.position,
         a.name AS account, u.name AS owner
  FROM (SELECT * FROM opportunity o WHERE o.tenant_id = s.tenant_id AND o.stage_id = s.id AND o.deleted_at IS NULL
        ORDER BY o.position, o.id LIMIT 26) d
  JOIN account a ON a.tenant_id = d.tenant_id AND a.id = d.account_id
  JOIN crm_user u ON u.tenant_id = d.tenant_id AND u.id = d.owner_id
  ORDER BY d.position, d.id) c
WHERE s.tenant_id = %s AND s.pipeline_id = %s AND s.kind = 'open'"""
_TOTALS = """
SELECT stage_id, currency, health, sum(deals), sum(amount_minor), sum(weighted_minor) FROM stage_total
WHERE tenant_id = %s AND stage_id = ANY (%s) GROUP BY 1, 2, 3"""
_LIST = """
SELECT o.id, o.version, o.name, o.amount_minor, o.currency, o.probability, o.expected_close_on, a.name, u.name, s.name
FROM opportunity o
JOIN account a ON a.tenant_id = o.tenant_id AND a.id = o.account_id
JOIN crm_user u ON u.tenant_id = o.tenant_id AND u.id = o.owner_id
JOIN stage s ON s.tenant_id = o.tenant_id AND s.id = o.stage_id
WHERE o.tenant_id = %s AND o.deleted_at IS NULL ORDER BY o.expected_close_on, o.id LIMIT 50"""
_READ = """
SELECT o.*, a.name, u.name, s.name, p.name FROM opportunity o
JOIN account a ON a.tenant_id = o.tenant_id AND a.id = o.account_id
JOIN crm_user u ON u.tenant_id = o.tenant_id AND u.id = o.owner_id
JOIN stage s ON s.tenant_id = o.tenant_id AND s.id = o.stage_id
JOIN pipeline p ON p.tenant_id = o.tenant_id AND p.id = o.pipeline_id
WHERE o.tenant_id = %s AND o.id = %s"""
_CREATE = """
INSERT INTO opportunity (
  tenant_id, id, created_at, updated_at, version, number, name, description, account_id, owner_id, pipeline_id,
  stage_id, status, probability, probability_is_manual, amount_minor, currency, expected_close_on, opportunity_type,
  priority, lead_source, campaign, competitive_position, competitor_analysis, buying_process, next_step,
  next_activity_kind, next_activity_subject, score, qualification_score, fit_score, requires_approval, win_loss_details,
  position, stage_entered_at, health, delete_reason, sort_key)
VALUES (
  %s, %s, now(), now(), 1, %s, 'Raw deal', '', %s, %s, %s, %s, 'open', 10, false, 100000, 'EUR', current_date + 30,
  'new_business', 'medium', '', '', 'unknown', '', '', '', '', '', 0, 0, 0, false, '', %s, now(), 'risk', '',
  'raw deal')"""
_MOVE = """
UPDATE opportunity SET stage_id = %s, position = %s, stage_entered_at = now(), probability = 30, updated_at = now(),
  version = version + 1 WHERE tenant_id = %s AND id = %s"""
_SEARCH = "SELECT * FROM crm_search(%s, %s::tsquery, NULL, 8)"


async def _board(world: World, _rng: random.Random) -> int:
    now = utcnow()
    async with unit_of_work(world.actor, now=now) as uow:
        found = await board.board(uow, world.pipeline_id)
    return len(json.dumps(cards.columns(found, world.actor, now), separators=(",", ":")).encode())


async def _board_raw(connection: AsyncConnection[Any], world: World, _rng: random.Random) -> None:
    await (await connection.execute(_CARDS, [world.tenant_id, world.pipeline_id])).fetchall()
    await (await connection.execute(_TOTALS, [world.tenant_id, world.stages])).fetchall()


async def _totals(world: World, _rng: random.Random) -> None:
    async with unit_of_work(world.actor) as uow:
        await board.stage_totals(uow, world.stages)


async def _totals_raw(connection: AsyncConnection[Any], world: World, _rng: random.Random) -> None:
    await (await connection.execute(_TOTALS, [world.tenant_id, world.stages])).fetchall()


async def _list(world: World, _rng: random.Random) -> int:
    async with unit_of_work(world.actor) as uow:
        page = await records.find(uow, OPPORTUNITY, sort="expected_close_on")
    return len(json.dumps(page.rows, default=str, separators=(",", ":")).encode())


async def _list_raw(connection: AsyncConnection[Any], world: World, _rng: random.Random) -> None:
    await (await connection.execute(_LIST, [world.tenant_id])).fetchall()


async def _rest_list(world: World, _rng: random.Random) -> int:
    return await rest.get(world, "/api/opportunities/", "sort=expected_close_on")


async def _read(world: World, rng: random.Random) -> int:
    async with unit_of_work(world.actor) as uow:
        page = await deal_page.page(uow, rng.choice(world.deals))
    return len(json.dumps(dict(page.values), default=str, separators=(",", ":")).encode())


async def _read_raw(connection: AsyncConnection[Any], world: World, rng: random.Random) -> None:
    await (await connection.execute(_READ, [world.tenant_id, rng.choice(world.deals)])).fetchall()


async def _create(world: World, rng: random.Random) -> None:
    async with unit_of_work(world.actor) as uow:
        values = {
            "name": "New deal", "account_id": rng.choice(world.accounts), "amount_minor": 100_000,
            "expected_close_on": uow.today + timedelta(days=30), "stage_id": rng.choice(world.stages),
        }  # fmt: skip
        await records.create(uow, OPPORTUNITY, values)


async def _create_raw(connection: AsyncConnection[Any], world: World, rng: random.Random) -> None:
    key = new_id()
    await connection.execute(
        _CREATE,
        [world.tenant_id, key, f"R-{key}", rng.choice(world.accounts), world.actor.user_id, world.pipeline_id,
         rng.choice(world.stages), -rng.random() * 1e6],
    )  # fmt: skip


async def _move(world: World, rng: random.Random) -> None:
    async with unit_of_work(world.actor) as uow:
        await drops.move(uow, new_id(), [rng.choice(world.deals)], to_stage_id=rng.choice(world.stages))


async def _move_raw(connection: AsyncConnection[Any], world: World, rng: random.Random) -> None:
    place = -rng.random() * 1e9
    await connection.execute(_MOVE, [rng.choice(world.stages), place, world.tenant_id, rng.choice(world.deals)])


async def _search(world: World, rng: random.Random) -> None:
    async with unit_of_work(world.actor) as uow:
        await finding.search(uow, rng.choice(world.words)[:4], limit=6)


async def _search_raw(connection: AsyncConnection[Any], world: World, rng: random.Random) -> None:
    word = rng.choice(world.words)[:4].lower()
    await connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(world.tenant_id)])
    for kind in finding.KINDS:
        await (await connection.execute(_SEARCH, [kind, f"{word}:*"])).fetchall()


OPERATIONS = (
    Operation("board", _board, _board_raw, 6, "33 / 80"),
    Operation("list of 50", _list, _list_raw, 3, "7 / 24"),
    Operation("REST list of 50", _rest_list, _list_raw, 4, "7 / -"),
    Operation("read a deal", _read, _read_raw, 2.5, "5 / 5"),
    Operation("pipeline totals", _totals, _totals_raw, 2, "10 / 56"),
    Operation("search", _search, _search_raw, 5, "6 / 7"),
    Operation("create", _create, _create_raw, 5, "14 / 25"),
    Operation("move", _move, _move_raw, 5, "9.5 / 9"),
)
