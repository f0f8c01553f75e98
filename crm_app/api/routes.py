"""What is served beside the pages, and what stands before everything."""

from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from crm_app.api import auth, exports, files, imports
from crm_app.api.guard import guard, is_by_token
from crm_app.api.requests import client_ip, cookies
from crm_app.api.rest import addresses, reading
from crm_app.api.rest.calls import served
from crm_app.core.errors import CrmError, NotReady, Unauthenticated
from crm_app.services.people import sessions
from crm_app.store import identity


def around() -> list[Any]:
    """For `rx.App(api_transformer=...)`: the routes, with Reflex mounted behind them, then the guard before both."""
    app = Starlette(
        routes=[
            Route("/", home),
            Route("/api/health", health),
            Route("/api/me", me),
            *auth.routes,
            *imports.routes,
            *exports.routes,
            *files.routes,
            *addresses.routes,  # last: /api/<anything else>
        ],
        exception_handlers={CrmError: told},  # type: ignore[dict-item]
    )
    return [app, guard]


async def home(_: Request) -> Response:
    """The first page of somebody who is signed in; the guard has sent the others away."""
    return RedirectResponse("/pipeline", 307)


async def health(_: Request) -> Response:
    """For load balancers: 200 when requests can be served, 503 when the database cannot be reached."""
    try:
        await identity.ping()
    except (SQLAlchemyError, OSError, NotReady):
        return JSONResponse({"status": "down", "database": False}, 503)
    return JSONResponse({"status": "ok", "database": True})


async def me(request: Request) -> Response:
    """Who is signed in, and what they may do."""
    if is_by_token(request.scope):
        answer: Response = await served(request, reading.me, ("me",))
        return answer
    visitor = await sessions.visitor_of(cookies(request.scope), ip=client_ip(request.scope))
    if visitor is None:
        raise Unauthenticated("Sign in first.")
    actor = visitor.actor
    return JSONResponse(
        {
            "id": str(actor.user_id),
            "name": actor.name,
            "email": visitor.email,
            "workspace": visitor.workspace,
            "role": visitor.role,
            "scope": actor.scope.value,
            "permissions": sorted(actor.permissions),
            "time_zone": actor.time_zone,
            "currency": actor.currency,
        }
    )


async def told(_: Request, refused: CrmError) -> Response:
    """A refusal as the blueprint wants it: error_code, message, details."""
    body = {"error_code": refused.code, "message": str(refused), "details": refused.details}
    retry = {"retry-after": str(refused.details["retry_after"])} if "retry_after" in refused.details else None
    return JSONResponse(body, refused.status, headers=retry)
