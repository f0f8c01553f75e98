"""Handlers that exist for a test only, and an empty queue to begin with."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import pytest

from crm_app.core import events
from crm_app.core.events import DomainEvent, Handler
from crm_app.models.base import new_id
from crm_app.store.uow import unit_of_work
from tests.work import forget_jobs

Hear = Callable[[Handler], str]


@dataclass(frozen=True, kw_only=True)
class Rang(DomainEvent):
    """A fact that only tests tell."""

    name: ClassVar[str] = "bell.rang"
    entity: ClassVar[str] = "bell"
    loudness: int = 1


@pytest.fixture
def hear() -> Iterator[Hear]:
    """`hear(fn)` lets fn handle Rang for the test; returns the name it is known by."""
    before = {name: dict(handlers) for name, handlers in events._handlers.items()}

    def register(fn: Handler) -> str:
        events.on(Rang.name)(fn)
        return f"{fn.__module__.removeprefix('crm_app.handlers.')}.{fn.__name__}"

    yield register
    events._handlers.clear()
    events._handlers.update(before)


@pytest.fixture(autouse=True)
async def quiet(app_database: None) -> AsyncIterator[None]:
    await forget_jobs()
    yield
    await forget_jobs()


async def ring(actor: Any, *, loudness: int = 1, depth: int = 0) -> UUID:
    """Tell the fact; the id of the bell."""
    bell = new_id()
    async with unit_of_work(actor, depth=depth) as uow:
        uow.emit(Rang(record_id=bell, loudness=loudness))
    return bell
