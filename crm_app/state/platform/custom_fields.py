"""Settings, Fields: which fields records have, those of the workspace's own in their order, and what was put away."""

from collections.abc import Mapping
from typing import Any

import reflex as rx

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.dates import show_date
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.services.platform import custom_fields, field_settings, schema
from crm_app.services.platform.custom_fields import FORMULA, KINDS
from crm_app.state.base import AppState, id_of, internal, notice_action
from crm_app.store.uow import unit_of_work

_NEVER = frozenset({"id", "version", "created_at", "created_by_id", "updated_at", "updated_by_id"})
_WORDS = {**KINDS, Kind.json: "List"}


class CustomFieldsState(AppState):
    """The address says whose fields are shown (?e=)."""

    entity: str = "account"
    entities: list[dict[str, Any]] = []
    entity_label: str = ""
    own: list[dict[str, Any]] = []
    declared: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    said: str = ""  # for screen readers, after something moved
    is_loaded: bool = False

    @rx.event
    async def load(self):
        asked = str(self.router.url.query_parameters.get("e", ""))
        known = [e.name for e in custom_fields.entities()]
        self.entity, self.said = asked if asked in known else known[0], ""
        with self.telling():
            await self.read()
        self.is_loaded = True

    @internal
    async def read(self) -> None:
        """The page anew."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            seen = await schema.entities_of(uow)
            own = await custom_fields.listed(uow, self.entity)
            gone = await custom_fields.listed(uow, self.entity, deleted=True)
        entity = seen[self.entity]
        self.entity_label = entity.plural
        self.entities = [
            {"label": e.plural, "href": f"/settings/fields?e={e.name}", "here": e.name == self.entity}
            for e in custom_fields.entities()
        ]
        self.own = [_own(r, i, len(own), entity) for i, r in enumerate(own)]
        self.gone = [{**_own(r, 0, 0, entity), "when": show_date(actor.day_of(r["deleted_at"]))} for r in gone]
        self.declared = [_declared(s, entity) for n, s in entity.fields.items() if not s.custom and n not in _NEVER]

    @rx.event
    async def move(self, field_id: str, by: int):
        """One place up (-1) or down (1)."""
        actor = await self.actor()
        ids = [f["id"] for f in self.own]
        if field_id not in ids:
            return
        rest = [i for i in ids if i != field_id]
        place = min(max(ids.index(field_id) + by, 0), len(rest))
        rest.insert(place, field_id)
        with self.telling():
            async with unit_of_work(actor) as uow:
                await custom_fields.reorder(uow, self.entity, [id_of(i, "field_id") for i in rest])
            await self.read()
            self.said = f"{self.own[place]['label']}, position {place + 1} of {len(self.own)}"

    @rx.event
    async def restore(self, field_id: str):
        """Out of the trash."""
        actor: Actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                field = await custom_fields.restore(uow, id_of(field_id, "field_id"))
            self.notify(f"{field.label} is back, with its values")
            await self.read()


def _own(row: Mapping[Any, Any], place: int, count: int, entity: Entity) -> dict[str, Any]:
    filled = row["filled"]
    return {
        "id": str(row["id"]),
        "name": f"custom.{row['key']}",
        "label": row["label"],
        "kind": FORMULA if row["formula"] else row["kind"],
        "words": KINDS[FORMULA] if row["formula"] else _WORDS[Kind(row["kind"])],
        "help": row["help"],
        "section": row["section"],
        "required": row["required"],
        "choices": [dict(c) for c in row["choices"]],
        "target": row["target"],
        "formula": custom_fields.told(entity, row["formula"]),
        "filled": "" if row["formula"] else f"{filled:,}".replace(",", "\u202f"),
        "place": f"position {place + 1} of {count}",
        "is_first": place == 0,
        "is_last": place == count - 1,
    }


def _declared(spec: FieldSpec, entity: Entity) -> dict[str, Any]:
    """A field that every workspace has, as this one shows it."""
    known = registry.get(entity.name).fields[spec.name]
    is_set = spec.name in registry.get(entity.name).readonly
    takes = field_settings.has_choices(known)
    return {
        "id": "",
        "name": spec.name,
        "label": spec.label,
        "was": known.label,
        "words": _WORDS[spec.kind],
        "required": spec.required,
        "always": known.required or is_set,  # nothing to be decided about asking for it
        "is_set": is_set,
        "takes": takes and not is_set,
        "free": takes and not known.choices,
        "choices": [{"value": c.value, "label": c.label, "color": c.color} for c in spec.choices],
    }


notice_action("restore_field", CustomFieldsState.restore)
