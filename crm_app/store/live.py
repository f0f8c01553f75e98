"""The live feed: one LISTEN connection a process, fanned out to the queues of its subscribers.

Messages carry ids and versions only; whoever listens reads anew under the viewer's own permissions.
"""

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from crm_app.store.databases import database_urls
from crm_app.store.uow import LIVE_CHANNEL

log = logging.getLogger(__name__)
_QUEUE_SIZE = 500


@dataclass(frozen=True, slots=True)
class Changed:
    """A record of `entity` was created, updated or deleted, by `user_id`."""

    entity: str
    record_id: UUID
    version: int
    action: str
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Resync:
    """Too much changed, or the line was down: read anew. Empty `entities` means everything."""

    entities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Signal:
    """A passing word between screens (who is looking at what); never stored."""

    topic: str
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Personal:
    """There is news for these people alone, empty for everybody. Only who asks for it is told."""

    user_ids: frozenset[str] = frozenset()  # as hex

    def is_for(self, user_id: UUID | None) -> bool:
        return not self.user_ids or (user_id is not None and user_id.hex in self.user_ids)


Message = Changed | Resync | Signal | Personal
_EVERYTHING = (Changed, Resync, Signal)


@dataclass(frozen=True, slots=True)
class _Subscriber:
    queue: asyncio.Queue[Any]
    wanted: tuple[type, ...]
    about: frozenset[str]

    def wants(self, message: Message) -> bool:
        if not isinstance(message, self.wanted):
            return False
        return not self.about or not isinstance(message, Changed) or message.entity in self.about


Forget = Callable[[UUID | None, frozenset[str]], None]


class LiveHub:
    """Subscribers of this process, by tenant. `listen` runs as long as the process does."""

    def __init__(self) -> None:
        self._subscribers: dict[UUID, dict[str, _Subscriber]] = defaultdict(dict)
        self.is_listening = asyncio.Event()
        self._caches: list[Forget] = []

    def tell_cache(self, forget: Forget) -> None:
        """Call `forget(tenant, entities)` at every change of a tenant's records, before screens hear of it, and
        `forget(None, ...)` when changes may have been missed. What is cached is good only while `is_listening`."""
        self._caches.append(forget)

    @contextlib.contextmanager
    def subscribe(
        self,
        tenant_id: UUID,
        key: str,
        wanted: tuple[type, ...] = _EVERYTHING,
        *,
        about: frozenset[str] = frozenset(),
    ) -> Iterator[asyncio.Queue[Any]]:
        """A queue of the tenant's messages of the `wanted` kinds; of changes only those `about` these entities, when
        there are any. The newest subscription under `key` wins; the older one receives None."""
        mine = _Subscriber(asyncio.Queue(maxsize=_QUEUE_SIZE), wanted, about)
        subscribers = self._subscribers[tenant_id]
        if older := subscribers.get(key):
            put(older.queue, None)
        subscribers[key] = mine
        try:
            yield mine.queue
        finally:
            if subscribers.get(key) is mine:
                del subscribers[key]
            if not subscribers and self._subscribers.get(tenant_id) is subscribers:
                del self._subscribers[tenant_id]

    def count(self) -> int:
        return sum(len(s) for s in self._subscribers.values())

    async def listen(self) -> None:
        """Read notifications for ever; after a lost connection everybody is told to read anew."""
        while True:
            try:
                await self._listen_once()
            except psycopg.OperationalError as error:
                log.warning("live feed lost its connection, trying again: %s", error)
                self.is_listening.clear()
                await asyncio.sleep(1)

    async def _listen_once(self) -> None:
        conninfo = database_urls().direct
        async with await psycopg.AsyncConnection.connect(
            conninfo, autocommit=True, application_name="salescompass live"
        ) as connection:
            await connection.execute(f"LISTEN {LIVE_CHANNEL}".encode())
            for forget in self._caches:
                forget(None, frozenset())
            self.is_listening.set()
            for subscribers in list(self._subscribers.values()):
                _tell(subscribers, Resync())
            async for note in connection.notifies():
                try:
                    self._spread(note.payload)
                except (ValueError, KeyError, TypeError):  # the channel is open to whoever has the role: go on
                    log.exception("live feed got a message it cannot read: %.200s", note.payload)

    def _spread(self, payload: str) -> None:
        body = json.loads(payload)
        touched = frozenset((*(c["e"] for c in body.get("c", ())), *body.get("s", ())))
        for forget in self._caches if touched else ():
            forget(UUID(body["t"]), touched)
        subscribers = self._subscribers.get(UUID(body["t"]))
        if not subscribers:
            return
        messages: list[Message] = [
            Changed(c["e"], UUID(c["i"]), c["v"], c["a"], body.get("u", "")) for c in body.get("c", ())
        ]
        if "s" in body:
            messages.append(Resync(frozenset(body["s"])))
        if "p" in body:
            messages.append(Signal(body["p"], body.get("b", {})))
        if "n" in body:
            messages.append(Personal(frozenset(body["n"])))
        for message in messages:
            _tell(subscribers, message)


def _tell(subscribers: dict[str, _Subscriber], message: Message) -> None:
    for subscriber in list(subscribers.values()):
        if subscriber.wants(message):
            put(subscriber.queue, message)


def put(q: asyncio.Queue[Any], message: Any) -> None:
    """A full queue belongs to a stuck screen: one order to read anew instead of five hundred messages."""
    if q.full():
        while not q.empty():
            q.get_nowait()
        message = None if message is None else Resync()
    q.put_nowait(message)


hub = LiveHub()
