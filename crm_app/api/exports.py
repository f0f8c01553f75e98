"""Files that people fetch for themselves: exports, and what a bulk operation left as it was."""

import csv
import io
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from crm_app.api.requests import person_at
from crm_app.api.rest.exporting import KINDS
from crm_app.core import registry
from crm_app.core.errors import NotFound
from crm_app.core.sheets import harmless
from crm_app.models.platform.exports import ExportStatus
from crm_app.services.platform import bulk_operations, export_keeping, exporting
from crm_app.settings import settings
from crm_app.store.uow import unit_of_work

_CSV = "text/csv; charset=utf-8"


async def blocked(request: Request) -> Response:
    """GET /api/bulk/<id>/blocked: the records of one's own operation that stayed as they were, and why."""
    async with unit_of_work(await person_at(request)) as uow:
        wanted = _id(request)
        progress = await bulk_operations.read(uow, wanted)
        found = await bulk_operations.blocked(uow, wanted)
    entity = registry.get(progress.entity)
    there = f"{settings().base_url}/{entity.slug}"
    rows = [[harmless(b.title), f"{there}/{b.record_id}", harmless(b.reason)] for b in found]
    text = io.StringIO()
    csv.writer(text).writerows([[entity.label, "Address", "Reason"], *rows])
    headers = {"content-disposition": f'attachment; filename="{entity.slug}-blocked.csv"', "cache-control": "no-store"}
    return Response("\ufeff" + text.getvalue(), media_type=_CSV, headers=headers)


async def file(request: Request) -> Response:
    """GET /api/exports/<id>/<key>: a file of one's own; the key is good for this session alone."""
    actor, wanted = await person_at(request), _id(request)
    if not export_keeping.is_address(actor, wanted, str(request.path_params["key"])):
        raise NotFound("There is nothing at this address. Fetch the file from your exports.")
    async with unit_of_work(actor) as uow:
        made = await exporting.read(uow, wanted)
    if made.status is not ExportStatus.done:
        raise NotFound("This file is not written yet. Look at your exports when it is ready.")
    headers = {
        "content-disposition": f'attachment; filename="{made.name}"', "content-length": str(made.size),
        "cache-control": "no-store", "x-content-type-options": "nosniff",
    }  # fmt: skip
    return StreamingResponse(await export_keeping.content(actor, made), media_type=KINDS[made.form], headers=headers)


def _id(request: Request) -> UUID:
    try:
        return UUID(str(request.path_params["id"]))
    except ValueError as error:
        raise NotFound("There is nothing at this address.") from error


routes = [
    Route("/api/exports/{id}/{key}", file, methods=["GET"]),
    Route("/api/bulk/{id}/blocked", blocked, methods=["GET"]),
]
