"""A list over REST as a program asks for it: the whole way of a request but the socket, token and limits included."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

from starlette.applications import Starlette

from bench.ground import World
from crm_app.api.guard import guard
from crm_app.api.rest import addresses
from crm_app.services.people import api_keys
from crm_app.store.live import hub
from crm_app.store.uow import unit_of_work

_app = guard(Starlette(routes=addresses.routes))
_tokens: dict[UUID, str] = {}
_tasks: set[asyncio.Task[None]] = set()


async def get(world: World, path: str, query: str) -> int:
    """Bytes of the answer."""
    headers = [
        (b"host", b"bench"), (b"authorization", f"Bearer {await _token(world)}".encode()), (b"user-agent", b"Bench"),
    ]  # fmt: skip
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("bench", 80),
    }  # fmt: skip
    status, size = 0, 0

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, size
        status = message.get("status", status)
        size += len(message.get("body", b""))

    await _app(scope, receive, send)
    assert status == 200, status
    return size


async def _token(world: World) -> str:
    """A key, made at the first request; the live feed runs from then on, as in a server."""
    if world.tenant_id not in _tokens:
        maker = replace(world.actor, permissions=world.actor.permissions | {api_keys.CREATE})
        async with unit_of_work(maker) as uow:
            token, _ = await api_keys.create(uow, name="Bench", scopes=["*"], per_minute=60_000)
        _tokens[world.tenant_id] = token
        task = asyncio.create_task(hub.listen())
        _tasks.add(task)
        await hub.is_listening.wait()
    return _tokens[world.tenant_id]
