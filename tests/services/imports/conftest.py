"""Helpers of the import tests: a mapping and files in, a plan or a finished import out."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crm_app.core.context import Actor
from crm_app.core.registry import Entity
from crm_app.services.platform.imports import planning, reverting, writing
from crm_app.services.platform.imports.mapping import ImportMapping, load_mapping, read_mapping
from crm_app.services.platform.imports.planning import Plan
from crm_app.services.platform.imports.report import StepReport
from crm_app.services.platform.imports.reverting import Reverted
from crm_app.services.platform.imports.writing import Outcome
from crm_app.store.databases import DatabaseUrls
from crm_app.store.uow import unit_of_work

ROOT = Path(__file__).parents[3]
MAVEN_MAPPING = ROOT / "docs" / "how-to" / "maven-crm.yaml"
# What an import leaves behind on purpose: its own record, and the audit log, which forgets nothing.
_TRACES = {"audit_log", "audit_seal", "import_batch", "imported_rows"}


class Importing:
    """One actor's imports, with the files in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mapping(
        self,
        text: str,
        files: Mapping[str, str | bytes] | None = None,
        entities: Mapping[str, Entity] | None = None,
    ) -> ImportMapping:
        for name, content in (files or {}).items():
            data = content if isinstance(content, bytes) else content.encode()
            (self.folder / name).write_bytes(data)
        return read_mapping(text, entities=entities)

    async def plan(self, actor: Actor, mapping: ImportMapping, folder: Path | None = None) -> Plan:
        async with unit_of_work(writing.importer(actor)) as uow:
            return await planning.plan(uow, mapping, folder or self.folder)

    async def run(self, actor: Actor, plan: Plan) -> Outcome:
        async with unit_of_work(writing.importer(actor), silent=True) as uow:
            return await writing.run(uow, plan)

    async def bring_in(self, actor: Actor, text: str, files: Mapping[str, str | bytes] | None = None) -> Outcome:
        return await self.run(actor, await self.plan(actor, self.mapping(text, files)))

    async def revert(self, actor: Actor, outcome: Outcome) -> Reverted:
        async with unit_of_work(writing.importer(actor), silent=True) as uow:
            return await reverting.revert(uow, outcome.batch_id)


@pytest.fixture
def importing(tmp_path: Path) -> Importing:
    return Importing(tmp_path)


@pytest.fixture
def maven() -> ImportMapping:
    return load_mapping(MAVEN_MAPPING)


def step_named(plan: Plan, name: str) -> StepReport:
    return next(s for s in plan.report.steps if s.name == name)


def told(report: StepReport) -> list[str]:
    return [str(p) for p in report.problems]


Dump = Callable[[Actor], Awaitable[dict[str, list[dict[str, Any]]]]]


@pytest.fixture
def dump(database: DatabaseUrls) -> Dump:
    """Every row of the actor's workspace, by table, but for the traces of imports."""

    async def read(actor: Actor) -> dict[str, list[dict[str, Any]]]:
        async with await psycopg.AsyncConnection.connect(database.owner) as connection:
            cursor = await connection.execute(
                "SELECT c.table_name FROM information_schema.columns c JOIN pg_class p ON p.relname = c.table_name"
                " WHERE c.column_name = 'tenant_id' AND c.table_schema = 'public' AND NOT p.relispartition"
            )
            tables = sorted({r[0] for r in await cursor.fetchall()} - _TRACES)
            found = {}
            for table in tables:
                query = f"SELECT to_jsonb(t) - 'search_text' FROM {table} t WHERE tenant_id = %s ORDER BY t::text"
                found[table] = [r[0] for r in await (await connection.execute(query, [actor.tenant_id])).fetchall()]  # type: ignore[arg-type]
        return found

    return read
