"""What was changed in the fields of a record, latest first: the tab History of its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core.context import Actor
from crm_app.core.registry import Entity
from crm_app.services.platform import history
from crm_app.services.platform.history import History, Mark
from crm_app.services.platform.schema import entity_of
from crm_app.state.base import AppState, internal
from crm_app.state.platform.fields import currency_of, day_and_time, told
from crm_app.state.record_parts import opens_with_record
from crm_app.store.uow import UnitOfWork, unit_of_work

_PAGE = 30
_NO_NEWS = frozenset({"version", "updated_at", "updated_by_id", "created_at", "created_by_id"})


@dataclass(frozen=True)
class ChangeView:
    """One field from one value to another; `who` stands at the first of those that were changed in one go."""

    id: str
    field: str
    old: str
    new: str
    who: str
    when: str


class RecordHistory(AppState):
    """Read when somebody looks at it, and anew while they do."""

    changes: list[ChangeView] = []
    has_older: bool = False
    is_read: bool = False
    _entity_name: str = ""
    _record: str = ""
    _mark: Mark | None = None
    _is_wanted: bool = False
    _around: dict[str, Any] = {}

    @internal
    async def open(self, uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> None:
        """The record of the page; what of it was read already is read anew."""
        self._around = dict(values)
        if (self._entity_name, self._record) != (entity.name, str(values["id"])):
            self._entity_name, self._record, self._mark = entity.name, str(values["id"]), None
            self.changes, self.has_older, self.is_read = [], False, False
        if self._is_wanted:
            await self._read(uow, entity, limit=max(_PAGE, len(self.changes)))

    @rx.event
    async def shown(self, tab: str):
        """A tab of the page was opened; this one, or another."""
        self._is_wanted = tab == "history"
        if not self._is_wanted or self.is_read or not self._record:
            return
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            entity = await entity_of(uow, self._entity_name)
            await uow.get(entity.model, UUID(self._record))
            await self._read(uow, entity, limit=_PAGE)

    async def _read(self, uow: UnitOfWork, entity: Entity, *, limit: int) -> None:
        found = await history.of_record(uow, entity, UUID(self._record), without=_NO_NEWS, limit=limit)
        fresh = _views(found, self._around, uow.actor, uow.now)
        if fresh != self.changes:
            self.changes = fresh
        self._mark, self.has_older, self.is_read = found.after, found.after is not None, True

    @rx.event
    async def older(self):
        """The page below."""
        if self._mark is None:
            return
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            entity = await entity_of(uow, self._entity_name)
            await uow.get(entity.model, UUID(self._record))
            found = await history.of_record(
                uow, entity, UUID(self._record), without=_NO_NEWS, before=self._mark, limit=_PAGE
            )
            self.changes = [*self.changes, *_views(found, self._around, actor, uow.now)]
        self._mark, self.has_older = found.after, found.after is not None


def _views(found: History, values: Mapping[str, Any], actor: Actor, now: Any) -> list[ChangeView]:
    views, before = [], None
    for change in found.changes:
        currency = currency_of(change.spec, values, actor)
        is_first = change.entry_id != before
        before = change.entry_id
        views.append(
            ChangeView(
                id=f"{change.entry_id}.{change.spec.name}",
                field=change.spec.label,
                old=told(change.spec, change.old, found, actor, currency),
                new=told(change.spec, change.new, found, actor, currency),
                who=(change.user_name or change.source) if is_first else "",
                when=day_and_time(change.at, actor, now) if is_first else "",
            )
        )
    return views


@opens_with_record()
async def _opened(page: AppState, uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> None:
    await (await page.get_state(RecordHistory)).open(uow, entity, values)
