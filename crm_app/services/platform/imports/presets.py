"""Matchings of columns that were kept under a name, for the next file of the same kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import Invalid
from crm_app.core.registry import FieldSpec
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.imports import ImportPreset
from crm_app.services.platform import schema
from crm_app.services.platform.imports import jobs, outline
from crm_app.services.platform.imports.outline import Source
from crm_app.services.platform.imports.suggesting import plain
from crm_app.store.uow import UnitOfWork

_presets = table_of(ImportPreset)
_KEPT = ("values", "constants", "templates", "options", "id_column", "foreign", "doubles")


@dataclass(frozen=True, slots=True)
class Preset:
    id: UUID
    name: str
    entity: str
    matched: int


async def listed(uow: UnitOfWork, entity: str) -> list[Preset]:
    """Those of the workspace for an entity, by name."""
    jobs.allowed(uow.actor)
    query = sa.select(ImportPreset).where(_presets.c.entity == entity).order_by(_presets.c.name)
    return [Preset(p.id, p.name, p.entity, len(p.document["fields"])) for (p,) in await uow.rows(query)]


async def save(uow: UnitOfWork, one: Source, name: str) -> Preset:
    """Keep how this file is matched; one of the same name is replaced."""
    allowed = jobs.allowed(uow.actor)
    if one["entity"] not in allowed:
        uow.require(f"{one['entity']}.import")
    title = " ".join(name.split())[:80]
    if not title:
        raise Invalid(name="is required")
    document: dict[str, Any] = {n: one[n] for n in _KEPT}
    document["doubles"] = {**one["doubles"], "rows": {}}
    document["fields"] = {plain(h): f for f, h in outline.filled(one).items()}
    query = sa.select(ImportPreset).where(_presets.c.entity == one["entity"], _presets.c.name == title)
    preset: ImportPreset | None = await uow.scalar(query)
    if preset is None:
        preset = ImportPreset(id=new_id(), entity=one["entity"], name=title)
        uow.add(preset)
    preset.document, preset.headings = document, sorted(plain(h) for h in outline.headings(one))
    preset.user_id, preset.updated_at = uow.actor.user_id, uow.now
    await uow.flush()
    return Preset(preset.id, title, preset.entity, len(document["fields"]))


async def remove(uow: UnitOfWork, preset_id: UUID) -> None:
    jobs.allowed(uow.actor)
    preset = await uow.get(ImportPreset, preset_id)
    uow.require(f"{preset.entity}.import")
    await uow.execute(sa.delete(ImportPreset).where(_presets.c.id == preset_id))


async def apply(uow: UnitOfWork, one: Source, preset_id: UUID) -> Source:
    """The file matched as the preset says, as far as it has the columns."""
    jobs.allowed(uow.actor)
    preset = await uow.get(ImportPreset, preset_id)
    return _applied(one, preset, outline.fields_of(await schema.entity_of(uow, one["entity"])))


async def remembered(uow: UnitOfWork, one: Source) -> Source:
    """Matched as the latest preset for exactly these columns, if there is one."""
    jobs.allowed(uow.actor)
    headings = sorted(plain(h) for h in outline.headings(one))
    query = (
        sa.select(ImportPreset)
        .where(
            _presets.c.entity == one["entity"],
            _presets.c.headings == sa.type_coerce(headings, _presets.c.headings.type),
        )
        .order_by(_presets.c.updated_at.desc())
        .limit(1)
    )
    preset = await uow.scalar(query)
    if preset is None:
        return one
    return _applied(one, preset, outline.fields_of(await schema.entity_of(uow, one["entity"])))


def _applied(one: Source, preset: ImportPreset, known: Mapping[str, FieldSpec]) -> Source:
    fields = preset.document["fields"]
    columns = []
    for column in one["columns"]:
        field = fields.get(plain(column["heading"]), "")
        columns.append({**column, "field": field if field in known else "", "sure": "preset" if field in known else ""})
    kept = {n: preset.document[n] for n in _KEPT}
    headings = set(outline.headings(one))
    kept["templates"] = {n: t for n, t in kept["templates"].items() if set(t) <= headings}
    kept["id_column"] = kept["id_column"] if kept["id_column"] in headings else ""
    return {**one, **kept, "columns": columns, "system": f"matching {preset.name}"}
