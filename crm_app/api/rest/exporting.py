"""A whole list as a file: CSV, XLSX and PDF for people, JSON and NDJSON for programs. The same writers as on the pages.

The file is written whole, and noted in the audit log, before its first byte is sent: no transaction stays open for as
long as a reader is slow.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

from starlette.responses import StreamingResponse

from crm_app.api.rest import queries
from crm_app.api.rest.calls import Call
from crm_app.api.rest.entities import entity_of
from crm_app.api.rest.reading import where_of
from crm_app.core.conditions import dump
from crm_app.core.errors import Invalid
from crm_app.models.base import new_id
from crm_app.services.platform import exporting
from crm_app.services.platform.exporting import Wanted
from crm_app.store import downloads

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_PARAMETERS = ("format",)
_BLOCK = 256 * 1024


async def export(call: Call) -> StreamingResponse:
    """GET /api/<plural>/export/?format=csv with the conditions of a list."""
    params = call.request.query_params
    form = params.get("format", "csv")
    if form not in KINDS:
        raise Invalid(format=f"must be one of {', '.join(KINDS)}")
    with ExitStack() as kept:
        async with call.work() as uow:
            entity = await entity_of(uow, call.segments[0])
            uow.require(f"{entity.name}.export")
            query = queries.read(params, entity, more=_PARAMETERS)
            if {"page", "page_size", "after", "expand", "total"} & set(params):
                raise Invalid(
                    "An export has no pages and expands nothing: it is all that fits the conditions, in one file."
                )
            path = kept.enter_context(downloads.passing()) / f"{entity.slug}.{form}"
            asked = {"filter": dump(query.condition)} if query.condition is not None else {}
            wanted = Wanted(
                query.fields, where_of(uow, entity, query), query.sort, query.descending,
                note={"view": {**asked, "sort": ("-" if query.descending else "") + query.sort}}, for_people=False,
            )  # fmt: skip
            await exporting.write(uow, entity, path, form, wanted, file_id=new_id())
        size = path.stat().st_size
        headers = {
            "content-disposition": f'attachment; filename="{path.name}"', "cache-control": "no-store",
            "content-length": str(size),
        }  # fmt: skip
        return StreamingResponse(_sent(path, kept.pop_all()), media_type=KINDS[form], headers=headers)


async def _sent(path: Path, kept: ExitStack) -> AsyncIterator[bytes]:
    """The file in pieces; it is gone when it was read, or when nobody reads on."""
    with kept, await asyncio.to_thread(path.open, "rb") as file:
        while block := await asyncio.to_thread(file.read, _BLOCK):
            yield block
