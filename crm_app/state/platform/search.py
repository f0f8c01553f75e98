"""The search of every page: what is typed, answered by records; before that, the records opened last."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.text import initials, tint
from crm_app.services.platform import finding
from crm_app.services.platform.finding import Hit
from crm_app.state.base import AppState
from crm_app.store.uow import unit_of_work

GROUPS = {"opportunity": "Deals", "account": "Accounts", "contact": "Contacts", "product": "Products"}
ICONS = {"opportunity": "board", "product": "box"}
_MOST_RECENT = 6


class SearchState(AppState):
    """Rows as `kit.palette` lists them."""

    results: list[dict[str, Any]] = []
    answered: str = ""
    recents: list[dict[str, Any]] = []

    @rx.event
    async def search(self, text: str):
        """Somebody paused while typing."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            found = await finding.search_forgiving(uow, text)
        like = f", spelled “{found.read_as}”" if found.read_as else ""
        self.results = [row(hit, GROUPS[hit.kind] + like, found.read_as) for hit in found.hits]
        self.answered = text

    @rx.event
    async def recall(self, addresses: list[str]):
        """The palette was opened in a browser that was last at these pages; only what may be seen comes back."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            hits = await finding.named(uow, records_at(addresses))
        self.recents = [row(hit, "Opened last") for hit in hits]


def row(hit: Hit, group: str, lit: str = "") -> dict[str, Any]:
    """`lit` are the words to mark, when they are not those that were typed."""
    is_party = hit.kind in ("account", "contact")
    sign = (
        {"mark": initials(hit.title), "tint": tint(hit.title), "square": hit.kind == "account"}
        if is_party
        else {"icon": ICONS[hit.kind]}
    )
    href = f"/{registry.get(hit.kind).slug}/{hit.id}"
    return {"group": group, "label": hit.title, "hint": hit.detail, "end": hit.extra, "href": href, "lit": lit, **sign}


def records_at(addresses: Sequence[str]) -> list[tuple[str, UUID]]:
    """Kind and id of "/accounts/<id>" and the like; what is no such address is left out."""
    found: list[tuple[str, UUID]] = []
    for address in addresses[:20]:
        slug, _, rest = str(address).strip("/").partition("/")
        entity = registry.by_slug(slug)
        try:
            record_id = UUID(rest)
        except ValueError:
            continue
        if entity is not None and entity.name in finding.KINDS and (entity.name, record_id) not in found:
            found.append((entity.name, record_id))
    return found[:_MOST_RECENT]
