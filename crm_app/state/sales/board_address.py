"""What the address of the board means: a saved view, and what is shown differently. Every way to change what the board
shows leads through the address, so that a link shows the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

import reflex as rx

from crm_app.core.context import Actor
from crm_app.core.registry import Entity
from crm_app.core.views import View, fit
from crm_app.models.platform.saved_views import ViewKind
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.platform import lists, saved_views
from crm_app.services.platform.saved_views import MINE, Named
from crm_app.state.base import AppState, internal
from crm_app.state.sales import filters
from crm_app.state.sales.board_conditions import canonical, condition_of, query_of
from crm_app.store.uow import unit_of_work

GONE_VIEW = "The view of this address is not there any more, or it is somebody else's own. This is the whole board."
GONE_PIPELINE = "The pipeline of this view is not there any more; this is another one."
_FIELDS = ("q", "min", "max", "from", "until", "tag")
# As a plain dict Reflex would keep only the last owner of several.
Narrowing = TypedDict(
    "Narrowing",
    {"owner": list[str], "health": list[str], "q": str, "min": str, "max": str, "from": str, "until": str, "tag": str},
    total=False,
)


@dataclass(frozen=True)
class Asked:
    """`query` is all that is shown, in the words of an address; `base` what the view alone would be."""

    query: dict[str, str]
    base: dict[str, str] = field(default_factory=dict)
    named: Named = field(default_factory=Named)


async def read(actor: Actor, address: Mapping[str, str]) -> Asked:
    """What an address asks for."""
    if not address.get("view"):
        return Asked(filters.over({}, address))
    async with unit_of_work(actor) as uow:
        entity = await lists.entity_of(uow, OPPORTUNITY.name)
        named = await saved_views.named(uow, entity, address["view"], ViewKind.board)
    base = _base_of(named, entity, actor.currency)
    return Asked(filters.over(base, address), base, named)


class BoardAddress(AppState):
    """The filter bar and the menu of the board, and the saved view that one looks through."""

    view_id: str = ""
    view_name: str = ""
    may_keep: bool = False
    is_changed: bool = False
    note: str = ""
    _base: dict[str, str] = {}
    _query: dict[str, str] = {}
    _pipeline_id: str = ""
    _currency: str = ""

    @internal
    def lay(self, asked: Asked, pipeline_id: str, currency: str) -> None:
        """The board shows this now."""
        named = asked.named
        self._base, self._query, self._pipeline_id, self._currency = asked.base, asked.query, pipeline_id, currency
        is_elsewhere = bool(asked.query.get("p")) and asked.query["p"] == asked.base.get("p") != pipeline_id
        shown = {
            "view_id": named.id,
            "view_name": named.name,
            "may_keep": named.may_change,
            "note": GONE_VIEW if named.is_gone else GONE_PIPELINE if is_elsewhere else "",
        }
        for name, value in shown.items():
            setattr(self, name, value)
        self.is_changed = is_elsewhere or bool(self._difference(asked.query))

    @internal
    def looked_through(self) -> View:
        """What the board shows."""
        return View(filter=condition_of({**self._query, "p": self._pipeline_id}, self._currency))

    @internal
    def rebase(self, named: Named, entity: Entity) -> bool:
        """The saved view one looks through is this now; True when it says something else than before."""
        before = self._base
        self._base = _base_of(named, entity, self._currency)
        self.view_id, self.view_name, self.may_keep = named.id, named.name, named.may_change
        return self._base != before

    @internal
    def at(self, view_id: str):
        """The event that shows a saved view as it is; the whole board, and one's own, stay in their pipeline."""
        pipeline_id = self._pipeline_id if view_id in ("", MINE) else ""
        return rx.redirect(filters.address(pipeline_id, {"view": view_id}), replace=True)

    @internal
    def to(self, view: View):
        """The event that shows this, as a change of the view."""
        return rx.redirect(self._address(query_of(view.filter, self._currency)[0]), replace=True)

    @internal
    def here(self) -> str:
        """The address of what the board shows."""
        return self._address({**self._query, "p": self._pipeline_id})

    @rx.event
    async def narrow(self, given: Narrowing):
        """The filter form was sent."""
        await self._begin()
        query = {k: str(given.get(k) or "").strip() for k in _FIELDS}
        query |= {"owner": ",".join(given.get("owner", [])), "health": ",".join(given.get("health", []))}
        return self._go({**self._kept(), **query})

    @rx.event
    async def widen(self, key: str):
        await self._begin()
        return self._go(filters.without(self._query, key))

    @rx.event
    async def clear(self):
        await self._begin()
        return self._go(self._kept())

    @rx.event
    async def show_ends(self):
        """Show the columns of won and lost deals, or hide them again."""
        await self._begin()
        return self._go({**self._query, "ends": "" if self._query.get("ends") else "1"})

    async def _begin(self) -> None:
        """A server that starts again may be asked before it knows what the board shows."""
        if not self._currency:
            actor = await self.actor()
            query = self.router.url.query_parameters
            asked = await read(actor, {k: v for k, v in query.items() if isinstance(v, str)})
            self.lay(asked, asked.query.get("p", ""), actor.currency)

    def _kept(self) -> dict[str, str]:
        """What the filters do not touch."""
        return {"p": self._pipeline_id, "ends": self._query.get("ends", "")}

    def _go(self, query: Mapping[str, str]) -> Any:
        return rx.redirect(self._address({"p": self._pipeline_id, **query}))

    def _address(self, query: Mapping[str, str]) -> str:
        differs = self._difference(query)
        pipeline_id = differs.pop("p", "") if self._base.get("p") else query.get("p", "")
        return filters.address(pipeline_id, {"view": self.view_id, **differs})

    def _difference(self, query: Mapping[str, str]) -> dict[str, str]:
        """Of a query and the view, in the words of the query."""
        now = canonical(query, self._currency)
        keys = [k for k in now.keys() | self._base.keys() if now.get(k, "") != self._base.get(k, "")]
        return {k: query.get(k) or filters.NOTHING for k in keys if k != "p" or self._base.get("p")}


def _base_of(named: Named, entity: Entity, currency: str) -> dict[str, str]:
    """The view in the words of an address, as far as it is there for this person."""
    if not named.id:
        return {}
    view = fit(named.view, entity)[0]
    base = query_of(view.filter, currency)[0]
    return {k: v for k, v in base.items() if k != "ends"} if named.id == MINE else base
