"""The import wizard as the page drives it, without the page."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from crm_app.core.context import Actor
from crm_app.services.platform.imports import adding, guided, jobs, outline
from crm_app.services.platform.imports.jobs import JobView
from crm_app.store import uploads
from crm_app.store.uow import unit_of_work
from tests.work import work_off


async def _bytes(content: bytes) -> Any:
    yield content


@dataclass
class Wizard:
    actor: Actor
    job_id: UUID

    async def add(self, name: str, content: str | bytes, *, entity: str = "") -> JobView:
        data = content if isinstance(content, bytes) else content.encode()
        kept = await uploads.spool(self.actor, name, _bytes(data), endings=guided.ENDINGS)
        return await adding.add_file(self.actor, self.job_id, kept.path, entity=entity)

    async def add_path(self, path: Path) -> JobView:
        return await self.add(path.name, await asyncio.to_thread(path.read_bytes))

    async def job(self) -> JobView:
        async with unit_of_work(self.actor) as uow:
            return await jobs.read(uow, self.job_id)

    async def source(self, number: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = (await self.job()).document["sources"][number]
        return found

    async def edit(self, change: Callable[[dict[str, Any]], dict[str, Any]], number: int = 0) -> JobView:
        async with unit_of_work(self.actor) as uow:
            return await jobs.change(
                uow, self.job_id, lambda d: outline.put(d, change(d["sources"][number]))
            )  # fmt: skip

    async def check(self) -> JobView:
        async with unit_of_work(self.actor) as uow:
            await jobs.check(uow, self.job_id)
        await work_off()
        return await self.job()

    async def run(self) -> JobView:
        async with unit_of_work(self.actor) as uow:
            await jobs.run(uow, self.job_id)
        await work_off()
        return await self.job()


async def wizard_of(actor: Actor) -> Wizard:
    async with unit_of_work(actor) as uow:
        return Wizard(actor, (await jobs.start(uow)).id)
