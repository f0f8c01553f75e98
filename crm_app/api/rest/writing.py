"""Changes over REST: create, replace, change, delete, take back. The same services as the screens; once for every
Idempotency-Key."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from crm_app.api.rest import bodies, queries
from crm_app.api.rest.answers import Answer, answer
from crm_app.api.rest.calls import Call
from crm_app.api.rest.entities import entity_of
from crm_app.api.rest.errors import Outdated
from crm_app.api.rest.reading import recorded
from crm_app.core.errors import Conflict, Invalid
from crm_app.core.registry import Entity
from crm_app.services.platform import idempotency, records
from crm_app.services.platform.sight import Seen
from crm_app.store.uow import UnitOfWork, retrying

Work = Callable[[UnitOfWork], Awaitable[Answer]]


async def once(call: Call, work: Work) -> Answer:
    """`work` in a unit of work of its own, or the answer that it gave before under the same Idempotency-Key."""
    key = call.header("idempotency-key").strip()
    if not key and call.given("idempotency-key"):
        raise Invalid("Idempotency-Key is empty; make one up for every new request, such as a UUID.")
    digest = await _digest(call) if key else ""

    async def run(uow: UnitOfWork) -> Answer:
        if key and (kept := await idempotency.begin(uow, key, digest)) is not None:
            return Answer(kept.status, kept.body.encode(), {"idempotency-replayed": "true"})
        given = await work(uow)
        if key:
            await idempotency.keep(uow, key, given.status, given.body.decode())
        return given

    return await retrying(call.actor, run)


async def _digest(call: Call) -> str:
    request = call.request
    said = f"{call.caller.key_id}\n{request.method}\n{request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(said + await request.body()).hexdigest()


async def create(call: Call) -> Answer:
    """POST /api/<plural>/."""
    queries.only(call.request.query_params, ())
    body = await call.object()

    async def work(uow: UnitOfWork) -> Answer:
        entity = await entity_of(uow, call.segments[0])
        record = await records.create(uow, entity, bodies.values_of(entity, body))
        return await recorded(uow, record, entity, 201, location=f"/api/{entity.slug}/{record.id}/")

    return await once(call, work)


async def replace(call: Call) -> Answer:
    """PUT /api/<plural>/<id>/."""
    return await _changed(call, bodies.replacement_of)


async def change(call: Call) -> Answer:
    """PATCH /api/<plural>/<id>/."""
    return await _changed(call, bodies.change_of)


async def _changed(call: Call, values_of: Any) -> Answer:
    queries.only(call.request.query_params, ())
    body = await call.object()
    record_id, seen = call.id(), _if_match(call)

    async def work(uow: UnitOfWork) -> Answer:
        entity = await entity_of(uow, call.segments[0])
        record = await changed(uow, entity, record_id, body, values_of, seen=seen)
        return await recorded(uow, record, entity)

    return await once(call, work)


async def changed(
    uow: UnitOfWork, entity: Entity, record_id: UUID, body: dict[str, Any], values_of: Any, *, seen: int | None = None
) -> Any:
    """Change a record as a body says. `version` in it, or `seen`, is the one the client read: with another one the
    change is refused as a whole."""
    record = await _locked(uow, entity, record_id, "update", seen)
    sent = {n: v for n, v in body.items() if n != "version"}
    if (version := body.get("version")) is not None and _version(version) != record.version:
        message = "Somebody changed this record in the meantime. Read it again, then send your change anew."
        raise Conflict(message, current={"version": record.version})
    return await records.update(uow, entity, record_id, values_of(entity, sent, Seen(uow, entity, record)))


async def _locked(uow: UnitOfWork, entity: Entity, record_id: UUID, verb: str, seen: int | None) -> Any:
    uow.require(f"{entity.name}.{verb}")
    record = await uow.get(entity.model, record_id, lock=True)
    if seen is not None and seen != record.version:
        raise Outdated(record.version)
    return record


async def delete(call: Call) -> Answer:
    """DELETE /api/<plural>/<id>/: into the trash."""
    queries.only(call.request.query_params, ())
    record_id, seen = call.id(), _if_match(call)

    async def work(uow: UnitOfWork) -> Answer:
        entity = await entity_of(uow, call.segments[0])
        return answer(await thrown_away(uow, entity, record_id, seen=seen))

    return await once(call, work)


async def thrown_away(uow: UnitOfWork, entity: Entity, record_id: UUID, *, seen: int | None = None) -> dict[str, Any]:
    await _locked(uow, entity, record_id, "delete", seen)
    record = await records.delete(uow, entity, record_id)
    return {
        "id": record.id,
        "version": record.version,
        "deleted_at": record.deleted_at,
        "restore": f"/api/{entity.slug}/{record.id}/restore/",
    }


async def restore(call: Call) -> Answer:
    """POST /api/<plural>/<id>/restore/: out of the trash."""
    queries.only(call.request.query_params, ())
    record_id = call.id()

    async def work(uow: UnitOfWork) -> Answer:
        entity = await entity_of(uow, call.segments[0])
        record = await records.restore(uow, entity, record_id)
        return await recorded(uow, record, entity)

    return await once(call, work)


def _version(given: Any) -> int:
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        raise Invalid(version="must be the whole number that the record had when you read it")
    return given


def _if_match(call: Call) -> int | None:
    """The version that If-Match asks for, in the form of our ETags: "7-3f2a..."; None when it asks for none."""
    mark = call.header("if-match").strip()
    if mark in ("", "*"):
        return None
    number = mark.strip('"').partition("-")[0]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else -1
