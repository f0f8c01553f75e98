"""Which columns a list shows, in which order, how close together."""

from dataclasses import replace
from typing import Any

import reflex as rx

from crm_app.core.registry import Entity, Kind
from crm_app.core.views import DENSITIES, View, columns_of
from crm_app.services.platform import lists
from crm_app.state.base import AppState
from crm_app.state.lists import RecordList
from crm_app.store.uow import unit_of_work

_NEVER = frozenset({"id", "version"})


class ListColumns(AppState):
    """`choices` are {"name", "label", "on", "fixed", "first", "last"}: those shown first, in their order."""

    choices: list[dict[str, Any]] = []

    async def _now(self) -> tuple[RecordList, View, Entity]:
        shown = await self.get_state(RecordList)
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            entity = await lists.entity_of(uow, shown._entity)
        return shown, shown._view, entity

    @rx.event
    async def ask(self):
        """The popover opens."""
        _, view, entity = await self._now()
        await self._offer(view, entity)

    async def _offer(self, view: View, entity: Entity) -> None:
        hidden = (await self.actor()).hidden_fields
        shown = list(columns_of(view, entity))
        rest = sorted(
            (n for n, s in entity.fields.items() if n not in shown and n not in _NEVER and s.kind is not Kind.json),
            key=lambda n: entity.fields[n].label,
        )
        self.choices = [
            {
                "name": n,
                "label": entity.fields[n].label,
                "on": n in shown,
                "fixed": n == entity.title,
                "first": k == 1,
                "last": k == len(shown) - 1,
            }
            for k, n in enumerate([*shown, *rest])
            if f"{entity.name}.{n}" not in hidden
        ]

    async def _set(self, columns: list[str]) -> Any:
        shown, view, entity = await self._now()
        usual = tuple(columns) == columns_of(replace(view, columns=()), entity)
        changed = replace(view, columns=() if usual else tuple(columns))
        await self._offer(changed, entity)
        return shown.to(changed)

    @rx.event
    async def toggle(self, name: str):
        """Show a column, as the last one, or no longer."""
        _, view, entity = await self._now()
        names = list(columns_of(view, entity))
        if name not in entity.fields or name == entity.title:
            return None
        return await self._set([n for n in names if n != name] if name in names else [*names, name])

    @rx.event
    async def move(self, name: str, by: int):
        """One place to the left (-1) or to the right (1)."""
        _, view, entity = await self._now()
        names = list(columns_of(view, entity))
        if name not in names or name == entity.title or by not in (-1, 1):
            return None
        here = names.index(name)
        there = max(1, min(len(names) - 1, here + by))
        names.insert(there, names.pop(here))
        return await self._set(names)

    @rx.event
    async def as_usual(self):
        """The columns of the declaration."""
        shown, view, _ = await self._now()
        return shown.to(replace(view, columns=shown._base.columns))

    @rx.event
    async def set_density(self, density: str):
        if density not in DENSITIES:
            return None
        shown, view, _ = await self._now()
        return shown.to(replace(view, density=density))
