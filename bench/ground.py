"""A scratch installation with a workspace of many deals, brought in by the import engine."""

import base64
import os
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg_pool import AsyncConnectionPool

from crm_app import parts
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor, Source
from crm_app.models.base import new_id, table_of
from crm_app.models.people.users import User
from crm_app.models.sales.opportunities import Opportunity, OpportunityStatus
from crm_app.models.sales.pipelines import Pipeline, Stage, StageKind
from crm_app.services.people import actors, users
from crm_app.services.platform.imports import planning, writing
from crm_app.services.platform.imports.mapping import read_mapping
from crm_app.services.sales import workspaces
from crm_app.settings import settings
from crm_app.store import databases, migrations
from crm_app.store.engine import close_engine
from crm_app.store.uow import unit_of_work

PASSWORD = "a sentence of figures"
REPS = 8
CLIENTS = 16
_HEADS = (
    "Acme Alder Arbor Baltic Birch Boreal Cedar Cobalt Delta Ember Falcon Fjord Globex Granite"
    " Harbor Helio Initech Iris"
).split()
_TAILS = (
    "Foods Logistics Machines Metals Textiles Glass Pharma Energy Paper Marine Optics Timber Motors Retail Chemicals"
).split()
_WHAT = (
    "Warehouse control", "Voice picking", "Yard management", "Dock scheduling", "Traceability", "Support renewal",
    "Roll-out", "Spare parts",
)  # fmt: skip
_STAGES = ("Qualify", "Discovery", "Proposal", "Negotiation", "Contract")
_MAPPING = """
name: Figures
currency: EUR
steps:
  - {file: accounts.csv, entity: account, key: name, columns: {Name: name, Owner: owner, City: city}}
  - file: contacts.csv
    entity: contact
    columns: {First: first_name, Last: last_name, Mail: email, Account: account, Title: title, Phone: phone}
  - file: deals.csv
    entity: opportunity
    key: number
    columns:
      {No: number, Deal: name, Account: account, Owner: owner, Stage: stage, Value: amount, Closes: expected_close}
    if_empty: {actual_close: {field: expected_close}}
"""


@dataclass(frozen=True)
class World:
    """What operations choose from. `deals` are open ones, `stages` the open stages in their order."""

    tenant_id: UUID
    actor: Actor
    admin: Actor
    emails: list[str]
    pipeline_id: UUID
    stages: list[UUID]
    deals: list[UUID]
    accounts: list[UUID]
    words: list[str]


@contextmanager
def scratch() -> Iterator[None]:
    """An embedded PostgreSQL of its own, with the settings of the product, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="crm-bench-"))
    folder.chmod(0o711)  # the server may run under another account
    for name in [n for n in os.environ if n.startswith("CRM_") or n in ("DATABASE_URL", "REDIS_URL")]:
        del os.environ[name]
    os.environ |= {
        "CRM_ENV_FILE": "", "CRM_DATA_DIR": str(folder), "CRM_POOL_SIZE": "10",
        "CRM_SECRET_KEY": base64.b64encode(b"a key of figures, 32 bytes long.").decode(),
    }  # fmt: skip
    for cached in (settings, databases.embedded, databases.database_urls):
        cached.cache_clear()
    try:
        migrations.upgrade()
        yield
    finally:
        databases.embedded().stop()
        shutil.rmtree(folder, ignore_errors=True)


async def furnish(size: int, people: int = 0) -> tuple[World, dict[str, Any]]:
    """A workspace with `size` open deals and a quarter as many closed ones; and how fast they came in. With so many
    `people` as contacts, else two a company."""
    parts.load("models", "services", "handlers")
    founded = await workspaces.found(
        workspace="Figures", name="Ada Admin", email="admin@bench.example", password=PASSWORD, currency="EUR"
    )
    admin = await actors.actor_for(founded.tenant_id, founded.admin_id, source=Source.ui)
    emails = [f"rep{i}@bench.example" for i in range(REPS)]
    async with unit_of_work(admin, silent=True) as uow:
        hashed = (await uow.get(User, founded.admin_id)).password_hash
        reps = [
            await users.add(
                uow, name=f"Rep {i}", email=e, role_id=founded.roles["rep"], team_id=founded.team_id,
                password_hash=hashed,
            )
            for i, e in enumerate(emails)
        ]  # fmt: skip
    rng = random.Random(size)
    imported = await _bring_in(admin, size, people, rng)
    await _plan_activities(admin.tenant_id, rng)
    _tidy()
    actor = await actors.actor_for(founded.tenant_id, reps[0].id, source=Source.ui)
    return await _world(admin, actor, emails), imported


async def _bring_in(admin: Actor, size: int, people: int, rng: random.Random) -> dict[str, Any]:
    folder = Path(os.environ["CRM_DATA_DIR"]) / "files"
    folder.mkdir()
    _write_files(folder, size, people, rng)
    importer = writing.importer(admin)
    begun = time.perf_counter()
    async with unit_of_work(importer, silent=True) as uow:
        plan = await planning.plan(uow, read_mapping(_MAPPING), folder)
    planned = time.perf_counter()
    assert not plan.report.problems, plan.report.steps[-1].problems[:3]
    async with unit_of_work(importer, silent=True) as uow:
        outcome = await writing.run(uow, plan)
    done = time.perf_counter()
    return {
        "rows": outcome.created, "check_seconds": planned - begun, "write_seconds": done - planned,
        "rows_per_second": outcome.created / (done - begun), "written_per_second": outcome.created / (done - planned),
    }  # fmt: skip


def _write_files(folder: Path, size: int, people: int, rng: random.Random) -> None:
    companies = range(max(200, size // 20, people // 20))
    accounts = [f"{rng.choice(_HEADS)} {rng.choice(_TAILS)} {i:04d}" for i in companies]
    today = utcnow().date()
    with (folder / "accounts.csv").open("w") as file:
        file.write("Name,Owner,City\n" + "".join(f"{a},Rep {i % REPS},City {i % 97}\n" for i, a in enumerate(accounts)))
    with (folder / "contacts.csv").open("w") as file:
        file.write("First,Last,Mail,Account,Title,Phone\n")
        for i in range(people or 2 * len(accounts)):
            more = f"Job {i % 59},+43 732 {i:07d}" if people and i % 7 else ","
            account = accounts[i % len(accounts)]
            file.write(f"First{i % 83},Last{i % 211},contact{i}@bench.example,{account},{more}\n")
    with (folder / "deals.csv").open("w") as file:
        file.write("No,Deal,Account,Owner,Stage,Value,Closes\n")
        for i in range(size + size // 4):
            stage = rng.choices(_STAGES, (6, 5, 4, 3, 2))[0] if i < size else rng.choice(("Won", "Lost"))
            closes = today + timedelta(days=rng.randint(-15, 300) if i < size else -rng.randint(1, 600))
            file.write(
                f"B-{i:07d},{rng.choice(_WHAT)} {i},{rng.choice(accounts)},Rep {rng.randrange(REPS)},{stage},"
                f"{rng.randint(500, 400_000)},{closes}\n"
            )


async def _plan_activities(tenant_id: UUID, rng: random.Random) -> None:
    """Most open deals have a next step, some a late one; half were talked about. As the owner: it is scenery."""
    now = utcnow()
    async with await psycopg.AsyncConnection.connect(databases.database_urls().owner) as connection:
        await connection.execute("SELECT set_config('app.source', 'import', true)")
        cursor = await connection.execute(
            "SELECT id, account_id, owner_id FROM opportunity WHERE tenant_id = %s AND status = 'open'", [tenant_id]
        )
        deals = await cursor.fetchall()
        columns = (
            "tenant_id, id, created_at, updated_at, version, kind, subject, body, status, happens_at, outcome,"
            " location, next_steps, owner_id, opportunity_id, account_id"
        )
        async with connection.cursor() as writer, writer.copy(f"COPY activity ({columns}) FROM STDIN") as copy:
            for deal, account, owner in deals:
                for status, days in (("planned", rng.uniform(-3, 20)), ("done", -rng.uniform(1, 60))):
                    if rng.random() < (0.75 if status == "planned" else 0.5):
                        at = now + timedelta(days=days)
                        kind = rng.choice(("call", "email", "meeting"))
                        stamps = (tenant_id, new_id(), now, now, 1)
                        await copy.write_row(
                            (*stamps, kind, "Next step", "", status, at, "", "", "", owner, deal, account)
                        )
        await connection.execute("ANALYZE activity, opportunity")  # what follows joins by it
        await connection.execute(
            "UPDATE opportunity o SET next_activity_at = a.happens_at, next_activity_kind = a.kind,"
            " next_activity_subject = a.subject, health = CASE WHEN a.happens_at < now() OR o.expected_close_on <"
            " current_date THEN 'overdue' ELSE 'good' END FROM activity a WHERE a.tenant_id = o.tenant_id"
            " AND a.opportunity_id = o.id AND a.status = 'planned' AND o.tenant_id = %s",
            [tenant_id],
        )


def _tidy() -> None:
    with psycopg.connect(databases.database_urls().owner, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


async def _world(admin: Actor, actor: Actor, emails: list[str]) -> World:
    deals, stages, pipelines = table_of(Opportunity), table_of(Stage), table_of(Pipeline)
    async with unit_of_work(admin) as uow:
        pipeline_id = await uow.scalar(sa.select(pipelines.c.id))
        steps = sa.select(stages.c.id).where(stages.c.kind == StageKind.open).order_by(stages.c.position)
        found = sa.select(deals.c.id).where(deals.c.status == OpportunityStatus.open)
        accounts = sa.select(deals.c.account_id).distinct()
        return World(
            admin.tenant_id, actor, admin, emails, pipeline_id,
            [r[0] for r in await uow.rows(steps)], [r[0] for r in await uow.rows(found)],
            [r[0] for r in await uow.rows(accounts)], _HEADS,
        )  # fmt: skip


async def user_id_of(world: World, email: str) -> UUID:
    people = table_of(User)
    async with unit_of_work(world.admin) as uow:
        found: UUID = await uow.scalar(sa.select(people.c.id).where(people.c.email == email))
    return found


@asynccontextmanager
async def connections() -> AsyncIterator[AsyncConnectionPool]:
    """Plain psycopg connections as the owner: no row-level security, statements prepared at once."""
    pool = AsyncConnectionPool(
        databases.database_urls().owner, min_size=CLIENTS, max_size=CLIENTS, open=False,
        kwargs={"prepare_threshold": 0},
    )  # fmt: skip
    await pool.open(wait=True)
    try:
        yield pool
    finally:
        await pool.close()


async def leave() -> int:
    """Close the pool and throw away the jobs that the operations left, so that the browser meets an idle worker; how
    many they were."""
    await close_engine()
    async with await psycopg.AsyncConnection.connect(databases.database_urls().owner) as connection:
        return (await connection.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'")).rowcount
