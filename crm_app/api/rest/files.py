"""Files of records over REST: sent as the plain body of a request, listed, fetched, taken away. What they may be is the
same as on the pages: told by their content, up to the same size."""

from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.responses import Response

from crm_app.api import files as wire
from crm_app.api.rest import marks, queries
from crm_app.api.rest.answers import Answer, answer, dumps
from crm_app.api.rest.calls import Call
from crm_app.api.rest.entities import entity_of
from crm_app.api.rest.reading import conditional
from crm_app.api.rest.writing import once
from crm_app.core import filetypes
from crm_app.models.platform.attachments import Attachment
from crm_app.services.platform import attachments
from crm_app.store.uow import UnitOfWork


async def listed(call: Call) -> Answer:
    """GET /api/<plural>/<id>/files/: the latest first."""
    params, record_id = call.request.query_params, call.id()
    queries.only(params, marks.PARAMETERS)
    size, after = marks.size_of(params), marks.after_of(params)
    async with call.work() as uow:
        entity = await entity_of(uow, call.segments[0])
        found = await attachments.listed(uow, entity, record_id, before=after, limit=size + 1)
    rows = [
        _line(entity.name, record_id, f.id, f.name, f.type.name, f.size, f.sha256, f.created_at, f.by_id) for f in found
    ]
    return conditional(call, dumps(marks.paged(rows, [(f.created_at, f.id) for f in found], size)))


async def add(call: Call) -> Answer:
    """POST /api/<plural>/<id>/files/?name=offer.pdf with the file as body."""
    queries.only(call.request.query_params, ("name",))
    async with call.work() as uow:
        entity = await entity_of(uow, call.segments[0])
    made = await wire.received(call.request, call.actor, entity, call.id())
    return answer(_shown(made), 201, location=f"/api/files/{made.id}/")


async def read(call: Call) -> Answer:
    """GET /api/files/<id>/: what it is, not what is in it."""
    queries.only(call.request.query_params, ())
    async with call.work() as uow:
        return conditional(call, dumps(_shown(await attachments.find(uow, call.id()))))


async def content(call: Call) -> Response:
    """GET /api/files/<id>/content/."""
    queries.only(call.request.query_params, ())
    async with call.work() as uow:
        found = await attachments.find(uow, call.id())
    return await wire.saved(found)


async def remove(call: Call) -> Answer:
    """DELETE /api/files/<id>/: into the trash."""
    queries.only(call.request.query_params, ())
    file_id = call.id()

    async def work(uow: UnitOfWork) -> Answer:
        gone = await attachments.remove(uow, file_id)
        return answer({"id": gone.id, "deleted_at": gone.deleted_at, "restore": f"/api/files/{file_id}/restore/"})

    return await once(call, work)


async def restore(call: Call) -> Answer:
    """POST /api/files/<id>/restore/: out of the trash, for 30 days."""
    queries.only(call.request.query_params, ())
    file_id = call.id()

    async def work(uow: UnitOfWork) -> Answer:
        return answer(_shown(await attachments.put_back(uow, file_id)))

    return await once(call, work)


def _shown(a: Attachment) -> dict[str, Any]:
    return _line(a.about, a.about_id, a.id, a.name, a.kind, a.size, a.sha256, a.created_at, a.created_by_id)


def _line(
    about: str, about_id: UUID, file_id: UUID, name: str, kind: str, size: int, sha256: str, at: datetime,
    by_id: UUID | None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": file_id,
        "entity": about,
        "record_id": about_id,
        "name": name,
        "type": kind,
        "media_type": filetypes.of_name(kind).media_type,
        "size": size,
        "sha256": sha256,
        "created_at": at,
        "created_by_id": by_id,
        "content": f"/api/files/{file_id}/content/",
    }
