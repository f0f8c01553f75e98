"""Stands before everything that is served: pages, files, routes and the websocket.

Reflex keeps the state of a tab under a token that the browser makes up and sends in the address, and gives all of it to
whoever presents that token. Here the token is bound to the session before Reflex sees it: see `own_tab` and
docs/adr/0031-tab-state-belongs-to-a-session.md.
"""

import hashlib
import logging
import time
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode
from uuid import UUID, uuid4

from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from crm_app.api import headers
from crm_app.api.limits import Bucket, Buckets, limited
from crm_app.api.requests import client_ip, comes_from_here, cookies, header, replaced, wants_page
from crm_app.services.people import sessions
from crm_app.services.people.checks import network

log = logging.getLogger(__name__)
_TOO_LARGE = "This is too large."
App = Any  # an ASGI application

HOME = "/pipeline"  # what "/" leads to
PUBLIC_PAGES = ("/sign-in", "/sign-up", "/forgot", "/reset", "/invite")
_SOCKET = "/_event"
_UPLOAD = "/_upload"
_FILES = ("/api/imports/files", "/api/files/")
_FORM_BYTES, _BODY_BYTES, _UPLOAD_BYTES = 64 * 1024, 1024 * 1024, 512 * 1024 * 1024
_BULK_BYTES = 8 * 1024 * 1024
_MESSAGE_BYTES = 512 * 1024  # one websocket message
_MESSAGES = (40.0, 200.0)  # a second, and at once
_ASK_AGAIN = 10.0  # seconds after which an open socket's session is looked up anew
# From one place, which may be an office of hundreds behind one address: posts to /auth, handshakes.
_FORMS = Buckets(rate=1.0, burst=60)
_SOCKETS = Buckets(rate=10.0, burst=600)


def guard(app: App) -> App:
    """The application with the guard before it."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await _http(app, scope, receive, send)
        elif scope["type"] == "websocket":
            await _websocket(app, scope, receive, send)
        else:
            await app(scope, receive, send)

    return guarded


def own_tab(token: str, session_id: UUID | None) -> str:
    """The name under which a tab's state is kept: another one for each session, and for none."""
    digest = hashlib.sha256(f"{session_id or 'nobody'}\n{token}".encode()).hexdigest()
    return str(UUID(digest[:32]))


async def _http(app: App, scope: Any, receive: Any, send: Any) -> None:
    request_id = uuid4().hex
    scope.setdefault("state", {})["request_id"] = request_id

    async def out(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": _outgoing(scope["path"], message, request_id)}
        await send(message)

    scope = by_token_alone(scope)
    answer = await _refusal(scope) or await _redirect(scope)
    if answer is not None:
        await answer(scope, receive, out)
        return
    await app(await _for_reflex(scope), limited(receive, _most(scope["path"])), out)


def by_token_alone(scope: Any) -> Any:
    """A request that brings a token is judged by that: its cookies are taken away, so that it needs no protection from
    foreign pages (they could not send the token)."""
    if not is_by_token(scope):
        return scope
    return {**scope, "headers": [(k, v) for k, v in scope["headers"] if k != b"cookie"]}


def is_by_token(scope: Any) -> bool:
    return scope["path"].startswith("/api/") and header(scope, b"authorization")[:7].lower() == "bearer "


def _outgoing(path: str, message: Any, request_id: str) -> list[tuple[bytes, bytes]]:
    given = {k.lower(): v for k, v in message.get("headers", [])}
    content_type = given.get(b"content-type", b"").decode("latin-1")
    own = headers.added(path, content_type, b"cache-control" in given)
    return [*message.get("headers", []), *own, (b"x-request-id", request_id.encode())]


def _most(path: str) -> int:
    if path.startswith("/auth/"):
        return _FORM_BYTES
    if path.startswith("/api/") and "/bulk/" in path:
        return _BULK_BYTES
    is_sent = path.startswith("/api/") and path.rstrip("/").endswith(("/import", "/files"))
    is_file = path.startswith((_UPLOAD, *_FILES)) or is_sent
    return _UPLOAD_BYTES if is_file else _BODY_BYTES


async def _refusal(scope: Any) -> Response | None:
    """What is wrong with the request as such: sent by a foreign page, too often, or for a file nobody may fetch."""
    path = scope["path"]
    is_reading = scope["method"] in ("GET", "HEAD", "OPTIONS")
    # Uploads lie in one folder for all workspaces: what may be fetched has a route of its own. Events come by
    # websocket alone: over polling they would pass by the checks of `_websocket`.
    if path.startswith(_SOCKET) or (is_reading and path.startswith(_UPLOAD)):
        return PlainTextResponse("Nothing here.", 404)
    if is_reading:
        return None
    is_ours = None if is_by_token(scope) else comes_from_here(scope)
    if is_ours is False or (is_ours is None and sessions.token_in(cookies(scope))):
        log.warning("a foreign page posted to %s from %s", path, client_ip(scope))
        return _origin_refused(path)
    if path.startswith("/auth/") and not (bucket := _FORMS.of(network(client_ip(scope)))).take():
        return RedirectResponse(f"{page_of(path)}?error=throttled&minutes={-(-bucket.wait() // 60)}", 303)
    declared = header(scope, b"content-length")
    if declared.isdecimal() and int(declared) > _most(path):
        if path.startswith("/api/"):
            return JSONResponse({"error_code": "too_large", "message": _TOO_LARGE, "details": {}}, 413)
        return PlainTextResponse(_TOO_LARGE, 413)
    return None


def _origin_refused(path: str) -> Response:
    if path.startswith("/auth/"):
        return RedirectResponse(f"{page_of(path)}?error=origin", 303)
    body = {"error_code": "origin", "message": "The request came from another page.", "details": {}}
    return JSONResponse(body, 403)


def page_of(auth_path: str) -> str:
    """The page whose form posts to a route below /auth, when nothing more is known."""
    page = auth_path.removeprefix("/auth").rstrip("/")
    return page if page in ("/sign-up", "/forgot") else "/sign-in"


async def _redirect(scope: Any) -> Response | None:
    """Pages are for people with a session, the sign-in pages for those without."""
    path = scope["path"]
    if not wants_page(scope) or path.startswith(("/api/", "/auth/", "/assets/", "/_")):
        return None
    is_public = path.rstrip("/") in PUBLIC_PAGES or path.startswith(("/reset/", "/invite/"))
    is_door = path.rstrip("/") in ("/sign-in", "/sign-up")
    if is_public and not is_door:
        return None
    token = sessions.token_in(cookies(scope))
    visitor = await sessions.visitor_of(cookies(scope)) if token else None
    if is_door:
        return RedirectResponse(HOME, 303) if visitor and not scope["query_string"] else None
    if visitor is not None:
        return RedirectResponse(HOME, 303) if path == "/" else None
    query = scope["query_string"].decode("latin-1")
    wanted = quote(path + (f"?{query}" if query else ""), safe="")
    ended = "&done=ended" if token else ""
    answer = RedirectResponse(f"/sign-in?next={wanted}{ended}" if path != "/" or ended else "/sign-in", 303)
    if token:
        forget(answer)
    return answer


def forget(answer: Response) -> None:
    """Take the session cookie and what the page kept for itself out of the browser."""
    name = sessions.cookie_name()
    answer.delete_cookie(name, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="lax")
    answer.headers["Clear-Site-Data"] = '"storage"'


async def _for_reflex(scope: Any) -> Any:
    """An upload names its tab in a header; it is bound to the session like that of the websocket."""
    token = header(scope, b"reflex-client-token")
    if not token:
        return scope
    visitor = await sessions.visitor_of(cookies(scope))
    own = own_tab(token, visitor.actor.session_id if visitor else None)
    return {**scope, "headers": replaced(scope["headers"], b"reflex-client-token", own.encode())}


async def _websocket(app: App, scope: Any, receive: Any, send: Any) -> None:
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    token = query.get("token", "")
    reason = ""
    if not scope["path"].startswith(_SOCKET):
        reason = "an unknown socket"
    elif comes_from_here(scope) is False:
        reason = "a foreign page"
    elif not 8 <= len(token) <= 64:
        reason = "no token"
    elif not _SOCKETS.of(network(client_ip(scope))).take():
        reason = "too many handshakes"
    if reason:
        log.warning("a websocket was refused: %s, from %s", reason, client_ip(scope))
        await receive()
        await send({"type": "websocket.close", "code": 4403})
        return
    cookie = cookies(scope)
    visitor = await sessions.visitor_of(cookie)
    query["token"] = own_tab(token, visitor.actor.session_id if visitor else None)
    bound = {**scope, "query_string": urlencode(query).encode()}
    line = _Line(receive, send, cookie if visitor else "")
    await app(bound, line.receive, line.send)


class _Line:
    """An open websocket: its session is asked for again and again, its messages are counted."""

    def __init__(self, receive: Any, send: Any, cookie: str) -> None:
        self._receive, self._send, self._cookie = receive, send, cookie
        self._asked_at = time.monotonic()
        self._bucket = Bucket(*_MESSAGES)
        self._is_closed = False

    async def receive(self) -> Any:
        message = await self._receive()
        if message["type"] != "websocket.receive" or self._is_closed:
            return message
        size = len(message.get("text") or message.get("bytes") or "")
        if size > _MESSAGE_BYTES:
            return await self._close(1009)
        if not self._bucket.take():
            return await self._close(4429)
        if not await self._is_alive():
            return await self._close(4401)
        return message

    async def send(self, message: Any) -> None:
        if self._is_closed:
            return
        if message["type"] == "websocket.send" and not await self._is_alive():
            await self._close(4401)
            return
        await self._send(message)

    async def _is_alive(self) -> bool:
        """Whether the session the socket was opened with still stands; without one there is nothing to end."""
        if not self._cookie:
            return True
        if sessions.is_known_dead(self._cookie):
            return False
        if time.monotonic() - self._asked_at < _ASK_AGAIN:
            return True
        self._asked_at = time.monotonic()
        return await sessions.visitor_of(self._cookie, touch=False) is not None

    async def _close(self, code: int) -> Any:
        if not self._is_closed:
            self._is_closed = True
            await self._send({"type": "websocket.close", "code": code})
        return {"type": "websocket.disconnect", "code": code}
