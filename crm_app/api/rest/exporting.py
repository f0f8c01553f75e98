"""A whole list as a file, streamed page by page: CSV for spreadsheets, JSON and NDJSON for programs."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from starlette.responses import StreamingResponse

from crm_app.api.rest import queries
from crm_app.api.rest.answers import dumps
from crm_app.api.rest.calls import Call
from crm_app.api.rest.entities import entity_of
from crm_app.api.rest.queries import Query
from crm_app.api.rest.reading import where_of
from crm_app.core.conditions.operators import TEXTS
from crm_app.core.errors import Invalid
from crm_app.core.fields import show_value
from crm_app.core.registry import Entity, FieldSpec
from crm_app.services.platform import records

_PAGE = 500
_KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json", "ndjson": "application/x-ndjson"}
_PARAMETERS = ("format",)
Rows = Sequence[Mapping[str, Any]]


async def export(call: Call) -> StreamingResponse:
    """GET /api/<plural>/export/?format=csv with the conditions of a list."""
    params = call.request.query_params
    form = params.get("format", "csv")
    if form not in _KINDS:
        raise Invalid(format=f"must be {' or '.join(_KINDS)}")
    async with call.work() as uow:
        entity = await entity_of(uow, call.segments[0])
        uow.require(f"{entity.name}.export")
        query = queries.read(params, entity, more=_PARAMETERS)
    if {"page", "page_size", "after", "expand", "total"} & set(params):
        raise Invalid("An export has no pages and expands nothing: it is all that fits the conditions, in one file.")
    pages = _pages(call, entity, query, titles=form == "csv")
    first = await anext(pages)  # what is wrong is answered before anything is sent
    name = f"{entity.slug}.{form}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return StreamingResponse(_WRITERS[form](entity, query, first, pages), media_type=_KINDS[form], headers=headers)


async def _pages(call: Call, entity: Entity, query: Query, *, titles: bool) -> AsyncIterator[Rows]:
    """Each in a unit of work of its own: no transaction stays open for as long as a reader is slow."""
    after: tuple[Any, UUID] | None = None
    while True:
        async with call.work() as uow:
            found = await records.find(
                uow,
                entity,
                columns=query.fields,
                where=where_of(uow, entity, query),
                sort=query.sort,
                descending=query.descending,
                after=after,
                limit=_PAGE,
                titles=titles,
            )
        yield found.rows
        after = found.after
        if after is None:
            return


async def _json(_: Entity, query: Query, first: Rows, pages: AsyncIterator[Rows]) -> AsyncIterator[bytes]:
    yield b"["
    lead = b""
    async for rows in _chained(first, pages):
        for row in rows:
            yield lead + dumps({n: row[n] for n in query.fields})
            lead = b",\n"
    yield b"]\n"


async def _ndjson(_: Entity, query: Query, first: Rows, pages: AsyncIterator[Rows]) -> AsyncIterator[bytes]:
    async for rows in _chained(first, pages):
        yield b"".join(dumps({n: row[n] for n in query.fields}) + b"\n" for row in rows)


async def _csv(entity: Entity, query: Query, first: Rows, pages: AsyncIterator[Rows]) -> AsyncIterator[bytes]:
    specs = [entity.fields[n] for n in query.fields]
    yield _lines([[spec.label for spec in specs]])
    async for rows in _chained(first, pages):
        yield _lines([[_cell(spec, row) for spec in specs] for row in rows])


async def _chained(first: Rows, pages: AsyncIterator[Rows]) -> AsyncIterator[Rows]:
    yield first
    async for rows in pages:
        yield rows


def _lines(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def _cell(spec: FieldSpec, row: Mapping[str, Any]) -> str:
    """As the import reads it: names for links, major units for money, times in UTC."""
    value = row[spec.name]
    if value is None:
        return ""
    title = row.get(f"{spec.name}__title")
    if title is not None:
        return _harmless(str(title))
    text = show_value(spec, value, plain=True, currency=row.get(spec.currency_field) or "USD")
    return _harmless(text) if spec.kind in TEXTS else text


def _harmless(text: str) -> str:
    """Spreadsheets run what begins like a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


_WRITERS = {"csv": _csv, "json": _json, "ndjson": _ndjson}
