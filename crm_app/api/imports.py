"""Files of the import page: sent as the plain body of a request, and the rows to mend back."""

from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from crm_app.api.requests import client_ip, cookies
from crm_app.core.context import Actor
from crm_app.core.errors import NotFound, Unauthenticated
from crm_app.services.people import sessions
from crm_app.services.platform.imports import guided
from crm_app.store import uploads


async def receive(request: Request) -> Response:
    """POST /api/imports/files?name=deals.csv with the file as body; its id answers."""
    actor = await _actor(request)
    guided.allowed(actor)
    kept = await uploads.spool(actor, request.query_params.get("name", ""), request.stream(), endings=guided.ENDINGS)
    return JSONResponse({"id": str(kept.id), "name": kept.path.name, "size": kept.size}, 201)


async def rows_to_mend(request: Request) -> Response:
    """GET /api/imports/files/<id>/rows-to-mend: what the last check of this file left out."""
    upload = uploads.find(await _actor(request), _id(request))
    path = uploads.beside(upload, guided.MENDED)
    if not path.is_file():
        raise NotFound("No check of this file left rows out.")
    name = f"{upload.path.stem}, rows to mend.csv"
    disposition = f"attachment; filename=\"rows-to-mend.csv\"; filename*=UTF-8''{quote(name)}"
    return FileResponse(path, media_type="text/csv; charset=utf-8", headers={"content-disposition": disposition})


async def _actor(request: Request) -> Actor:
    scope = request.scope
    actor = await sessions.actor_of(
        cookies(scope), ip=client_ip(scope), user_agent=request.headers.get("user-agent", "")
    )
    if actor is None:
        raise Unauthenticated("Sign in first.")
    return actor


def _id(request: Request) -> UUID:
    try:
        return UUID(str(request.path_params["file_id"]))
    except ValueError as error:
        raise NotFound("This file is not here any more. Choose it again.") from error


routes = [
    Route("/api/imports/files", receive, methods=["POST"]),
    Route("/api/imports/files/{file_id}/rows-to-mend", rows_to_mend, methods=["GET"]),
]
