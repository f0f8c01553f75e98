"""Fields of a record as a page shows and edits them, whatever the record is."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from crm_app.core import registry
from crm_app.core.changes import value_of
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.dates import show_date
from crm_app.core.errors import Conflict, CrmError, Invalid, NotFound
from crm_app.core.fields import parse_value, show_value
from crm_app.core.money import NBSP, NNBSP
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.services.platform import finding, history, records, tags
from crm_app.services.platform.history import FieldChange, History
from crm_app.services.platform.schema import entity_of
from crm_app.store.uow import unit_of_work

# Kind of a field -> kind of the box that edits it.
_BOXES = {
    Kind.long_text: "long",
    Kind.number: "number",
    Kind.decimal: "number",
    Kind.percent: "number",
    Kind.money: "money",
    Kind.date: "date",
    Kind.choice: "choice",
    Kind.flag: "choice",
    Kind.choices: "picks",
    Kind.datetime: "moment",
    Kind.link: "link",
    Kind.email: "email",
    Kind.phone: "phone",
    Kind.url: "url",
}
_SOMETHING_ELSE = object()  # what the person saw, when it is not there any more
_FLAG = [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]
SET_UP = frozenset(  # what admins arrange under Settings: their records have no list and no page
    {"activity_type", "competitor", "pipeline", "role", "stage", "territory", "win_loss_reason"}
)


def has_page(entity_name: str) -> bool:
    """Whether the records of an entity have a page of their own."""
    return registry.find(entity_name) is not None and entity_name not in SET_UP


@dataclass(frozen=True)
class FieldView:
    """`value` is what is edited, `shown` what is read; `locked` says why it cannot be edited, empty when it can."""

    name: str
    label: str
    box: str
    value: str
    shown: str
    href: str = ""
    locked: str = ""
    options: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class SectionView:
    title: str
    fields: list[FieldView]


def field_view(
    spec: FieldSpec, values: Mapping[str, Any], actor: Actor, *, locked: str = "", options: Sequence[Any] = ()
) -> FieldView:
    """`values` as records.find and the pages' own reads give them: `<link>__title` beside each link."""
    value = values.get(spec.name)
    known = {"currency": currency_of(spec, values, actor), "time_zone": actor.time_zone}
    title = values.get(f"{spec.name}__title") or ""
    choices = [dict(o) for o in options] or _options(spec)
    is_link = spec.kind is Kind.link and not spec.masked
    box = "choice" if options and spec.kind is Kind.text else _BOXES.get(spec.kind, "text")
    href = f"/{registry.get(spec.target).slug}/{value}" if value and is_link and has_page(spec.target) else ""
    return FieldView(
        name=spec.name,
        label=spec.label,
        box="tags" if box == "picks" and not choices else box,
        value=str(value) if is_link and value else _edited(spec, value, known),
        shown=title if is_link else show_value(spec, value, **known),
        href=href,
        locked=locked,
        options=choices,
    )


def _edited(spec: FieldSpec, value: Any, known: Mapping[str, str]) -> str:
    """As its box holds it: a moment without a zone, where the person lives."""
    if spec.kind is Kind.datetime and value and not spec.masked:
        return f"{value.astimezone(ZoneInfo(known['time_zone'])):%Y-%m-%dT%H:%M}"
    return show_value(spec, value, plain=True, **known)


def lock_of(entity: Entity, spec: FieldSpec) -> str:
    """Why a field of a record cannot be changed here, empty when it can."""
    if spec.masked:
        return "Your role may see that it is filled in, not what with."
    if spec.formula:
        return "Worked out from other fields."
    if spec.name in entity.readonly:
        is_mine = spec.custom or spec.name not in registry.get(entity.name).readonly
        return "Your role may read this, not change it." if is_mine else "Set by the system."
    return ""


async def entity_for(actor: Actor, name: str) -> Entity:
    """The declaration as this person sees it."""
    async with unit_of_work(actor) as uow:
        return await entity_of(uow, name)


def currency_of(spec: FieldSpec, values: Mapping[str, Any], actor: Actor) -> str:
    return str(values.get(spec.currency_field) or actor.currency) if spec.currency_field else actor.currency


def _options(spec: FieldSpec) -> list[dict[str, str]]:
    if spec.kind is Kind.flag:
        return _FLAG
    return [{"value": c.value, "label": c.label} for c in spec.choices]


def read_typed(spec: FieldSpec, text: str, *, currency: str, actor: Actor) -> Any:
    """What a person typed as a value; Invalid says what is wrong."""
    try:
        return parse_value(spec, text, currency=currency, time_zone=actor.time_zone)
    except ValueError as error:
        raise Invalid(**{spec.name: str(error)}) from error


async def save(
    actor: Actor, entity: Entity, record_id: UUID, name: str, text: str, seen: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Write what was typed into one field; the answer is for the field's place in the page.

    `seen` is the field's text when editing began: when the field holds something else by now, nothing is written and
    the answer is a conflict. What stands there already is saved: a text may be sent twice when the line was lost in
    between. `values` tell the currency of an amount.
    """
    entity = await entity_for(actor, entity.name)
    if (spec := entity.spec(name)) is None:
        return answer("error", CrmError("This field is not there any more. Load the page anew."))
    currency = currency_of(spec, values, actor)
    try:
        value = read_typed(spec, text, currency=currency, actor=actor)
        async with unit_of_work(actor) as uow:
            stands = value_of(entity, await uow.get(entity.model, record_id, lock=True), name)
            is_as_seen = stands == value or field_view(spec, {**values, name: stands}, actor).value == seen
            await records.update(
                uow, entity, record_id, {name: value}, expected={name: stands if is_as_seen else _SOMETHING_ELSE}
            )
    except Conflict as refusal:
        if name not in refusal.current:
            return answer("error", refusal)
        return await _conflict(actor, entity, record_id, spec, refusal, currency)
    except CrmError as refusal:
        return answer("error", refusal, spec=spec)
    return answer("saved")


async def save_shown(
    actor: Actor,
    entity: Entity,
    record_id: str,
    name: str,
    text: str,
    seen: str,
    *,
    sections: Sequence[SectionView],
    values: Mapping[str, Any],
) -> dict[str, Any]:
    """As `save`, for a page: what it does not show, or shows as locked, is refused."""
    view = next((f for s in sections for f in s.fields if f.name == name), None)
    if view is None or view.locked or not record_id:
        return answer("error", CrmError((view and view.locked) or "This field cannot be changed."))
    return await save(actor, entity, UUID(record_id), name, text, seen, values)


async def _conflict(
    actor: Actor, entity: Entity, record_id: UUID, spec: FieldSpec, refusal: Conflict, currency: str
) -> dict[str, Any]:
    """Who was faster, and what stands there now."""
    now = refusal.current[spec.name]
    title = ""
    if spec.kind is Kind.link and now is not None:
        target = registry.get(spec.target)
        try:
            async with unit_of_work(actor) as uow:
                title = str(getattr(await uow.get(target.model, now, in_trash=True), target.title))
        except NotFound:
            title = f"a {target.label.lower()} that you may not see"
    view = field_view(spec, {spec.name: now, f"{spec.name}__title": title, spec.currency_field: currency}, actor)
    found = {**answer("conflict", refusal), "value": view.value, "shown": view.shown}
    latest = await _latest(actor, entity, record_id, spec.name)
    if not latest:
        return found
    return {
        **found,
        "who": latest[0].user_name or latest[0].source,
        "when": day_and_time(latest[0].at, actor, utcnow()),
    }


async def _latest(actor: Actor, entity: Entity, record_id: UUID, name: str) -> Sequence[FieldChange]:
    """Who gave the field its value, whoever touched others since."""
    async with unit_of_work(actor) as uow:
        return (await history.of_field(uow, entity, record_id, name, limit=1)).changes


def answer(state: str, refusal: CrmError | None = None, *, spec: FieldSpec | None = None) -> dict[str, Any]:
    """{"state", "message", "at"}; `at` differs from answer to answer."""
    return {"state": state, "message": sentence(refusal, spec) if refusal else "", "at": time.time_ns() // 1000}


def sentence(refusal: CrmError, spec: FieldSpec | None = None) -> str:
    """What is wrong, as a sentence that can stand at the field."""
    if not isinstance(refusal, Invalid) or not refusal.fields:
        return str(refusal)
    message = refusal.fields.get(spec.name, "") if spec else ""
    label = spec.label if spec and message else ""
    message = message or str(refusal)
    whole = message if message.startswith("“") or not label else f"{label} {message}"
    return whole if whole.endswith(".") else f"{whole}."


async def choices(actor: Actor, entity: Entity, name: str, text: str) -> list[dict[str, str]]:
    """Records that a link can point to, or tags that are there already."""
    async with unit_of_work(actor) as uow:
        spec = (await entity_of(uow, entity.name)).fields[name]
        if spec.kind is Kind.choices:
            return [tag_choice(t) for t in await tags.suggested(uow, text)] if name == tags.FIELD else []
        found = await finding.choices(uow, registry.get(spec.target), text)
    nothing = [{"value": "", "label": "None", "hint": ""}] if spec.nullable and not text.strip() else []
    return [*nothing, *({"value": str(h.id), "label": h.title, "hint": h.detail} for h in found)]


def tag_choice(tag: tags.Tag) -> dict[str, str]:
    return {"value": tag.name, "label": tag.name, "hint": f"{tag.count:,}".replace(",", NNBSP)}


async def history_rows(
    actor: Actor, entity: Entity, record_id: UUID, name: str, values: Mapping[str, Any], now: datetime
) -> list[dict[str, str]]:
    """Who changed the field, when, from what to what; latest first."""
    async with unit_of_work(actor) as uow:
        spec = (await entity_of(uow, entity.name)).spec(name)
        if spec is None:
            return []
        found = await history.of_field(uow, entity, record_id, name)
    currency = currency_of(spec, values, actor)
    return [
        {
            "who": change.user_name or change.source,
            "when": day_and_time(change.at, actor, now),
            "old": told(change.spec, change.old, found, actor, currency),
            "new": told(change.spec, change.new, found, actor, currency),
        }
        for change in found.changes
    ]


def told(spec: FieldSpec, value: Any, names: History, actor: Actor, currency: str) -> str:
    """A value of the history in words."""
    return show_value(spec, value, currency=currency, time_zone=actor.time_zone, names=names.name_of)


def was(rows: Sequence[Mapping[str, str]], me: str) -> str:
    """The line under a field that is being edited: what it was before, and by whom it was changed."""
    if not rows or not rows[0]["old"]:
        return "Enter saves, Esc cancels"
    who = "you" if rows[0]["who"] == me else rows[0]["who"]
    return f"Was {rows[0]['old']}, changed by {who}, {rows[0]['when']}. Enter saves, Esc cancels"


def day_and_time(moment: datetime, actor: Actor, now: datetime) -> str:
    """Today 08:12, Wed 16:40 within a week, 11 Nov, 11 Nov 2024: where the viewer lives."""
    day, today = actor.day_of(moment), actor.day_of(now)
    clock = moment.astimezone(ZoneInfo(actor.time_zone)).strftime("%H:%M")
    if day == today:
        return f"Today{NBSP}{clock}"
    if 0 < (today - day).days < 7 or 0 < (day - today).days < 7:
        return f"{day:%a}{NBSP}{clock}"
    return f"{day.day}{NBSP}{day:%b}" if abs((today - day).days) < 330 else show_date(day)
