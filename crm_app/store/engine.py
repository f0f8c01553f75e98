"""One pool of connections a process, as the application's role."""

import asyncio
import select
import time
from collections import deque
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util import await_only
from sqlalchemy.util.queue import AsyncAdaptedQueue, Empty

from crm_app.settings import settings
from crm_app.store import ready
from crm_app.store.databases import database_urls, sqlalchemy_url

_PING_AFTER = 2.0  # seconds a connection lay unused, after which it is asked whether it still lives
_engine: AsyncEngine | None = None


class _TurnQueue(AsyncAdaptedQueue[Any]):
    """Connections that wait for use, and callers that wait for one: first come, first served.

    SQLAlchemy's own lets whoever gives a connection back take it again at once, so that with more callers than
    connections some wait for seconds. What was used last is handed out first: its caches and statements are warm.
    """

    def __init__(self, maxsize: int = 0, use_lifo: bool = True) -> None:
        super().__init__(maxsize, use_lifo)
        self._waiting: deque[asyncio.Future[Any]] = deque()

    def put_nowait(self, item: Any) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(item)
                return
        super().put_nowait(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if not self._queue.empty():  # then nobody waits
            return self.get_nowait()
        if not block:
            raise Empty
        return await_only(self._turn(timeout))

    async def _turn(self, patience: float | None) -> Any:
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(patience):
                return await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():  # handed over in the very moment the caller gave up
                self.put_nowait(waiter.result())
            if isinstance(error, TimeoutError):
                raise Empty from error
            raise


class _TurnPool(AsyncAdaptedQueuePool):
    _queue_class = _TurnQueue


def engine() -> AsyncEngine:
    """The process's engine, made at first use."""
    global _engine  # noqa: PLW0603
    if _engine is None:
        options: dict[str, Any] = {"application_name": "salescompass"}
        _engine = create_async_engine(
            sqlalchemy_url(database_urls().app),
            poolclass=_TurnPool,
            pool_size=settings().pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_use_lifo=True,
            pool_recycle=1800,
            connect_args=options,
        )
        event.listen(_engine.sync_engine.pool, "checkin", _note_use)
        event.listen(_engine.sync_engine.pool, "checkout", _ask_if_alive)
    return _engine


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _ask_if_alive(connection: Any, record: Any, _proxy: Any) -> None:
    """A connection that lay unused for a while may have been cut; asking at every use would cost a round trip."""
    if ready.is_stuck(connection.driver_connection):
        raise DisconnectionError("answers to another question are on the line")
    used = record.info.get("used")
    if used is None or (time.monotonic() - used < _PING_AFTER and not _was_cut(connection.driver_connection)):
        return
    assert _engine is not None
    try:
        _engine.sync_engine.dialect.do_ping(connection)
    except _engine.sync_engine.dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error  # the pool tries another one


def _was_cut(driver: Any) -> bool:
    """Whether something waits on the idle line, which as a rule is its end; takes no round trip."""
    if driver.closed:
        return True
    line = select.poll()
    line.register(driver.fileno(), select.POLLIN)
    return bool(line.poll(0))


async def close_engine() -> None:
    global _engine  # noqa: PLW0603
    if _engine is not None:
        await _engine.dispose()
        _engine = None
