"""What a form says of records that look like the one being made."""

from typing import Any

import reflex as rx

from crm_app.core.errors import CrmError
from crm_app.core.registry import Entity
from crm_app.services.customers import contacts, duplicates
from crm_app.services.customers.duplicates import Match
from crm_app.services.platform.schema import entity_of
from crm_app.state.base import AppState
from crm_app.store.uow import unit_of_work

# Boxes of links that take a new name, and what it becomes a record of.
NAMES = {"account_id_text": "account", "contact_id_text": "contact", "primary_contact_id_text": "contact"}


class TypedNames(AppState):
    """Names that are typed where a record is chosen: each would become a new one."""

    alike: list[dict[str, str]] = []

    @rx.event
    async def look(self, typed: dict[str, Any]):
        """Whether what is typed so far is there already."""
        actor, found = await self.actor(), []
        for box, kind in NAMES.items():
            name = str(typed.get(box) or "").strip()[:200]
            if len(name) < 3:
                continue
            values = {"name": name} if kind == "account" else contacts.named(name)
            try:
                async with unit_of_work(actor) as uow:
                    entity = await entity_of(uow, kind)
                    matches = await duplicates.similar(uow, entity, values, limit=3)
                    found += [alike_view(entity, m) for m in matches]
            except CrmError:  # who may make but not see is told nothing
                continue
        self.alike = found


def alike_view(entity: Entity, match: Match) -> dict[str, str]:
    """Name, second line, why and address; of a record that may not be seen one sentence alone."""
    if match.id is None:
        what = match.reasons[0].removeprefix("same ")
        label = entity.label.lower()
        article = "An" if label[0] in "aeiou" else "A"
        sentence = f"{article} {label} with this {what} exists, which you may not see; ask an admin."
        return {"name": sentence, "detail": "", "why": "", "href": ""}
    return {
        "name": match.title,
        "detail": match.detail,
        "why": ", ".join(match.reasons),
        "href": f"/{entity.slug}/{match.id}",
    }
