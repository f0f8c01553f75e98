import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import pytest

from crm_app.core import events
from crm_app.core.events import DomainEvent, handlers_for, is_heard, on


@dataclass(frozen=True, kw_only=True)
class Moved(DomainEvent):
    name: ClassVar[str] = "test.moved"
    entity: ClassVar[str] = "test"
    values: Any = None


@pytest.fixture
def no_handlers() -> Iterator[None]:
    kept = {k: dict(v) for k, v in events._handlers.items()}
    events._handlers.clear()
    yield
    events._handlers.clear()
    events._handlers.update(kept)


def test_a_fact_is_plain_json() -> None:
    values = {
        "day": date(2026, 1, 2),
        "at": datetime(2026, 1, 2, 3, tzinfo=UTC),
        "many": (UUID(int=1), Decimal("1.50"), None, True, 2.5),
        7: {"x"},
    }
    payload = Moved(record_id=UUID(int=5), values=values).payload()
    assert json.loads(json.dumps(payload)) == {
        "values": {
            "day": "2026-01-02",
            "at": "2026-01-02T03:00:00+00:00",
            "many": [str(UUID(int=1)), "1.50", None, True, 2.5],
            "7": ["x"],
        }
    }


def test_handlers_hear_their_event_and_the_star_hears_all(no_handlers: None) -> None:
    async def tell_owner(uow: Any, fact: Any) -> None: ...
    async def index(uow: Any, fact: Any) -> None: ...

    assert not is_heard("test.moved")
    on("test.moved")(tell_owner)
    assert is_heard("test.moved") and not is_heard("test.won") and handlers_for("test.won") == {}
    on("*")(index)
    assert set(handlers_for("test.moved").values()) == {tell_owner, index}
    assert list(handlers_for("test.won").values()) == [index]


def test_a_handler_is_registered_once(no_handlers: None) -> None:
    async def tell_owner(uow: Any, fact: Any) -> None: ...

    on("test.moved")(tell_owner)
    with pytest.raises(ValueError, match="registered twice"):
        on("test.moved")(tell_owner)
