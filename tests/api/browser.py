"""A browser as far as the server can tell: cookies, the headers of a page, and Reflex's websocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import reflex as rx
from websockets.asyncio.client import ClientConnection, connect


@dataclass
class Browser:
    http: httpx.AsyncClient
    base_url: str

    @property
    def cookie(self) -> str:
        return "; ".join(f"{k}={v}" for k, v in self.http.cookies.items())

    async def open(self, path: str, **more: Any) -> httpx.Response:
        """A person opening an address."""
        return await self.http.get(path, headers={"accept": "text/html", "sec-fetch-dest": "document"}, **more)

    async def post(self, path: str, *, origin: str | None = "", **fields: str) -> httpx.Response:
        """A form of our own page, unless `origin` says otherwise; None sends no Origin at all."""
        sent = {} if origin is None else {"origin": origin or self.base_url}
        return await self.http.post(path, data=fields, headers=sent)

    @asynccontextmanager
    async def tab(self, token: str = "", *, origin: str | None = "", cookie: str | None = None) -> AsyncIterator["Tab"]:
        """A tab with its websocket. `token` is what the tab calls itself."""
        token = token or str(uuid4())
        query = urlencode({"EIO": "4", "transport": "websocket", "token": token})
        sent = {"cookie": self.cookie if cookie is None else cookie}
        url = f"{self.base_url.replace('http', 'ws', 1)}/_event/?{query}"
        chosen = None if origin is None else origin or self.base_url
        async with connect(url, additional_headers=sent, origin=chosen, open_timeout=5) as socket:  # type: ignore[arg-type]
            tab = Tab(socket, token)
            await tab.begin()
            yield tab


@dataclass
class Tab:
    socket: ClientConnection
    token: str
    received: list[dict[str, Any]] = field(default_factory=list)

    async def begin(self) -> None:
        await self._until("0")
        await self.socket.send("40/_event,")
        await self._until("40/_event")

    async def send(self, name: str, /, path: str = "/pipeline", **payload: Any) -> None:
        event = {"name": name, "payload": payload, "router_data": {"pathname": path, "asPath": path, "query": {}}}
        await self.socket.send(f"42/_event,{json.dumps(['event', event])}")

    async def hydrate(self) -> dict[str, Any]:
        """Ask for the whole state, as a page does when it opens."""
        await self.send(f"{rx.State.get_full_name()}.hydrate")
        return await self.update(lambda u: bool(u.get("delta")))

    async def update(self, wanted: Any = lambda _: True, seconds: float = 3) -> dict[str, Any]:
        """The next update that is wanted."""
        async with asyncio.timeout(seconds):
            while True:
                frame = await self._until("42/_event,")
                name, body = json.loads(frame.partition(",")[2])
                if name != "event":
                    continue
                self.received.append(body)
                if wanted(body):
                    return body

    async def redirect(self) -> str:
        """Where the server sends this tab."""
        update = await self.update(lambda u: any(e["name"] == "_redirect" for e in u.get("events") or ()))
        return next(e["payload"]["path"] for e in update["events"] if e["name"] == "_redirect")

    async def _until(self, start: str) -> str:
        while True:
            frame = str(await self.socket.recv())
            if frame == "2":
                await self.socket.send("3")
            elif frame.startswith(start):
                return frame
