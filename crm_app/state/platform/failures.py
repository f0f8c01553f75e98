"""Settings, Failed jobs: what waits for a decision, kept up to date while it is looked at."""

from datetime import datetime
from typing import Any

import reflex as rx

from crm_app.core import registry
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.dates import show_ago
from crm_app.services.platform import failures
from crm_app.services.platform.failures import Failure
from crm_app.state.base import AppState, id_of
from crm_app.state.live import next_batch
from crm_app.state.presence import BEAT
from crm_app.store.live import Message, Resync, hub
from crm_app.store.uow import unit_of_work


class FailuresState(AppState):
    """The page's lines."""

    failures: list[dict[str, Any]] = []
    is_loaded: bool = False

    @rx.event
    async def load(self):
        return FailuresState.watch

    @rx.event(background=True)
    async def watch(self):
        async with self:
            actor, token = await self.actor(), self.router.session.client_token
        with hub.subscribe(actor.tenant_id, f"failures:{token}") as messages:
            async with self:
                await self._read(actor)
            while (batch := await next_batch(messages, BEAT)) is not None:
                async with self:
                    actor = await self.actor()
                    if any(_concerns(m) for m in batch):
                        await self._read(actor)

    async def _read(self, actor: Actor) -> None:
        now = utcnow()
        with self.telling():
            async with unit_of_work(actor, now=now) as uow:
                found = await failures.listed(uow)
            self.failures = [_line(f, now, actor.time_zone) for f in found]
        self.is_loaded = True

    @rx.event
    async def retry(self, failure_id: str):
        """Once more; without an id all of them."""
        await self._decide(failure_id, is_again=True)

    @rx.event
    async def dismiss(self, failure_id: str):
        """Put aside; without an id all of them."""
        await self._decide(failure_id, is_again=False)

    async def _decide(self, failure_id: str, *, is_again: bool) -> None:
        actor = await self.actor()
        with self.telling():
            ids = [id_of(failure_id, "failure_id")] if failure_id else None
            async with unit_of_work(actor) as uow:
                done = await (failures.retry if is_again else failures.dismiss)(uow, ids)
            what = f"{done} job{'' if done == 1 else 's'}"
            if not done:
                self.notify("A colleague has dealt with this already")
            elif is_again:
                self.notify(f"{what} begin{'s' if done == 1 else ''} again; what fails once more comes back here")
            else:
                self.notify(f"{what} put aside; the audit log keeps who did it")
            await self._read(actor)


def _concerns(message: Message) -> bool:
    return isinstance(message, Resync) and (not message.entities or failures.TOPIC in message.entities)


def _line(failure: Failure, now: datetime, time_zone: str) -> dict[str, Any]:
    entity = registry.find(failure.entity)
    return {
        "id": str(failure.id),
        "what": failure.what,
        "why": failure.why,
        "record": failure.record,
        "href": f"/{entity.slug}/{failure.record_id}" if entity and failure.record_id else "",
        "since": show_ago(failure.since, now, time_zone),
        "attempts": failure.attempts,
        "error": failure.error,
    }
