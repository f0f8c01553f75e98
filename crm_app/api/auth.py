"""Routes that the forms of the sign-in pages post to. They answer with a page to go to: 303, and what went wrong as a
code in its address (the codes are explained in state/people/sign_in.py)."""

import logging
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crm_app.api.guard import forget
from crm_app.api.limits import Buckets
from crm_app.api.requests import client_ip, cookies
from crm_app.core.errors import Conflict, Invalid, Throttled
from crm_app.integrations import smtp
from crm_app.services.people import invitations, resets, sessions, workspaces
from crm_app.services.people.checks import network
from crm_app.services.people.links import LinkExpired
from crm_app.services.people.sessions import WrongPassword
from crm_app.services.people.workspaces import AddressTaken
from crm_app.services.sales import workspaces as founding
from crm_app.settings import settings

log = logging.getLogger(__name__)
_SIGN_UPS = Buckets(rate=5 / 3600, burst=5)  # workspaces founded from one place
_TOKEN = re.compile(r"[\w-]{20,100}")
_CODES = {"email": "email", "password": "weak", "name": "name", "workspace": "workspace"}
_SHOWN = ("email", "name", "workspace", "next")  # what a form is given back to be corrected; never the password


def inside(page: str) -> str:
    """The page to go on to, if it is one of ours; else the first page."""
    is_ours = page.startswith("/") and page[1:2] not in ("/", "\\") and not re.search(r"[\x00-\x20\\]", page)
    return page if is_ours and not page.startswith(("/auth/", "/api/")) else "/"


async def sign_in(request: Request) -> Response:
    form = await _form(request)
    try:
        token = await sessions.sign_in(form["email"], form["password"], **_from(request))
    except WrongPassword as wrong:
        return _back("/sign-in", form, error="credentials", left=str(wrong.left))
    except Throttled as wait:
        return _back("/sign-in", form, error="throttled", minutes=str(-(-wait.retry_after // 60)))
    await _end_session(request)
    return _let_in(inside(form["next"]), token)


async def sign_up(request: Request) -> Response:
    form = await _form(request)
    if not await workspaces.may_found():
        return _back("/sign-in", {}, error="closed")
    if not (bucket := _SIGN_UPS.of(network(client_ip(request.scope)))).take():
        return _back("/sign-up", form, error="throttled", minutes=str(-(-bucket.wait() // 60)))
    try:
        await founding.found(
            workspace=form["workspace"],
            name=form["name"],
            email=form["email"],
            password=form["password"],
            currency=form["currency"] or "USD",
            time_zone=form["time_zone"] or "UTC",
            **_from(request),
        )
        token = await sessions.sign_in(form["email"], form["password"], **_from(request))
    except AddressTaken:
        return _back("/sign-up", form, error="taken")
    except Invalid as wrong:
        return _back("/sign-up", form, error=_code(wrong))
    await _end_session(request)
    return _let_in("/", token)


async def sign_out(request: Request) -> Response:
    await _end_session(request)
    answer = RedirectResponse("/sign-in?done=signed-out", 303)
    forget(answer)
    return answer


async def forgot(request: Request) -> Response:
    """The same answer, as fast, whether somebody has the address or not: the work is done after it."""
    form = await _form(request)
    work = BackgroundTask(resets.ask, form["email"], **_from(request))
    done = "sent" if smtp.is_configured() else "asked"
    return RedirectResponse(f"/forgot?done={done}", 303, background=work)


async def reset(request: Request) -> Response:
    form = await _form(request)
    token = _token(form)
    try:
        await resets.reset(token, form["password"], **_from(request))
    except LinkExpired:
        return _back("/forgot", {}, error="expired")
    except Invalid as wrong:
        return _back(f"/reset/{token}", {}, error=_code(wrong))
    answer = RedirectResponse("/sign-in?done=reset", 303)
    forget(answer)
    return answer


async def invite(request: Request) -> Response:
    form = await _form(request)
    token = _token(form)
    try:
        session = await invitations.accept(token, name=form["name"], password=form["password"], **_from(request))
    except (LinkExpired, Conflict):
        return _back("/sign-in", {}, error="expired")
    except Invalid as wrong:
        space = (await invitations.look_up(token)).workspace
        return _back(f"/invite/{token}", {**form, "workspace": space, "next": "", "email": ""}, error=_code(wrong))
    await _end_session(request)
    return _let_in("/", session)


routes = [
    Route(f"/auth/{name}", endpoint, methods=["POST"])
    for name, endpoint in (
        ("sign-in", sign_in),
        ("sign-up", sign_up),
        ("sign-out", sign_out),
        ("forgot", forgot),
        ("reset", reset),
        ("invite", invite),
    )
]


class _Form(dict[str, str]):
    """Fields of a form; a missing one is empty."""

    def __missing__(self, key: str) -> str:
        return ""


async def _form(request: Request) -> _Form:
    """What was filled in. Whoever was faster than the scripts of the page sends no `next` and no `token`: they stand in
    the address of the page that the form was on."""
    async with request.form(max_files=0, max_fields=20) as form:
        given = _Form({k: v for k, v in form.items() if isinstance(v, str)})
    page = urlsplit(request.headers.get("referer", ""))
    if page.path.startswith("/sign-in") and not given["next"]:
        given["next"] = dict(parse_qsl(page.query)).get("next", "")
    elif page.path.startswith(("/reset/", "/invite/")) and not given["token"]:
        given["token"] = page.path.strip("/").partition("/")[2]
    return given


def _from(request: Request) -> dict[str, Any]:
    return {"ip": client_ip(request.scope), "user_agent": request.headers.get("user-agent", "")[:300]}


def _token(form: _Form) -> str:
    token = form["token"].strip()
    return token if _TOKEN.fullmatch(token) else ""


def _code(wrong: Invalid) -> str:
    return next((_CODES[field] for field in wrong.fields if field in _CODES), "invalid")


def _back(page: str, form: dict[str, str], **said: str) -> Response:
    shown = {k: form[k][:300] for k in _SHOWN if form.get(k)}
    return RedirectResponse(f"{page}?{urlencode({**said, **shown})}", 303)


def _let_in(page: str, token: str) -> Response:
    answer = RedirectResponse(page, 303)
    answer.set_cookie(
        sessions.cookie_name(),
        token,
        max_age=settings().session_days * 86400,
        path="/",
        secure=settings().is_secure,
        httponly=True,
        samesite="lax",
    )
    return answer


async def _end_session(request: Request) -> None:
    """The session this browser came with gives way to the new one, or to none."""
    visitor: Any = await sessions.visitor_of(cookies(request.scope), **_from(request), touch=False)
    if visitor is not None:
        await sessions.sign_out(visitor.actor)
