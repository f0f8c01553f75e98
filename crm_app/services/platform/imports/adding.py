"""A file joins the import: its sheets are looked at, its entity and columns recognised, its values matched."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from crm_app.core.context import Actor
from crm_app.core.errors import Invalid
from crm_app.core.registry import CUSTOM, Entity, FieldSpec, Kind
from crm_app.models.base import new_id
from crm_app.services.platform import custom_fields, schema
from crm_app.services.platform.imports import jobs, keeping, matching, outline, presets, profiles, suggesting
from crm_app.services.platform.imports.jobs import JobView
from crm_app.services.platform.imports.outline import Source
from crm_app.services.platform.imports.reading import FileHints, SourceTable, sheets_of
from crm_app.services.platform.imports.suggesting import Sureness
from crm_app.store.uow import UnitOfWork, unit_of_work

_SAMPLES = 3
_CHOICES = 50  # different texts that become choices of a new field
_LOOKED_AT = 2_000  # rows in which a column is taken for empty


async def add_file(actor: Actor, job_id: UUID, path: Path, *, entity: str = "") -> JobView:
    """All sheets of an upload that has arrived; `entity` where the person said what it holds. Invalid when it is no
    table; then nothing is added."""
    upload = path.parent.name
    tables = await asyncio.to_thread(_tables, path)
    several = len(tables) > 1
    async with unit_of_work(actor) as uow:
        allowed = jobs.allowed(actor)
        found = [await _recognised(uow, allowed, _source(t, upload, path.name, s, several), entity) for s, t in tables]

        def add(document: outline.Document) -> outline.Document:
            for one in found:
                document = outline.put(document, one)
            return document

        return await jobs.change(uow, job_id, add)


def _tables(path: Path) -> list[tuple[str, SourceTable]]:
    """Sheet by sheet, without empty ones; one without a name where the file has no sheets."""
    names = sheets_of(path)
    if len(names) < 2:
        return [("", keeping.table(path))]
    tables = [(n, keeping.table(path, FileHints(sheet=n))) for n in names]
    return [(n, t) for n, t in tables if t.frame.height] or tables[:1]


def _source(table: SourceTable, upload: str, file: str, sheet: str, several: bool) -> Source:
    columns = []
    for heading in table.columns:
        values = table.frame[heading].drop_nulls()
        samples = values.head(200).unique(maintain_order=True).head(_SAMPLES).to_list()
        columns.append({"heading": heading, "samples": [str(s)[:80] for s in samples], "filled": len(values)})
    rows, note = table.frame.height + len(table.ragged), "; ".join(table.notes)
    return outline.source(new_id().hex, upload, file, sheet if several else "", rows, note, columns)


async def _recognised(uow: UnitOfWork, allowed: list[str], one: Source, entity: str) -> Source:
    headings, entities = outline.headings(one), await schema.entities_of(uow)
    profile = profiles.recognise(headings)
    if profile is not None and profile.entity in allowed and entity in ("", profile.entity):
        one = outline.as_profile(one, profile, _fields(uow.actor, entities[profile.entity]))
    else:
        chosen = entity if entity in allowed else _likeliest(uow.actor, [entities[n] for n in allowed], one)
        one = outline.as_suggested(one, chosen, _suggested(uow.actor, entities[chosen], one))
        one = await presets.remembered(uow, one)
    return await matching.match(uow, one)


def _fields(actor: Actor, entity: Entity) -> dict[str, FieldSpec]:
    return {f.name: f for f in suggesting.fields_for(actor, entity)}


def _suggested(actor: Actor, entity: Entity, one: Source) -> Mapping[str, suggesting.Suggestion]:
    return suggesting.suggest(entity, suggesting.fields_for(actor, entity), outline.headings(one))


def _likeliest(actor: Actor, allowed: list[Entity], one: Source) -> str:
    """The entity most of whose fields the headings name; the name of file or sheet counts as much as three of them."""
    said = suggesting.plain(outline.name_of(one))

    def points(entity: Entity) -> float:
        name = entity.name
        likely = _suggested(actor, entity, one).values()
        exact = sum(1.0 if s.sureness is Sureness.exact else 0.5 if s.field else 0.0 for s in likely)
        names = (suggesting.plain(entity.plural), suggesting.plain(entity.label), *_BY_NAMES.get(name, ()))
        required = {f.name for f in entity.fields.values() if f.required and f.name not in ("owner_id", "currency")}
        missing = len(required - {s.field for s in likely})
        return exact + (3 if any(n in said for n in names) else 0) - 0.5 * missing

    return max(allowed, key=points).name


_BY_NAMES = {
    "account": ("companies", "customers", "firmen", "organizations", "kunden"),
    "contact": ("people", "persons", "kontakte", "leads"),
    "opportunity": ("deals", "pipeline", "chancen"),
    "activity": ("tasks", "calls", "meetings", "events"),
    "product": ("items", "artikel"),
    "user": ("salesteams", "agents"),
}


async def choose_entity(uow: UnitOfWork, job_id: UUID, key: str, entity: str) -> JobView:
    """Another entity for a file or sheet: its columns are matched anew."""
    allowed = jobs.allowed(uow.actor)
    job = await jobs.read(uow, job_id)
    one = await _recognised(uow, allowed, outline.find(job.document, key), entity if entity in allowed else allowed[0])
    return await jobs.change(uow, job_id, lambda document: outline.put(document, one))


async def add_field(uow: UnitOfWork, job_id: UUID, key: str, heading: str, *, label: str, kind: str) -> JobView:
    """A field of the workspace's own for a column that has none; of a choice the texts of the file are the choices."""
    job = await jobs.read(uow, job_id)
    one = outline.find(job.document, key)
    if heading not in outline.headings(one):
        raise Invalid(column="is not in the file")
    choices = []
    if kind in (Kind.choice, Kind.choices):
        texts = await matching.texts_of(uow, one, heading)
        if len(texts) > _CHOICES:
            raise Invalid(kind=f"has {len(texts)} different texts in the file; {_CHOICES} choices are the most")
        choices = [{"label": t} for t in texts]
    made = await custom_fields.create(
        uow, one["entity"], label=label, kind=kind, choices=choices, although_similar=True
    )  # fmt: skip
    name = f"{CUSTOM}{made.key}"
    return await jobs.change(
        uow, job_id, lambda d: outline.put(d, outline.set_field(outline.find(d, key), heading, name))
    )
