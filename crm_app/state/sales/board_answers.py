"""What the board's dialog is for: winning, losing, another pipeline, missing fields, a new deal."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import reflex as rx

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.errors import CrmError
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.platform import finding, operations, records
from crm_app.services.sales import closing, drops, newcomers
from crm_app.services.sales.opportunities import Closing
from crm_app.state.base import AppState
from crm_app.state.platform.forms import named, values_of
from crm_app.state.sales.board import BoardState
from crm_app.state.sales.deal_dialog import LOST, MISSING, NEW, PIPELINE, WON, DealDialog
from crm_app.store.uow import UnitOfWork, retrying, unit_of_work

_USUAL_TERM = timedelta(days=30)  # until the close date a new deal is first given


class BoardAnswers(AppState):
    """Opens the dialog and does what it was filled in for."""

    @rx.event
    async def close(self, ids: list[str], end: str, seen: dict[str, Any], operation: str):
        """Cards were dropped on Won, Lost or Other pipeline; each asks first, the cards wait where they are."""
        desk = await self.get_state(BoardState)
        desk.push({"op": "settle", "op_id": operation, "outcome": "ask"})
        titles = await desk.titles(await self.actor(), ids)
        await self._open(end, ids, titles, operation)

    @rx.event
    async def close_one(self, record_id: str, title: str, end: str):
        """Won or Lost from a deal's own page."""
        await self._open(end, [record_id], [title], str(uuid4()))

    async def _open(self, end: str, ids: list[str], titles: list[str], operation: str) -> None:
        actor = await self.actor()
        about = titles[0] if len(titles) == 1 else f"{len(ids)} deals"
        async with unit_of_work(actor) as uow:
            choices = await closing.choices(uow, end)
        today = actor.day_of(choices.now).isoformat()
        dialog = await self.get_state(DealDialog)
        if end == PIPELINE:
            stages = [{"value": str(s["id"]), "label": f"{s['pipeline']}: {s['name']}"} for s in choices.stages]
            dialog.ask(
                PIPELINE,
                title="Move to another pipeline",
                about=about,
                confirm="Move to another pipeline",
                fields=[named("stage_id", "Stage", "choice", options=stages, required=True)],
                operation=operation,
                ids=ids,
            )
            return
        reasons = [{"value": str(r["id"]), "label": r["name"]} for r in choices.reasons]
        rivals = [{"value": str(r["id"]), "label": r["name"]} for r in choices.competitors]
        is_won = end == WON
        dialog.ask(
            WON if is_won else LOST,
            title="Mark as won" if is_won else "Mark as lost",
            about=about,
            confirm="Mark as won" if is_won else "Mark as lost",
            fields=[
                named("win_loss_reason_id", "Reason", "choice", options=reasons, required=not is_won),
                named("competitor_won_id", "Competitor beaten" if is_won else "Lost to", "choice", options=rivals),
                named("actual_close_on", "Close date", "date", value=today, required=True),
                named("win_loss_details", "Note", "long_text", hint="What should the next one know?"),
            ],
            operation=operation,
            ids=ids,
        )

    @rx.event
    async def new_deal(self, stage: str, title: str = "", amount: str = "", operation: str = ""):
        """The form of a new deal, with what was typed in the column already in it."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            today = uow.today
            accounts = await _choices(uow, ACCOUNT.name, "", [])
        if operation:
            desk = await self.get_state(BoardState)
            desk.push({"op": "settle", "op_id": operation, "outcome": "ask"})
        dialog = await self.get_state(DealDialog)
        dialog.ask(
            NEW,
            title="New deal",
            about="",
            confirm="Create deal",
            fields=[
                named("name", "Name", "text", value=title, required=True),
                named(
                    "account_id",
                    "Account",
                    "link",
                    options=accounts,
                    required=True,
                    free=True,
                    hint="Type to search; a new name becomes a new account.",
                ),
                named("amount_minor", "Amount", "money", value=amount, text=actor.currency, required=True),
                named(
                    "expected_close_on",
                    "Expected close",
                    "date",
                    value=(today + _USUAL_TERM).isoformat(),
                    required=True,
                ),
            ],
            operation=operation or str(uuid4()),
            stage=stage,
        )

    @rx.event
    async def search(self, name: str, text: str):
        """Choices of a link while somebody types."""
        dialog, actor = await self.get_state(DealDialog), await self.actor()
        spec = OPPORTUNITY.spec(name)
        if all(f["name"] != name for f in dialog.fields) or spec is None or not spec.target:
            return  # typed before the server started anew: it is told soon
        async with unit_of_work(actor) as uow:
            found = await _choices(uow, spec.target, text, dialog._ids)
        dialog.fields = [{**f, "options": found} if f["name"] == name else f for f in dialog.fields]

    @rx.event
    async def cancel(self):
        """Nothing happens; the cards go back to where they are."""
        dialog = await self.get_state(DealDialog)
        ids, operation, kind = list(dialog._ids), dialog._operation, dialog.kind
        dialog.close()
        desk = await self.get_state(BoardState)
        if kind == NEW:  # what was typed in the column stays there
            desk.push({"op": "settle", "op_id": operation, "outcome": "refused", "text": "", "fields": {}})
        elif desk.is_loaded:
            await desk.settle(await self.actor(), ids, operation, "refused")

    @rx.event
    async def submit(self, given: dict[str, Any]):
        """The dialog was confirmed; what is wrong is shown at its field and the dialog stays."""
        dialog = await self.get_state(DealDialog)
        if not dialog.take_up(given.pop("memory", ""), given):
            return  # pressed twice
        actor = await self.actor()
        try:
            said = await self._do(actor, dialog, given)
        except CrmError as refusal:
            dialog.complain(refusal, given)
            return
        ids, operation, kind = list(dialog._ids), dialog._operation, dialog.kind
        dialog.close()
        desk = await self.get_state(BoardState)
        if desk.is_loaded:
            await desk.settle(actor, ids, operation)
        if kind == NEW:
            self.notify(said)
        else:
            self.notify(said, action="Undo", payload=f"undo:{operation}")

    async def _do(self, actor: Actor, dialog: DealDialog, given: Mapping[str, Any]) -> str:
        """The sentence that says what was done."""
        return await retrying(actor, lambda uow: _answer(uow, dialog, given))


async def _answer(uow: UnitOfWork, dialog: DealDialog, given: Mapping[str, Any]) -> str:
    operation, ids = UUID(dialog._operation), [UUID(i) for i in dialog._ids]
    specs = {f["name"]: OPPORTUNITY.fields[f["name"]] for f in dialog.fields if f["name"] in OPPORTUNITY.fields}
    if dialog.kind == NEW:
        if (before := await operations.begin(uow, operation)) is not None:  # the answer was lost on the way
            return f"{before['name']} was created"
        values = values_of(specs, await _with_newcomers(uow, dialog, given), uow.actor)
        deal = await records.create(uow, OPPORTUNITY, {**values, **closing.in_stage(dialog._stage)})
        await operations.keep(uow, operation, {"name": deal.name})
        return f"{deal.name} was created"
    values = values_of(specs, await _with_newcomers(uow, dialog, given), uow.actor)
    if dialog.kind in (WON, LOST):
        how = Closing(
            reason_id=values.get("win_loss_reason_id"),
            details=values.get("win_loss_details") or "",
            competitor_id=values.get("competitor_won_id"),
            on=values.get("actual_close_on"),
        )
        done = await drops.close(uow, operation, ids, won=dialog.kind == WON, closing=how)
        return f"{_what(done)} {'won' if dialog.kind == WON else 'lost'}"
    stage = UUID(str(given.get("stage_id") or "")) if dialog.kind == PIPELINE else UUID(dialog._stage)
    after = UUID(dialog._after) if dialog._after else None
    filled = values if dialog.kind == MISSING else {}
    done = await drops.move(uow, operation, ids, to_stage_id=stage, after_id=after, values=filled)
    return f"{_what(done)} moved"


async def _with_newcomers(uow: UnitOfWork, dialog: DealDialog, given: Mapping[str, Any]) -> dict[str, Any]:
    """With a record for each new name that was typed into a free link."""
    made = dict(given)
    if await operations.outcome_of(uow, UUID(dialog._operation)):  # sent twice: they are made
        return made
    for name in (f["name"] for f in dialog.fields if f.get("free") and not given.get(f["name"])):
        if typed := str(given.get(f"{name}_text") or "").strip():
            ids = [UUID(i) for i in dialog._ids]
            target = OPPORTUNITY.fields[name].target
            made[name] = str(await newcomers.by_name(uow, target, typed, opportunity_ids=ids))
    return made


def _what(done: drops.Drop) -> str:
    return done.names[0] if len(done.names) == 1 else f"{len(done.names)} deals"


async def _choices(uow: UnitOfWork, target: str, text: str, ids: Sequence[str]) -> list[dict[str, str]]:
    """The deals' own people first."""
    near = await newcomers.people(uow, [UUID(i) for i in ids]) if target == CONTACT.name and not text.strip() else []
    hits = near or await finding.choices(uow, registry.get(target), text)
    return [{"value": str(h.id), "label": h.title, "hint": h.detail} for h in hits]
