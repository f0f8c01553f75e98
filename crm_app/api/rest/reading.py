"""Lists and single records."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.api.rest import queries
from crm_app.api.rest.answers import Answer, digest, dumps, is_known
from crm_app.api.rest.calls import Call
from crm_app.api.rest.entities import ALL, entity_of, named, value_of
from crm_app.api.rest.queries import Query
from crm_app.core import registry
from crm_app.core.conditions import dump, explain, to_sql
from crm_app.core.errors import NotFound
from crm_app.core.registry import Entity
from crm_app.services.platform import records
from crm_app.services.platform.sight import Seen, context_of
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

_MOST_EXPANDED = 100  # records at the other end of a relation to many


async def listed(call: Call) -> Answer:
    """GET /api/<plural>/."""
    async with call.work() as uow:
        entity = await entity_of(uow, call.segments[0])
        query = queries.read(call.request.query_params, entity)
        body = await page(uow, entity, query)
    return conditional(call, dumps(body))


async def listed_there(call: Call) -> Answer:
    """GET /api/<plural>/<id>/<relation>/: what belongs to one record, as a list like any other."""
    record_id = call.id()
    async with call.work() as uow:
        entity = await entity_of(uow, call.segments[0])
        await records.read(uow, entity, record_id)
        relation = registry.relations(entity)[call.segments[2]]
        other = await named(uow, relation.entity)
        if relation.link not in other.fields:
            raise NotFound(f"There is nothing at this address. {ALL}")
        query = queries.read(call.request.query_params, other)
        body = await page(uow, other, query, other.table.c[relation.link] == record_id)
    return conditional(call, dumps(body))


async def page(uow: UnitOfWork, entity: Entity, query: Query, also: sa.ColumnElement[bool] | None = None) -> Any:
    """A page of a list, as it is answered. `also` holds beside the query's own condition."""
    where = where_of(uow, entity, query)
    if also is not None:
        where = also if where is None else sa.and_(also, where)
    columns = list(query.fields)
    if query.expand:
        columns += [registry.relations(entity)[n].link for n in query.expand]
    found = await records.find(
        uow,
        entity,
        columns=list(dict.fromkeys(columns)),
        where=where,
        sort=query.sort,
        descending=query.descending,
        after=query.after,
        limit=query.size,
        offset=(query.page - 1) * query.size if query.page else 0,
        titles=False,
    )
    rows: list[dict[str, Any]] = [{n: row[n] for n in query.fields} for row in found.rows]
    for name in query.expand:
        await _expand(uow, entity, name, found.rows, rows)
    paging: dict[str, Any] = {
        "page_size": query.size,
        "after": queries.mark(entity, query, found.after) if found.after else None,
    }
    if query.page is not None:
        paging["page"] = query.page
    if query.total:
        paging["total"] = await records.count(uow, entity, where=where)
    body: dict[str, Any] = {"data": rows, "paging": paging}
    if query.condition is not None:
        sentence = explain(query.condition, entity, currency=uow.actor.currency, time_zone=uow.actor.time_zone)
        body["filter"] = {"condition": dump(query.condition), "sentence": sentence}
    return body


def where_of(uow: UnitOfWork, entity: Entity, query: Query) -> sa.ColumnElement[bool] | None:
    if query.condition is None:
        return None
    actor = uow.actor
    return to_sql(
        query.condition,
        entity,
        context_of(uow),
        visible=lambda other, table: visible(other, actor, table),
    )


async def _expand(
    uow: UnitOfWork, entity: Entity, name: str, found: Sequence[Mapping[str, Any]], rows: list[dict[str, Any]]
) -> None:
    """Put the records that a link leads to into the rows; null where there is none, or none the actor may see."""
    relation = registry.relations(entity)[name]
    uow.require(f"{relation.entity}.read")
    wanted = {row[relation.link] for row in found if row[relation.link] is not None}
    others = await related(uow, relation.entity, wanted) if wanted else {}
    for row, given in zip(rows, found, strict=True):
        row[name] = others.get(given[relation.link])


async def related(uow: UnitOfWork, entity_name: str, ids: set[UUID]) -> dict[UUID, dict[str, Any]]:
    entity = await named(uow, entity_name)
    fields = queries.fields_of(entity, ",".join(("id", *entity.columns)))
    found = await records.find(
        uow, entity, columns=fields, where=entity.table.c.id.in_(sorted(ids)), sort="id", limit=len(ids), titles=False
    )
    return {row["id"]: {n: row[n] for n in fields} for row in found.rows}


async def read(call: Call) -> Answer:
    """GET /api/<plural>/<id>/."""
    params = call.request.query_params
    queries.only(params, ("fields", "expand"))
    async with call.work() as uow:
        entity = await entity_of(uow, call.segments[0])
        fields = queries.fields_of(entity, params.get("fields"))
        expand = queries.expansions(entity, params.get("expand"), many=True)
        record = await records.read(uow, entity, call.id())
        body = shown(record, fields)
        for name in expand:
            body[name] = await _other_end(uow, entity, name, record)
    return conditional(call, dumps(body), version=record.version)


async def _other_end(uow: UnitOfWork, entity: Entity, name: str, record: Any) -> Any:
    relation = registry.relations(entity)[name]
    uow.require(f"{relation.entity}.read")
    if not relation.many:
        link = value_of(record, relation.link)
        return (await related(uow, relation.entity, {link})).get(link) if link else None
    other = await named(uow, relation.entity)
    fields = queries.fields_of(other, ",".join(("id", *other.columns)))
    mine = other.table.c[relation.link] == record.id
    found = await records.find(uow, other, columns=fields, where=mine, sort="id", limit=_MOST_EXPANDED, titles=False)
    return [{n: row[n] for n in fields} for row in found.rows]


async def me(call: Call) -> Answer:
    """GET /api/me/: who the token stands for, and what it may do."""
    queries.only(call.request.query_params, ())
    actor, caller = call.actor, call.caller
    told = {
        "id": actor.user_id,
        "name": actor.name,
        "email": caller.email,
        "workspace": caller.workspace,
        "role": caller.role,
        "scope": actor.scope.value,
        "permissions": sorted(actor.permissions),
        "time_zone": actor.time_zone,
        "currency": actor.currency,
    }
    return conditional(call, dumps(told))


def shown(record: Any, fields: Sequence[str]) -> dict[str, Any]:
    return {n: value_of(record, n) for n in fields}


def conditional(call: Call, body: bytes, *, version: int | None = None) -> Answer:
    """With a mark of this very content, and nothing but that mark when the client has it already."""
    mark = f'"{digest(body)}"' if version is None else f'"{version}-{digest(body)}"'
    headers = {"etag": mark, "cache-control": "private, no-cache", "vary": "Authorization"}
    known = call.header("if-none-match")
    if known and is_known(mark, known):
        return Answer(304, b"", headers)
    return Answer(200, body, headers)


async def recorded(uow: UnitOfWork, record: Any, entity: Entity, status: int = 200, **headers: str) -> Answer:
    """A record after a change; no more than its id and version for whoever may write but not read."""
    may_read = uow.actor.can(f"{entity.name}.read")
    body = dumps(shown(Seen(uow, entity, record), tuple(entity.fields) if may_read else ("id", "version")))
    return Answer(status, body, {"etag": f'"{record.version}-{digest(body)}"', **headers})
