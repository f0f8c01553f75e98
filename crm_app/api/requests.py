"""What a raw ASGI scope says about who asks, from where, and how."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from crm_app.core.context import Actor
from crm_app.core.errors import Unauthenticated
from crm_app.services.people import sessions
from crm_app.settings import settings

Scope = Any  # of ASGI


def header(scope: Scope, name: bytes) -> str:
    """The first header of that (lower case) name, or ""."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def cookies(scope: Scope) -> str:
    """The raw Cookie header; browsers may split it under HTTP/2."""
    return "; ".join(v.decode("latin-1") for k, v in scope["headers"] if k == b"cookie")


def client_ip(scope: Scope) -> str:
    """Where it came from. X-Forwarded-For is believed for as many proxies as the settings name, and no further."""
    hops = settings().proxy_hops
    if hops:
        passed = [part.strip() for part in header(scope, b"x-forwarded-for").split(",") if part.strip()]
        if len(passed) >= hops:
            return passed[-hops][:64]
    client = scope.get("client")
    return str(client[0]) if client else ""


def comes_from_here(scope: Scope) -> bool | None:
    """Whether a page of ours sent it: by Origin, else by Sec-Fetch-Site. None when the client says neither, as no
    browser of this decade does."""
    origin = header(scope, b"origin")
    if origin:
        return origin != "null" and _is_own(origin, header(scope, b"host"))
    site = header(scope, b"sec-fetch-site")
    return site in ("same-origin", "none") if site else None


def _is_own(origin: str, host: str) -> bool:
    seen, own = urlsplit(origin), urlsplit(settings().base_url)
    if (seen.scheme, seen.netloc) == (own.scheme, own.netloc):
        return True
    # Another name for the same server (localhost, an address in the local network): the page's host is the request's.
    return seen.netloc == host and (seen.scheme == "https" or not settings().is_secure)


def wants_page(scope: Scope) -> bool:
    """A person opening an address, not a script asking for data."""
    return scope["method"] in ("GET", "HEAD") and (
        header(scope, b"sec-fetch-dest") == "document" or "text/html" in header(scope, b"accept")
    )


def replaced(headers: Iterable[tuple[bytes, bytes]], name: bytes, value: bytes) -> list[tuple[bytes, bytes]]:
    """The headers with one of them set anew."""
    return [*((k, v) for k, v in headers if k != name), (name, value)]


async def person_at(request: Request) -> Actor:
    """Who is signed in where the request comes from; Unauthenticated when nobody is."""
    scope = request.scope
    actor = await sessions.actor_of(
        cookies(scope), ip=client_ip(scope), user_agent=request.headers.get("user-agent", "")
    )
    if actor is None:
        raise Unauthenticated("Sign in first.")
    return actor
