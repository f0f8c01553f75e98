"""Columns, rows and sums of a list as the browser gets them; kit.data_table says what they hold."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from crm_app.core import money
from crm_app.core.context import Actor
from crm_app.core.errors import NotFound
from crm_app.core.fields import show_value
from crm_app.core.money import NBSP, NNBSP
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.core.text import clip, initials, tint
from crm_app.services.platform import records
from crm_app.services.platform.lists import Sums
from crm_app.state.platform.fields import field_view, has_page
from crm_app.store.uow import UnitOfWork

NUMBERS = frozenset({Kind.number, Kind.decimal, Kind.money, Kind.percent})
UNSORTED = frozenset({Kind.choices, Kind.json})
_NOT_IN_CELLS = frozenset({Kind.long_text, Kind.json})
_WIDTHS = {
    Kind.number: 110, Kind.decimal: 110, Kind.percent: 100, Kind.money: 140, Kind.flag: 90, Kind.date: 120,
    Kind.datetime: 160, Kind.choice: 130, Kind.link: 180, Kind.email: 210, Kind.url: 190,
}  # fmt: skip
_TITLE, _USUAL = 280, 150
_LONGEST = 160  # characters that a cell gets
_FACES = ("account", "contact", "user")


def columns(entity: Entity, names: Sequence[str], actor: Actor, widths: Mapping[str, int]) -> list[dict[str, Any]]:
    """The heads, in order. A phone has room for the name and one more: the first amount, else what comes next."""
    amounts = [n for n in names[1:] if entity.fields[n].kind is Kind.money]
    beside = (amounts or [*names[1:2], ""])[0]
    return [_column(entity, n, k, actor, widths) | {"hide": k > 0 and n != beside} for k, n in enumerate(names)]


def _column(entity: Entity, name: str, place: int, actor: Actor, widths: Mapping[str, int]) -> dict[str, Any]:
    spec = entity.fields[name]
    view = field_view(spec, {}, actor)
    usual = _TITLE if place == 0 else _WIDTHS.get(spec.kind, _USUAL)
    return {
        "name": name,
        "label": spec.label,
        "width": widths.get(name, usual),
        "number": spec.kind in NUMBERS,
        "sortable": spec.kind not in UNSORTED and not spec.masked,
        "edit": may_edit(entity, spec, actor),
        "box": view.box,
        "options": view.options,
        "square": (spec.target if spec.kind is Kind.link else entity.name) == "account",
    }


def may_edit(entity: Entity, spec: FieldSpec, actor: Actor) -> bool:
    """Whether a person changes this field in the cell of a list."""
    if entity.is_managed or spec.name in entity.readonly or spec.kind in _NOT_IN_CELLS:
        return False
    if spec.name == "owner_id" and not actor.can(f"{entity.name}.assign"):
        return False
    return actor.can(f"{entity.name}.update")


def row(entity: Entity, values: Mapping[str, Any], names: Sequence[str], actor: Actor) -> dict[str, Any]:
    href = f"/{entity.slug}/{values['id']}" if has_page(entity.name) else ""
    return {"id": str(values["id"]), "href": href, "cells": {n: cell(entity, n, values, actor) for n in names}}


def cell(entity: Entity, name: str, values: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    spec = entity.fields[name]
    view = field_view(spec, values, actor)
    shown = clip(view.shown.replace("\n", " "), _LONGEST) if view.shown else ""
    found: dict[str, Any] = {"t": shown}
    if view.value != shown and may_edit(entity, spec, actor):
        found["v"] = view.value
    is_title = name == entity.title
    if view.href and not is_title:
        found["h"] = view.href
    if shown and (entity.name if is_title else spec.target) in _FACES:
        found |= {"m": initials(shown), "c": tint(shown)}
    return found | _marks(spec, values.get(name))


def _marks(spec: FieldSpec, value: Any) -> dict[str, Any]:
    """What was chosen as small marks, where it is several or has a colour."""
    colors = {c.value: c.color for c in spec.choices if c.color}
    if spec.masked or not value or not (spec.kind is Kind.choices or (spec.kind is Kind.choice and colors)):
        return {}
    several = (value if isinstance(value, list) else [str(getattr(value, "value", value))])[:6]
    found = {"tags": [spec.choice_label(v) for v in several]}
    tints = [colors.get(v, "") for v in several]
    return found | ({"tints": tints} if any(tints) else {})


async def values_of(uow: UnitOfWork, entity: Entity, record_id: UUID, name: str) -> dict[str, Any]:
    """The record's values around one field: what its amount is counted in."""
    page = await records.find(uow, entity, columns=(name,), where=entity.table.c.id == record_id, limit=1)
    if not page.rows:
        raise NotFound(f"This {entity.label.lower()} does not exist, or you may not see it.")
    return dict(page.rows[0])


def counted(entity: Entity, count: int) -> str:
    what = entity.label.lower() if count == 1 else entity.plural.lower()
    return f"{number(count)} {what}"


def number(count: int) -> str:
    return f"{count:,}".replace(",", NNBSP)


def summed(spec: FieldSpec, found: Sums, actor: Actor) -> dict[str, str]:
    """{"sum", "average"} as people read them, amounts as "sum_short" and "average_short" too, or {"text"}."""
    if found.different is not None:
        what = "owner" if found.different == 1 else "owners"
        return {"text": f"{number(found.different)} {what}"}
    if spec.kind is Kind.money:
        currency = next(iter(found.sums), actor.currency)
        shown = {
            "sum": _joined([money.show(v, c, cents=False) for c, v in found.sums.items()]),
            "sum_short": _joined([money.show_short(v, c) for c, v in found.sums.items()]),
        }
        if found.average is None:
            return shown
        mean = money.show(found.average, currency), money.show_short(found.average, currency)
        return shown | {"average": mean[0], "average_short": mean[1]}
    if found.average is None:
        return {}
    mean = f"{found.average:,.1f}".removesuffix(".0").replace(",", NNBSP)
    if spec.kind is Kind.percent:
        return {"average": f"{mean}{NBSP}%"}
    return {"sum": show_value(spec, found.sums[""]), "average": mean}


def _joined(amounts: Sequence[str]) -> str:
    return " + ".join(amounts[:2]) + (" + …" if len(amounts) > 2 else "")
