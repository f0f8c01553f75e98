"""Many records in one request: each is done or refused by itself, or with `atomic` all or none."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from crm_app.api.rest import bodies, queries
from crm_app.api.rest.answers import Answer, answer, error_of
from crm_app.api.rest.calls import Call
from crm_app.api.rest.entities import entity_of
from crm_app.api.rest.writing import changed, once, thrown_away
from crm_app.core.errors import CrmError, Invalid
from crm_app.core.registry import Entity
from crm_app.services.platform import records
from crm_app.store.uow import UnitOfWork

MOST = 200
One = Callable[[UnitOfWork, Entity, dict[str, Any]], Awaitable[dict[str, Any]]]


class Refused(CrmError):
    """Nothing of an atomic request was done. `results` say which items were the reason."""

    status, code = 422, "bulk_refused"

    def __init__(self, results: list[dict[str, Any]]) -> None:
        super().__init__("Nothing was changed, for not every item could be done.")
        self.results = results

    @property
    def details(self) -> dict[str, Any]:
        return {"results": self.results}


async def create(call: Call) -> Answer:
    """POST /api/<plural>/bulk/create/."""
    return await _each(call, _create)


async def update(call: Call) -> Answer:
    """POST /api/<plural>/bulk/update/."""
    return await _each(call, _update)


async def delete(call: Call) -> Answer:
    """POST /api/<plural>/bulk/delete/."""
    return await _each(call, _delete)


async def _create(uow: UnitOfWork, entity: Entity, item: dict[str, Any]) -> dict[str, Any]:
    record = await records.create(uow, entity, bodies.values_of(entity, item))
    return {"status": 201, "id": record.id, "version": record.version}


async def _update(uow: UnitOfWork, entity: Entity, item: dict[str, Any]) -> dict[str, Any]:
    sent = {n: v for n, v in item.items() if n != "id"}
    record = await changed(uow, entity, _id_of(item), sent, bodies.change_of)
    return {"status": 200, "id": record.id, "version": record.version}


async def _delete(uow: UnitOfWork, entity: Entity, item: dict[str, Any]) -> dict[str, Any]:
    if more := sorted(set(item) - {"id"}):
        raise Invalid(**{more[0][:100]: "is not needed to delete a record; send its id alone"})
    gone = await thrown_away(uow, entity, _id_of(item))
    return {"status": 200, "id": gone["id"], "version": gone["version"]}


async def _each(call: Call, one: One) -> Answer:
    queries.only(call.request.query_params, ())
    items, atomic = _read(await call.object())

    async def work(uow: UnitOfWork) -> Answer:
        entity = await entity_of(uow, call.segments[0])
        results = [await _tried(uow, entity, one, index, item) for index, item in enumerate(items)]
        failed = sum("error" in r for r in results)
        if atomic and failed:
            raise Refused(results)
        return answer({"results": results, "succeeded": len(results) - failed, "failed": failed})

    return await once(call, work)


async def _tried(uow: UnitOfWork, entity: Entity, one: One, index: int, item: dict[str, Any]) -> dict[str, Any]:
    try:
        async with uow.part():
            return {"index": index, **await one(uow, entity, item)}
    except CrmError as refused:
        return {"index": index, "status": refused.status, "error": error_of(refused)}


def _read(body: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    items, atomic = body.get("items"), body.get("atomic", False)
    if more := sorted(set(body) - {"items", "atomic"}):
        raise Invalid(**{more[0][:100]: "is not understood here; send items, and atomic if all or none shall be done"})
    if not isinstance(atomic, bool):
        raise Invalid(atomic="must be true or false")
    if not isinstance(items, list) or not items or not all(isinstance(i, dict) for i in items):
        raise Invalid(items="must be a list of objects, one for each record")
    if len(items) > MOST:
        raise Invalid(items=f"holds {len(items)} records; send {MOST} at most, or use the import")
    return items, atomic


def _id_of(item: dict[str, Any]) -> UUID:
    text = item.get("id")
    try:
        return UUID(text) if isinstance(text, str) and len(text) == 36 else _no_id()
    except ValueError:
        return _no_id()


def _no_id() -> UUID:
    raise Invalid(id="must be the id of a record")
