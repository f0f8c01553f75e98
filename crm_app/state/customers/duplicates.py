"""The page of duplicates: pairs in two bands, side by side; merged, told apart or put off."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.dates import show_moment
from crm_app.core.errors import CrmError, NotFound
from crm_app.core.matching import Band, matched_entities
from crm_app.core.registry import Entity
from crm_app.models.customers.duplicates import DuplicateScan, ScanStatus
from crm_app.services.customers import duplicates, duplicates_pairs
from crm_app.services.platform import merges
from crm_app.services.platform.schema import entity_of
from crm_app.state.base import AppState, id_of, notice_action
from crm_app.state.customers import duplicates_views as views
from crm_app.state.customers.duplicates_views import FieldRow, HeadView, MergeView, PairView
from crm_app.state.live import next_batch
from crm_app.state.presence import BEAT
from crm_app.store.live import Changed, Message, Resync, Signal, hub
from crm_app.store.uow import UnitOfWork, retrying, unit_of_work

_SHOWN = 50


def merge_address(entity_name: str, record_ids: list[str]) -> str:
    """Where these records are merged: two or three side by side; one finds what looks like it."""
    query = urlencode({"entity": entity_name, "ids": ",".join(record_ids)}, safe=",")
    return f"/duplicates?{query}"


class DuplicatesState(AppState):
    """One tab's page. The address holds entity and band, or the ids of the records to merge."""

    entity: str = "contact"
    band: str = "sure"
    counts: dict[str, int] = {"sure": 0, "check": 0}
    pairs: list[PairView] = []
    current: str = ""  # the pair that is looked at; of a record's own candidates the id of the other one
    about: str = ""  # the record whose candidates are listed, by name; empty for the pairs of a run
    heads: list[HeadView] = []
    rows: list[FieldRow] = []
    survivor: str = ""
    run: dict[str, Any] = {"is_under_way": False, "percent": 0, "text": ""}
    lately: list[MergeView] = []
    may_merge: bool = False
    is_loaded: bool = False
    is_busy: bool = False
    _ids: list[str] = []
    _ids_of: dict[str, list[str]] = {}  # the records of a pair
    _skipped: list[str] = []
    _picks: dict[str, str] = {}
    _versions: dict[str, int] = {}

    @rx.event
    async def load(self):
        """Opened, or its address changed."""
        asked = self.router.url.query_parameters
        before = (self.entity, self.band, self._ids)
        entity = asked.get("entity", "contact")
        self.entity = entity if entity in matched_entities() else "contact"
        self.band = "check" if asked.get("band") == "check" else "sure"
        self._ids = [i for i in asked.get("ids", "").split(",") if i][: merges.MOST]
        if before != (self.entity, self.band, self._ids):
            self.pairs, self.heads, self.rows, self.current, self.is_loaded = [], [], [], "", False
            self._skipped, self._picks = [], {}
        return DuplicatesState.watch

    @rx.event(background=True)
    async def watch(self):
        async with self:
            actor, token = await self.actor(), self.router.session.client_token
        with hub.subscribe(actor.tenant_id, f"duplicates:{token}") as messages:
            async with self:
                await self._show(actor)
            while (batch := await next_batch(messages, BEAT)) is not None:
                async with self:
                    actor = await self.actor()
                    if any(self._concerns(m) for m in batch):
                        await self._show(actor)

    def _concerns(self, message: Message) -> bool:
        if isinstance(message, Signal):
            return message.topic == duplicates_pairs.SCAN
        if isinstance(message, Resync):
            return not message.entities or self.entity in message.entities
        return isinstance(message, Changed) and message.entity == self.entity

    def _entity(self) -> Entity:
        return registry.get(self.entity)

    async def _show(self, actor: Actor) -> None:
        """All of the page anew; what is being looked at stays, when it is still there."""
        entity = registry.get(self.entity)
        self.may_merge = all(actor.can(f"{entity.name}.{v}") for v in ("merge", "update", "delete"))
        if not actor.can(f"{entity.name}.read"):
            self.is_loaded = True
            return
        async with unit_of_work(actor) as uow:
            entity = await entity_of(uow, entity.name)
            await self._list(uow, entity)
            scan = await duplicates_pairs.latest(uow, entity)
            done = await merges.lately(uow, entity, limit=5) if self.may_merge else []
            counts = await duplicates_pairs.counts(uow, entity)
            await self._compare(uow, entity)
        self.run = _run(scan, actor)
        self.lately = [MergeView(str(m.id), m.title, f"/{entity.slug}/{m.survivor_id}", _when(m, actor)) for m in done]
        self.counts, self.is_loaded = {b.value: n for b, n in counts.items()}, True

    async def _list(self, uow: UnitOfWork, entity: Entity) -> None:
        self.about = ""
        if len(self._ids) == 1:
            await self._list_alike(uow, entity)
        elif self._ids:
            self.pairs, self.current = [], ""
        else:
            found = await duplicates_pairs.listed(
                uow, entity, Band(self.band), pair_ids=[UUID(i) for i in self._skipped], limit=_SHOWN
            )
            self.pairs = [PairView(str(p.id), p.first, p.second, ", ".join(p.reasons)) for p in found]
            self._ids_of = {str(p.id): [str(p.first_id), str(p.second_id)] for p in found}
        known = [p.id for p in self.pairs]
        if self.current not in known:
            self.current, self._picks, self.survivor = (known[0] if known else ""), {}, ""

    async def _list_alike(self, uow: UnitOfWork, entity: Entity) -> None:
        """What looks like one record."""
        try:
            (values,) = await views.read(uow, entity, [id_of(self._ids[0], "record")])
        except CrmError:
            self.pairs = []
            return
        self.about = str(values.get(entity.title) or entity.label)
        found = await duplicates.similar(uow, entity, values, record_id=values["id"], limit=20)
        alike = [m for m in found if m.id is not None]
        self.pairs = [PairView(str(m.id), m.title, m.detail, ", ".join(m.reasons)) for m in alike]
        self._ids_of = {str(m.id): [self._ids[0], str(m.id)] for m in alike}

    async def _compare(self, uow: UnitOfWork, entity: Entity) -> None:
        ids = self._ids_of.get(self.current, []) if self.current else self._ids if len(self._ids) > 1 else []
        try:
            found = await views.read(uow, entity, [id_of(i, "record") for i in ids]) if ids else []
        except CrmError:  # gone meanwhile: the list says what is left
            found = []
        if not found:
            self.heads, self.rows, self._versions = [], [], {}
            return
        self.heads = views.heads(entity, found, uow.actor)
        known = [h.id for h in self.heads]
        self.survivor = self.survivor if self.survivor in known else known[0]
        self._picks = {n: i for n, i in self._picks.items() if i in known}
        self._versions = {str(r["id"]): r["version"] for r in found}
        self.rows = views.field_rows(entity, found, uow.actor, self.survivor, self._picks)

    @rx.event
    async def choose(self, pair_id: str):
        """Another pair."""
        if pair_id not in {p.id for p in self.pairs}:
            return
        self.current, self._picks, self.survivor = pair_id, {}, ""
        await self._again()

    async def _again(self) -> None:
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            await self._compare(uow, await entity_of(uow, self.entity))

    @rx.event
    async def keep(self, record_id: str):
        """The record that stays; fields without a choice of their own follow it."""
        if record_id in {h.id for h in self.heads}:
            self.survivor = record_id
            await self._again()

    @rx.event
    async def pick(self, name: str, record_id: str):
        """Whose value a field gets."""
        if record_id in {h.id for h in self.heads} and name in {r.name for r in self.rows}:
            self._picks = {**self._picks, name: record_id}
            await self._again()

    @rx.event
    async def merge(self):
        """Make one of them."""
        if len(self.heads) < 2 or self.is_busy:
            return None
        actor, entity = await self.actor(), self._entity()
        survivor, others = UUID(self.survivor), [UUID(h.id) for h in self.heads if h.id != self.survivor]
        picks = {r.name: UUID(v.record) for r in self.rows if not r.is_joined for v in r.choices if v.picked}
        versions = {UUID(i): v for i, v in self._versions.items()}
        with self.telling():
            done = await retrying(
                actor, lambda uow: merges.merge(uow, entity, survivor, others, picks, versions=versions)
            )
            name = next(h.name for h in self.heads if h.id == self.survivor)
            self.notify(
                f"{len(others) + 1} {entity.plural.lower()} are now {name}", action="Undo", payload=f"unmerge:{done.id}"
            )
            if self._ids:
                return rx.redirect(f"/{entity.slug}/{survivor}")
        await self._show(actor)
        return None

    @rx.event
    async def undo(self, merge_id: str):
        """Part what was merged."""
        actor = await self.actor()
        with self.telling():
            parted = await retrying(actor, lambda uow: merges.unmerge(uow, id_of(merge_id, "merge")))
            name = next((m.name for m in self.lately if m.id == merge_id), "the record")
            self.notify(views.told(parted, name))
        if self.is_loaded:
            await self._show(actor)

    @rx.event
    async def tell_apart(self):
        """They are two, and no run asks again."""
        if not self.current or self._ids:
            return
        actor, pair = await self.actor(), self.current
        with self.telling():
            async with unit_of_work(actor) as uow:
                await duplicates_pairs.tell_apart(uow, UUID(pair))
            self.notify("They stay two records", action="Undo", payload=f"reopen_pair:{pair}")
        await self._show(actor)

    @rx.event
    async def reopen(self, pair_id: str):
        """Undo of telling apart."""
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                await duplicates_pairs.reopen(uow, id_of(pair_id, "pair"))
        await self._show(actor)

    @rx.event
    async def skip(self):
        """Put off until the page is opened anew."""
        if self.current and not self._ids:
            self._skipped = [*self._skipped[-500:], self.current]
            await self._show(await self.actor())

    @rx.event
    async def scan(self):
        """Look through all records in the background."""
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                await duplicates_pairs.start(uow, self._entity())
        await self._show(actor)

    @rx.event
    async def press(self, key: str):
        """J and K step through the pairs, 1 to 3 choose the record that stays."""
        known = [p.id for p in self.pairs]
        if key in ("j", "k") and self.current in known:
            place = known.index(self.current) + (1 if key == "j" else -1)
            if 0 <= place < len(known):
                return DuplicatesState.choose(known[place])
        if key.isdigit() and 0 < int(key) <= len(self.heads):
            return DuplicatesState.keep(self.heads[int(key) - 1].id)
        return None

    @rx.event
    async def merge_rows(self, entity_name: str, record_ids: list[str]):
        """For the chosen rows of a list: to the page where they are merged."""
        if not 2 <= len(record_ids) <= 3:
            self.notify("Choose two or three rows to merge.", kind="error")
            return None
        return rx.redirect(merge_address(entity_name, record_ids))


def _run(scan: DuplicateScan | None, actor: Actor) -> dict[str, Any]:
    if scan is None:
        return {"is_under_way": False, "percent": 0, "text": "Nobody has looked through them yet."}
    if scan.status in (ScanStatus.waiting, ScanStatus.running):
        percent = scan.done * 100 // scan.total if scan.total else 0
        return {"is_under_way": True, "percent": percent, "text": f"Looking through {scan.total or 'all'} records"}
    when = show_moment(scan.finished_at or scan.created_at, actor.time_zone)
    text = f"Looked through {when}" if scan.status is ScanStatus.done else f"The run of {when} failed; start it again."
    return {"is_under_way": False, "percent": 100, "text": text}


def _when(line: merges.MergeLine, actor: Actor) -> str:
    return f"{line.count + 1} became one, {show_moment(line.at, actor.time_zone)}" + (
        f", {line.who}" if line.who else ""
    )


async def merged_into(actor: Actor, entity: Entity, record_id: str) -> str:
    """The address of the record that took this one up; empty when none did."""
    try:
        async with unit_of_work(actor) as uow:
            there = await merges.survivor_of(uow, entity, id_of(record_id, "record"))
    except (CrmError, NotFound):
        return ""
    return f"/{entity.slug}/{there}" if there else ""


notice_action("unmerge", DuplicatesState.undo)
notice_action("reopen_pair", DuplicatesState.reopen)
