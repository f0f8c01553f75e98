"""Domain events: small facts in the past tense, stored in the transaction that caused them."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

MAX_DEPTH = 5  # an event caused by an event caused by ...: past this it is a loop


@dataclass(frozen=True, kw_only=True)
class DomainEvent:
    """Subclass it, set `name` ("opportunity.won") and `entity`, add the few values a listener needs."""

    name: ClassVar[str]
    entity: ClassVar[str]
    record_id: UUID

    def payload(self) -> dict[str, Any]:
        """JSON-safe values of the fact, without the record id."""
        return {k: plain(v) for k, v in asdict(self).items() if k != "record_id"}


@dataclass(frozen=True, kw_only=True)
class RecordFact(DomainEvent):
    """A fact that records of any entity can have: "<entity>.shared"."""

    name: str  # type: ignore[misc]  # of this one, where others have one a class
    entity: str  # type: ignore[misc]


@dataclass(frozen=True)
class StoredEvent:
    """A fact as a handler reads it back."""

    id: UUID
    name: str
    entity: str
    record_id: UUID
    payload: dict[str, Any]
    actor_id: UUID | None
    depth: int


def plain(value: Any) -> Any:
    """The value as JSON takes it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


Handler = Callable[..., Awaitable[None]]  # async (uow, fact: StoredEvent) -> None; may run twice
_handlers: dict[str, dict[str, Handler]] = defaultdict(dict)


def on(event_name: str) -> Callable[[Handler], Handler]:
    """Register a handler for an event name; "*" hears everything."""

    def register(fn: Handler) -> Handler:
        key = f"{fn.__module__.removeprefix('crm_app.handlers.')}.{fn.__name__}"
        if key in _handlers[event_name]:
            raise ValueError(f"handler {key} is registered twice for {event_name}")
        _handlers[event_name][key] = fn
        return fn

    return register


def handlers_for(event_name: str) -> dict[str, Handler]:
    return {**_handlers.get(event_name, {}), **_handlers.get("*", {})}


def is_heard(event_name: str) -> bool:
    return bool(_handlers.get(event_name) or _handlers.get("*"))
