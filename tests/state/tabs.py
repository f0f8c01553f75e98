"""A browser tab without a browser: the whole tree of states, a real session, handlers called as Reflex calls them."""

import asyncio
import inspect
import itertools
import json
from typing import Any, Self, TypeVar

import reflex as rx
from reflex.event import EventHandler
from reflex_base.event import Event

from crm_app.core.context import Actor
from crm_app.services.people import sessions
from crm_app.state.base import Doorkeeper
from crm_app.store.uow import unit_of_work

S = TypeVar("S", bound=rx.State)
_numbers = itertools.count()


class Tab:
    """`tab[SomeState]` is that state of the tab; `await tab.run(SomeState.handler, ...)` calls a handler."""

    def __init__(self, cookie: str, address: str = "/") -> None:
        self._root = rx.State(_reflex_internal_init=True)
        self._lock = asyncio.Lock()  # as Reflex runs one event of a tab at a time, but for what runs in the background
        headers = {"cookie": cookie, "origin": "http://localhost:8000", "user-agent": "Tests/1.0"}
        self._router = {"headers": headers, "token": f"tab {next(_numbers)}", "sid": "socket", "ip": "203.0.113.7"}
        self.go(address)

    def go(self, address: str) -> None:
        """Another address in the same tab."""
        page, _, query = address.partition("?")
        pairs = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
        before, self._router = self._router, {**self._router, "pathname": page, "asPath": address, "query": pairs}
        self._root.router_data = self._root._update_router_vars(self._router, before if self._root.router_data else {})

    def __getitem__(self, kind: type[S]) -> S:
        return self._root.get_substate(kind.get_full_name().split("."))

    async def run(self, handler: Any, *values: Any) -> list[Any]:
        """The events that the handler returned or yielded."""
        assert isinstance(handler, EventHandler), handler
        state = self[handler.state]
        event = Event(name=f"{state.get_full_name()}.{handler.fn.__name__}")
        if (turned_away := await Doorkeeper().preprocess(None, state, event)) is not None:  # type: ignore[arg-type]
            return list(turned_away.events)
        if handler.is_background:
            return await _answer(handler.fn(_Background(state, self._lock), *values))
        async with self._lock:
            return await _answer(handler.fn(state, *values))

    async def follow(self, handler: Any, told: list[Any]) -> None:
        """Run a watch for as long as it goes on; what it yields is in `told` at once."""
        async for event in handler.fn(_Background(self[handler.state], self._lock)):
            told.append(event)

    def sent(self) -> str:
        """All that the browser would know by now, as text to look into."""
        return json.dumps(self._root.dict(), default=str)


async def _answer(result: Any) -> list[Any]:
    if inspect.isasyncgen(result):
        return [event async for event in result]
    answer = await result if inspect.isawaitable(result) else result
    return [] if answer is None else answer if isinstance(answer, list) else [answer]


class _Background:
    """What a background event gets for `self`: the state, to be changed inside `async with` only."""

    def __init__(self, state: rx.State, lock: asyncio.Lock) -> None:
        self.__dict__.update(_state=state, _lock=lock, _is_open=False)

    def __getattr__(self, name: str) -> Any:
        state = self.__dict__["_state"]
        method = inspect.getattr_static(type(state), name, None)
        return method.__get__(self) if inspect.isfunction(method) else getattr(state, name)

    def __setattr__(self, name: str, value: Any) -> None:
        assert self.__dict__["_is_open"], f"{name} was set outside `async with self`"
        setattr(self.__dict__["_state"], name, value)

    async def __aenter__(self) -> Self:
        await self.__dict__["_lock"].acquire()
        self.__dict__["_is_open"] = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.__dict__["_is_open"] = False
        self.__dict__["_lock"].release()


async def tab_of(actor: Actor, address: str = "/") -> Tab:
    """A tab in which the actor is signed in."""
    assert actor.user_id is not None
    async with unit_of_work(actor) as uow:
        token = await sessions.open_session(uow, actor.user_id)
    return Tab(f"{sessions.cookie_name()}={token}", address)
