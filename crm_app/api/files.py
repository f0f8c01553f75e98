"""Files of records: sent as the plain body of a request, handed out to be saved, pictures and PDF also to be looked at.

Nothing here trusts a name: where a file lies and what it may do in a browser follow from its id and its content.
"""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Match, Route

from crm_app.api.guard import is_by_token
from crm_app.api.requests import person_at
from crm_app.core import filetypes, registry
from crm_app.core.context import Actor
from crm_app.core.errors import Invalid, NotFound
from crm_app.core.filetypes import FileType
from crm_app.core.registry import Entity
from crm_app.integrations.files import files, key_of
from crm_app.models.base import new_id
from crm_app.models.platform.attachments import Attachment
from crm_app.services.platform import attachments
from crm_app.settings import settings
from crm_app.store import uploads
from crm_app.store.uow import unit_of_work

_GONE = "This file does not exist, or you may not see it."


async def receive(request: Request) -> Response:
    """POST /api/files/accounts/<id>?name=offer.pdf with the file as body."""
    actor = await person_at(request)
    entity = registry.by_slug(str(request.path_params["slug"]))
    if entity is None:
        raise NotFound("There is no such record, or you may not see it.")
    record_id = _id(request, "record_id")
    kept = await received(request, actor, entity, record_id)
    return JSONResponse({"id": str(kept.id), "name": kept.name, "size": kept.size, "type": kept.kind}, 201)


async def received(request: Request, actor: Actor, entity: Entity, record_id: UUID) -> Attachment:
    """The body of the request as a file of the record, under the name in the query. Refused before a byte is taken
    where the actor may not attach."""
    declared = request.headers.get("content-length", "")
    async with unit_of_work(actor) as uow:
        await attachments.allow(uow, entity, record_id, size=int(declared) if declared.isdecimal() else 0)
    most = settings().file_most_mb * 1024**2
    upload = await uploads.spool(actor, request.query_params.get("name", ""), request.stream(), largest=most)
    try:
        return await _keep(actor, entity, record_id, upload)
    finally:
        await asyncio.to_thread(uploads.discard, actor, upload.id)


async def _keep(actor: Actor, entity: Entity, record_id: UUID, upload: uploads.Upload) -> Attachment:
    """The content first, then the row that tells of it: a row never points to nothing."""
    found = await asyncio.to_thread(_looked_into, upload.path)
    name, file_id = upload.path.name, new_id()
    key = key_of(actor.tenant_id, file_id)
    await files().put(key, upload.path)
    try:
        async with unit_of_work(actor) as uow:
            return await attachments.add(
                uow, entity, record_id, file_id, name=name, kind=found.name, size=upload.size, sha256=upload.sha256
            )
    except BaseException:
        await asyncio.shield(files().delete([key]))
        raise


def _looked_into(path: Path) -> FileType:
    """Invalid when it is empty, a program, or something else than its name says."""
    with path.open("rb") as file:
        head = file.read(filetypes.HEAD)
    if not head:
        raise Invalid(f"{path.name} is empty.")
    found = filetypes.detect(head)
    if objection := filetypes.objection(path.name, found):
        raise Invalid(f"{objection}.")
    return found


async def save(request: Request) -> Response:
    """GET /api/files/<id>: to be saved, whatever it is."""
    return await saved(await _found(request))


async def saved(attachment: Attachment) -> Response:
    """The content, to be saved."""
    kind = filetypes.of_name(attachment.kind)
    # A page, a drawing or a script is bytes and no more: no browser opens it as what it is.
    return await _sent(attachment, "attachment", kind.media_type if kind.preview else "application/octet-stream")


async def look(request: Request) -> Response:
    """GET /api/files/<id>/look: pictures and PDF, shown by the browser."""
    attachment = await _found(request)
    kind = filetypes.of_name(attachment.kind)
    if not kind.preview:
        raise NotFound("This kind of file cannot be shown here. Download it.")
    return await _sent(attachment, "inline", kind.media_type)


async def _sent(attachment: Attachment, disposition: str, media_type: str) -> Response:
    pieces = await files().read(key_of(attachment.tenant_id, attachment.id))
    headers = {
        "content-disposition": f"{disposition}; {_filename(attachment.name)}",
        "content-length": str(attachment.size),
        "etag": f'"{attachment.sha256}"',
    }
    return StreamingResponse(pieces, media_type=media_type, headers=headers)


def _filename(name: str) -> str:
    """For old readers in plain letters, for all others as it is: RFC 6266."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%;' else "_" for c in name)
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _found(request: Request) -> Attachment:
    actor = await person_at(request)
    async with unit_of_work(actor) as uow:
        return await attachments.find(uow, _id(request, "file_id"))


def _id(request: Request, name: str) -> UUID:
    try:
        return UUID(str(request.path_params[name]))
    except ValueError as error:
        raise NotFound(_GONE) from error


class _OfPages(Route):
    """What brings a token is a program's: the interface for those has addresses of its own below /api/files/."""

    def matches(self, scope: Any) -> Any:
        is_programs = scope["type"] == "http" and is_by_token(scope)
        return (Match.NONE, {}) if is_programs else super().matches(scope)


routes = [
    _OfPages("/api/files/{slug}/{record_id}", receive, methods=["POST"]),
    _OfPages("/api/files/{file_id}", save, methods=["GET"]),
    _OfPages("/api/files/{file_id}/look", look, methods=["GET"]),
]
