"""What can be done with a record from the search palette: each system adds its own.

Acts that a button of the page does are KEYS of that page; a command is for what only the record tells, such as the
stage that comes next.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_app.store.uow import UnitOfWork


@dataclass(frozen=True, slots=True)
class Command:
    """`href` goes there; `payload` is done by the server, "<name>:<value>" as `base.notice_action` takes it."""

    label: str
    hint: str = ""
    icon: str = "arrow_right"
    keys: str = ""
    href: str = ""
    payload: str = ""


Source = Callable[[UnitOfWork, UUID], Awaitable[Sequence[Command]]]
_sources: dict[str, list[Source]] = {}


def offers(entity: str, source: Source) -> None:
    """Adds commands to every record of an entity that the actor may see; what the role may not do the source leaves
    out. Called where the record's page is declared."""
    _sources.setdefault(entity, []).append(source)


async def commands_for(uow: UnitOfWork, entity: str, record_id: UUID) -> list[Command]:
    """In the order in which they were added."""
    found: list[Command] = []
    for source in _sources.get(entity, ()):
        found += await source(uow, record_id)
    return found
