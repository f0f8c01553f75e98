"""Files over REST: a table as the body of a request, imported by the same engine as on the import page."""

import asyncio
from typing import Any
from uuid import UUID

import orjson

from crm_app.api.rest import queries
from crm_app.api.rest.answers import Answer, answer
from crm_app.api.rest.calls import Call
from crm_app.api.rest.entities import entity_of
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity
from crm_app.services.platform.imports import guided, planning, reverting, suggesting, writing
from crm_app.services.platform.imports.guided import Choices
from crm_app.services.platform.imports.mapping import ImportMapping
from crm_app.services.platform.imports.report import Report
from crm_app.store import uploads
from crm_app.store.uow import unit_of_work

_PARAMETERS = ("name", "mode", "dry_run", "columns", "constants", "create_missing", "by_email")
_MODES = ("create", "upsert")
_SHOWN = 200  # problems that are told one by one


async def receive(call: Call) -> Answer:
    """POST /api/<plural>/import/?name=contacts.csv with the file as body."""
    params = call.request.query_params
    queries.only(params, _PARAMETERS)
    dry_run, mode = params.get("dry_run", "false"), params.get("mode", "create")
    if dry_run not in ("true", "false"):
        raise Invalid(dry_run="must be true or false")
    if mode not in _MODES:
        raise Invalid(mode=f"must be {' or '.join(_MODES)}")
    async with call.work() as uow:
        entity = await entity_of(uow, call.segments[0])
        uow.require(f"{entity.name}.import")
    name = params.get("name") or f"{entity.slug}.csv"
    upload = await uploads.spool(call.actor, name, call.request.stream(), endings=guided.ENDINGS)
    try:
        mapping = await _mapping(call, entity, upload, update=mode == "upsert")
        return await _done(call, mapping, upload, is_dry=dry_run == "true")
    finally:
        await asyncio.to_thread(uploads.discard, call.actor, upload.id)


async def _mapping(call: Call, entity: Entity, upload: uploads.Upload, *, update: bool) -> ImportMapping:
    """Columns as the request says, else as their headings do."""
    seen = await asyncio.to_thread(guided.look, upload.path)
    fields = suggesting.fields_for(call.actor, entity)
    columns = _texts(call, "columns")
    if not columns:
        likely = suggesting.suggest(entity, fields, [c.heading for c in seen.columns])
        columns = {heading: found.field for heading, found in likely.items() if found.field}
    known = {f.name for f in fields}
    if unknown := next((n for n in columns.values() if n not in known and not n.startswith("custom.")), ""):
        raise Invalid(
            columns=f"'{unknown[:100]}' is no field that a file may fill; known are {', '.join(sorted(known))}"
        )
    choices = Choices(
        entity=entity.name,
        columns=columns,
        constants=_texts(call, "constants"),
        create_missing=_links(call, entity, "create_missing"),
        by_email=_links(call, entity, "by_email"),
        update=update,
    )
    return guided.mapping_of(upload.path.name, choices)


async def _done(call: Call, mapping: ImportMapping, upload: uploads.Upload, *, is_dry: bool) -> Answer:
    folder = upload.path.parent
    if is_dry:
        async with call.work() as uow:
            report = await guided.check(uow, mapping, folder)
        return answer(_told(mapping, report, dry_run=True, batch_id=None))
    async with unit_of_work(writing.importer(call.actor), silent=True) as uow:
        plan = await planning.plan(uow, mapping, folder)
        outcome = await writing.run(uow, plan)
    return answer(_told(mapping, outcome.report, dry_run=False, batch_id=outcome.batch_id), 201)


def _told(mapping: ImportMapping, report: Report, *, dry_run: bool, batch_id: UUID | None) -> dict[str, Any]:
    step, others = report.steps[-1], report.steps[:-1]
    problems = [
        {"row": p.row, "column": p.column, "message": p.message, "remedy": guided.remedy(p)}
        for each in report.steps
        for p in each.problems[:_SHOWN]
    ]
    return {
        "dry_run": dry_run,
        "batch_id": batch_id,
        "rows": step.rows,
        "created": step.new,
        "updated": step.updated,
        "unchanged": step.unchanged,
        "duplicates": step.duplicates,
        "rejected": step.rejected,
        "related": {s.entity: s.new for s in others if s.is_related and s.new},
        "columns": dict(mapping.steps[-1].columns),
        "problems": problems[:_SHOWN],
    }


async def take_back(call: Call) -> Answer:
    """POST /api/imports/<id>/revert/."""
    queries.only(call.request.query_params, ())
    batch_id = call.id()
    async with unit_of_work(writing.importer(call.actor), silent=True) as uow:
        done = await reverting.revert(uow, batch_id)
    told = {"batch_id": batch_id, "removed": done.removed, "restored": done.restored, "kept": done.kept_count}
    return answer(told)


def _texts(call: Call, name: str) -> dict[str, str]:
    """A parameter that is a JSON object of texts."""
    text = call.request.query_params.get(name)
    if text is None:
        return {}
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(**{name: f"is not JSON: {error}"}) from error
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise Invalid(**{name: 'must be a JSON object of texts, such as {"Company": "name"}'})
    return given


def _links(call: Call, entity: Entity, name: str) -> frozenset[str]:
    names = frozenset(queries.names_in(name, call.request.query_params.get(name)))
    if unknown := sorted(n for n in names if n not in entity.fields or not entity.fields[n].target):
        raise Invalid(**{name: f"'{unknown[0][:100]}' is no link of this record"})
    return names
