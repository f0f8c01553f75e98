"""Records as rows: what related lists show, and which entity an address is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.errors import NotFound
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.core.text import initials, tint
from crm_app.state.platform.fields import field_view

_PAGE = 50
_HITS = 200  # most rows that a search shows


@dataclass(frozen=True)
class CellView:
    """`mark` are the initials of a person or company, empty for none. `leads` says what `href` is: a page ("in"), an
    address outside ("out": mail, telephone, the web), or none."""

    text: str
    href: str = ""
    mark: str = ""
    tint: int = 1
    leads: str = ""
    number: bool = False


@dataclass(frozen=True)
class RowView:
    """`cells` are in the order of the declaration's columns, the first names the record."""

    id: str
    cells: list[CellView]


def entity_at(path: str) -> Entity:
    """The entity of an address like /accounts or /accounts/<id>."""
    entity = registry.by_slug(path.strip("/").partition("/")[0])
    if entity is None:
        raise NotFound("There is no such page.")
    return entity


def row_view(entity: Entity, values: Mapping[str, Any], columns: Sequence[str], actor: Actor) -> RowView:
    return RowView(str(values["id"]), [_cell(entity, name, values, actor) for name in columns])


def _cell(entity: Entity, name: str, values: Mapping[str, Any], actor: Actor) -> CellView:
    spec = entity.fields[name]
    view = field_view(spec, values, actor)
    if name == entity.title:
        own = f"/{entity.slug}/{values['id']}"
        return CellView(view.shown, own, initials(view.shown) if _has_face(entity.name) else "", tint(view.shown), "in")
    face = spec.kind is Kind.link and _has_face(spec.target) and view.shown
    mark = initials(view.shown) if face else ""
    if view.href:
        return CellView(view.shown, view.href, mark, tint(view.shown), "in")
    out = _outside(spec, view.shown)
    return CellView(
        view.shown,
        out,
        mark,
        tint(view.shown),
        "out" if out else "",
        spec.kind in (Kind.money, Kind.number, Kind.percent),
    )


def _outside(spec: FieldSpec, shown: str) -> str:
    if not shown or spec.masked:
        return ""
    if spec.kind is Kind.email:
        return f"mailto:{shown}"
    if spec.kind is Kind.phone:
        return "tel:" + "".join(c for c in shown if c.isdigit() or c == "+")
    return ""


def _has_face(entity_name: str) -> bool:
    return entity_name in ("account", "contact", "user")
