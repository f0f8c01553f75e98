"""The search of every page: what is typed, answered by records; before that, the records opened last; and what can be
done with the record that is open."""

from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.text import initials, tint
from crm_app.services.platform import finding, recents, spelling
from crm_app.services.platform.finding import Hit
from crm_app.state.base import AppState
from crm_app.state.platform.commands import Command, commands_for
from crm_app.state.platform.fields import has_page
from crm_app.store.uow import UnitOfWork, unit_of_work

ICONS = {"opportunity": "board", "product": "box", "activity": "task_list_square_ltr", "team": "people_team"}
_FACES = frozenset({"account", "contact", "user"})
_LABELS = {"opportunity": "Deals"}
PEOPLE = ("contact", "user")


class SearchState(AppState):
    """Rows as `kit.palette` lists them."""

    results: list[dict[str, Any]] = []
    answered: str = ""
    recents: list[dict[str, Any]] = []
    commands: list[dict[str, Any]] = []
    about: dict[str, str] = {}  # the record that is open, as {"address", "label", "group"}

    @rx.event
    async def search(self, text: str):
        """Somebody paused while typing; "@" asks for people only."""
        actor = await self.actor()
        text = str(text)
        kinds = PEOPLE if text.startswith("@") else tuple(k for k in finding.all_kinds() if has_page(k))
        async with unit_of_work(actor) as uow:
            found = await finding.search_forgiving(uow, text, kinds=kinds)
        like = f", spelled “{found.read_as}”" if found.read_as else ""
        self.results = [row(hit, group_of(hit.kind) + like, found.read_as) for hit in found.hits]
        self.answered = text

    @rx.event
    async def visit(self, address: str):
        """The page of a record is open."""
        await self._look(address, is_new=True)

    @rx.event
    async def recall(self, address: str):
        """The palette was opened on this page."""
        spelling.prepare(await self.actor())
        await self._look(address, is_new=False)

    async def _look(self, address: str, *, is_new: bool) -> None:
        actor, here = await self.actor(), record_at(str(address))
        async with unit_of_work(actor) as uow:
            hit = await self._open(uow, here, is_new=is_new) if here else None
            doing = await commands_for(uow, hit.kind, hit.id) if hit else []
            last = await recents.recent(uow, but=here)
        label = registry.get(hit.kind).label.lower() if hit else ""
        group = f"For this {'deal' if label == 'opportunity' else label}"
        fresh = {
            "recents": [row(h, "Opened last") for h in last],
            "commands": [_command_row(c) for c in doing],
            "about": {"address": f"/{_address(hit)}", "label": hit.title, "group": group} if hit else {},
        }
        for name, value in fresh.items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    async def _open(self, uow: UnitOfWork, here: tuple[str, UUID], *, is_new: bool) -> Hit | None:
        if is_new and uow.actor.looker_id is None:
            return await recents.note(uow, *here)
        named = await finding.named(uow, [here])
        return named[0] if named else None

    @rx.event
    async def run(self, payload: str):
        """A command was chosen; what it does asks for the right itself."""
        return AppState.act(0, "", str(payload))


def group_of(kind: str) -> str:
    return _LABELS.get(kind) or registry.get(kind).plural


def row(hit: Hit, group: str, lit: str = "") -> dict[str, Any]:
    """`lit` are the words to mark, when they are not those that were typed."""
    sign = (
        {"mark": initials(hit.title), "tint": tint(hit.title), "square": hit.kind == "account"}
        if hit.kind in _FACES
        else {"icon": ICONS.get(hit.kind) or registry.get(hit.kind).icon}
    )
    href = f"/{_address(hit)}"
    return {"group": group, "label": hit.title, "hint": hit.detail, "end": hit.extra, "href": href, "lit": lit, **sign}


def _address(hit: Hit) -> str:
    return f"{registry.get(hit.kind).slug}/{hit.id}"


def _command_row(command: Command) -> dict[str, Any]:
    way = {"href": command.href} if command.href else {"id": command.payload}
    return {"label": command.label, "hint": command.hint, "icon": command.icon, "keys": command.keys, **way}


def record_at(address: str) -> tuple[str, UUID] | None:
    """Kind and id of "/accounts/<id>" and the like; None for anything else."""
    slug, _, rest = address[:200].strip("/").partition("/")
    entity = registry.by_slug(slug)
    try:
        record_id = UUID(rest)
    except ValueError:
        return None
    return (entity.name, record_id) if entity is not None and entity.search and has_page(entity.name) else None
