"""People at the board who are not measured: websockets that open it as a browser does, and move cards now and then."""

import asyncio
import contextlib
import json
import random
from typing import Any, Self
from uuid import uuid4

import websockets
from playwright.async_api import WebSocket

from bench.ground import REPS, World, user_id_of
from crm_app.core.context import Source
from crm_app.models.base import new_id
from crm_app.services.people import actors, sessions
from crm_app.store.uow import unit_of_work
from tests.e2e.board import open_board
from tests.e2e.browsing import Visits

_PAUSE = 20.0  # seconds between two moves of one person
_MOVE = "board_state.move"


class Crowd:
    """`size` people, each with a session and a board that follows; together they move a card every `20 / size` seconds,
    and every board follows each of them."""

    def __init__(self, world: World, url: str, visits: Visits, size: int) -> None:
        self.world, self.url, self.visits, self.size = world, url, visits, size
        self._tasks: list[asyncio.Task[None]] = []
        self.moves = 0

    async def __aenter__(self) -> Self:
        hello = await self._hello()
        people = [
            await actors.actor_for(self.world.tenant_id, await user_id_of(self.world, e), source=Source.ui)
            for e in self.world.emails
        ]
        for number in range(self.size):
            person = people[number % REPS]
            async with unit_of_work(person) as uow:
                cookie = f"{sessions.cookie_name()}={await sessions.open_session(uow, person.user_id)}"
            self._tasks.append(asyncio.create_task(self._sit(number, cookie, hello)))
        await asyncio.sleep(3)
        if failed := next((t for t in self._tasks if t.done()), None):
            failed.result()
        return self

    async def __aexit__(self, *failed: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hello(self) -> str:
        """What a browser says when it opens the board: the same for everybody, but for the cookie and the tab."""
        first: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def said(text: Any) -> None:
            if str(text).startswith("40/_event") and not first.done():
                first.set_result(str(text))

        def opened(socket: WebSocket) -> None:
            socket.on("framesent", said)

        who = await actors.actor_for(
            self.world.tenant_id, await user_id_of(self.world, self.world.emails[0]), source=Source.ui
        )
        page = await self.visits.open(await self.visits.context(who), "")
        page.on("websocket", opened)
        await page.goto("/pipeline")
        await open_board(page)
        await page.context.close()
        return await first

    async def _sit(self, number: int, cookie: str, hello: str) -> None:
        address = f"{self.url.replace('http', 'ws', 1)}/_event/?token={uuid4()}&EIO=4&transport=websocket"
        headers = {"Cookie": cookie, "Origin": self.url}
        async with websockets.connect(address, additional_headers=headers, max_size=None) as line:
            await line.recv()
            await line.send(hello)
            mover = asyncio.create_task(self._move_now_and_then(line, random.Random(number)))
            try:
                async for message in line:
                    if message == "2":
                        await line.send("3")
            finally:
                mover.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await mover

    async def _move_now_and_then(self, line: Any, rng: random.Random) -> None:
        state = "reflex___state____state.crm_app___state___base____app_state.crm_app___state___sales___board____"
        await asyncio.sleep(rng.uniform(0, _PAUSE))
        while True:
            stage = rng.choice(self.world.stages[2:])  # away from the two columns that are measured
            payload = {
                "ids": [str(rng.choice(self.world.deals))], "stage": str(stage), "index": 0, "after": None, "seen": {},
                "operation": str(new_id()),
            }  # fmt: skip
            where = {"pathname": "/pipeline/", "asPath": "/pipeline/"}
            event = {
                "name": state + _MOVE,
                "payload": payload,
                "event_actions": {"temporal": True},
                "router_data": where,
            }
            await line.send(f"42/_event,{json.dumps(['event', event])}")
            self.moves += 1
            await asyncio.sleep(rng.uniform(0.5, 1.5) * _PAUSE)
