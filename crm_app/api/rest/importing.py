"""Files over REST: a table as the body of a request, imported by the same engine as on the import page."""

import asyncio
from typing import Any

import orjson

from crm_app.api.rest import queries
from crm_app.api.rest.answers import Answer, answer
from crm_app.api.rest.calls import Call
from crm_app.api.rest.entities import entity_of
from crm_app.core.errors import CrmError, Invalid
from crm_app.core.registry import Entity
from crm_app.models.platform.imports import JobStatus
from crm_app.services.platform.imports import adding, guided, jobs, outline, reverting, suggesting, writing
from crm_app.services.platform.imports.jobs import JobView
from crm_app.services.platform.imports.rows import Problem
from crm_app.store import uploads
from crm_app.store.uow import unit_of_work

_PARAMETERS = ("name", "mode", "dry_run", "columns", "constants", "create_missing", "by_email")
_MODES = ("create", "upsert")
_SHOWN = 200  # problems that are told one by one
_COUNTS = {
    "rows": "rows", "created": "new", "updated": "updated", "unchanged": "unchanged", "duplicates": "duplicates",
    "rejected": "rejected",
}  # fmt: skip
_STATUS = {JobStatus.draft: "waiting", JobStatus.checked: "waiting", JobStatus.closed: "taken_back"}


async def receive(call: Call) -> Answer:
    """POST /api/<plural>/import/?name=contacts.csv with the file as body; the work is done in the background."""
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
        job = await _begun(call, entity, upload, update=mode == "upsert", is_dry=dry_run == "true")
    except CrmError:
        await asyncio.to_thread(uploads.discard, call.actor, upload.id)
        raise
    place = f"/api/imports/{job.id}/"
    return answer(_told(job), 202, location=place)


async def _begun(call: Call, entity: Entity, upload: uploads.Upload, *, update: bool, is_dry: bool) -> JobView:
    """The import with its file matched as the request says, and on its way."""
    columns, constants = _texts(call, "columns"), _texts(call, "constants")
    links = {n: {"create_missing": "true"} for n in _links(call, entity, "create_missing")}
    for name in _links(call, entity, "by_email"):
        links[name] = {**links.get(name, {}), "by": "email"}
    _known(call, entity, columns)
    async with call.work() as uow:
        job = await jobs.start(uow, document={**outline.EMPTY, "dry_run": is_dry})
    job = await adding.add_file(call.actor, job.id, upload.path, entity=entity.name)

    def matched(document: outline.Document) -> outline.Document:
        for one in document["sources"]:
            document = outline.put(document, _matched(one, columns, constants, links, update=update))
        return document

    async with call.work() as uow:
        await jobs.change(uow, job.id, matched)
        return await jobs.check(uow, job.id, run_after=not is_dry)


def _known(call: Call, entity: Entity, columns: dict[str, str]) -> None:
    known = {f.name for f in suggesting.fields_for(call.actor, entity)}
    if unknown := next((n for n in columns.values() if n not in known), ""):
        raise Invalid(
            columns=f"'{unknown[:100]}' is no field that a file may fill; known are {', '.join(sorted(known))}"
        )


def _matched(
    one: outline.Source, columns: dict[str, str], constants: dict[str, str], links: dict[str, dict[str, str]], *,
    update: bool,
) -> outline.Source:  # fmt: skip
    if columns:
        if missing := next((h for h in columns if h not in outline.headings(one)), ""):
            raise Invalid(columns=f"names '{missing[:100]}', which is no column of the file")
        asked = [{**c, "field": columns.get(c["heading"], ""), "sure": "chosen"} for c in one["columns"]]
        one = {**one, "columns": asked, "templates": {}, "foreign": []}
    one = outline.set_option(one, "create_missing", value=False)
    one = outline.decide(one, "sure", "update" if update else "skip")
    return {**one, "constants": {**one["constants"], **constants}, "links": links}


async def status(call: Call) -> Answer:
    """GET /api/imports/<id>/: how far an import is, and what came of every row."""
    queries.only(call.request.query_params, ())
    async with call.work() as uow:
        return answer(_told(await jobs.read(uow, call.id())))


def _told(job: JobView) -> dict[str, Any]:
    steps = [s for s in job.report.get("steps", ()) if not s["is_related"]]
    is_dry = bool(job.document.get("dry_run"))
    is_over = job.status is JobStatus.done or (is_dry and job.status is JobStatus.checked)
    problems = [
        {"row": p["row"], "column": p["column"], "message": p["message"], "remedy": guided.remedy(Problem(**p))}
        for s in job.report.get("steps", ())
        for p in s["problems"]
    ]
    return {
        "id": job.id,
        "status": "done" if is_over else "failed" if job.error else _STATUS.get(job.status, job.status.value),
        "status_url": f"/api/imports/{job.id}/",
        "error": job.error,
        "progress": job.progress,
        "dry_run": is_dry,
        "batch_id": job.id if job.status is JobStatus.done else None,
        **{public: sum(s[name] for s in steps) for public, name in _COUNTS.items()},
        "related": {s["entity"]: s["new"] for s in job.report.get("steps", ()) if s["is_related"] and s["new"]},
        "columns": {c["heading"]: c["field"] for s in job.document["sources"] for c in s["columns"] if c["field"]},
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
