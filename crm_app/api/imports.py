"""Files of the import page: sent as the plain body of a request, and the rows to mend back."""

from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crm_app.api.requests import person_at
from crm_app.core.errors import NotFound
from crm_app.services.platform.imports import grid, guided, jobs
from crm_app.store import uploads
from crm_app.store.uow import unit_of_work


async def receive(request: Request) -> Response:
    """POST /api/imports/files?name=deals.csv with the file as body; its id answers."""
    actor = await person_at(request)
    jobs.allowed(actor)
    kept = await uploads.spool(actor, request.query_params.get("name", ""), request.stream(), endings=guided.ENDINGS)
    return JSONResponse({"id": str(kept.id), "name": kept.path.name, "size": kept.size}, 201)


async def rows_to_mend(request: Request) -> Response:
    """GET /api/imports/jobs/<id>/rows-to-mend?file=<key>: what the last check of this file left out."""
    async with unit_of_work(await person_at(request)) as uow:
        name, text = await grid.rows_to_mend(uow, _id(request), request.query_params.get("file", ""))
    disposition = f"attachment; filename=\"rows-to-mend.csv\"; filename*=UTF-8''{quote(name)}"
    return Response(
        b"\xef\xbb\xbf" + text.encode("utf-8", "replace"), media_type="text/csv; charset=utf-8",
        headers={"content-disposition": disposition},
    )  # fmt: skip


def _id(request: Request) -> UUID:
    try:
        return UUID(str(request.path_params["job_id"]))
    except ValueError as error:
        raise NotFound("This import is not known any more.") from error


routes = [
    Route("/api/imports/files", receive, methods=["POST"]),
    Route("/api/imports/jobs/{job_id}/rows-to-mend", rows_to_mend, methods=["GET"]),
]
