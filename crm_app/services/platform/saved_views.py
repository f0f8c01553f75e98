"""Views of lists and boards that people keep. A private one is its owner's alone; a shared one is read by all who may
read the records, and changed by its owner or whoever manages views."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry, views
from crm_app.core.conditions import Clause, Token
from crm_app.core.errors import Forbidden, Invalid, NotFound
from crm_app.core.registry import Entity
from crm_app.core.text import fold
from crm_app.core.views import View
from crm_app.models.base import table_of
from crm_app.models.platform.saved_views import SavedView, ViewKind
from crm_app.services.platform import lists
from crm_app.store.uow import UnitOfWork

MINE = "mine"  # the view that every list has beside the one of all
LIVE = "saved_view"  # what open screens are told when one of them changed
MOST = 200  # views of one person on one list
_LONGEST_NAME = 60
_PLACES = {ViewKind.table: "list", ViewKind.board: "board"}
_t: Any = table_of(SavedView)


@dataclass(frozen=True, slots=True)
class Named:
    """A view as an address names it; `id` is empty for the list as it is. `is_gone` when nobody, or not this person,
    has the one that was asked for."""

    id: str = ""
    name: str = ""
    view: View = field(default_factory=View)
    may_change: bool = False
    is_gone: bool = False


async def of(uow: UnitOfWork, entity: Entity, kind: ViewKind = ViewKind.table) -> Sequence[SavedView]:
    """One's own and the shared ones: those with a tab first, in their order, the others by name."""
    uow.require(f"{entity.name}.read")
    query = sa.select(SavedView).where(*_beside(entity.name, kind), _seen(uow))
    found = (await uow.execute(query)).scalars().all()
    return sorted(found, key=lambda v: (v.place is None, v.place or 0, fold(v.name), v.id))


async def named(uow: UnitOfWork, entity: Entity, asked: str, kind: ViewKind = ViewKind.table) -> Named:
    """What `?view=` of an address means."""
    usual = View(sort=entity.order.removeprefix("-"), descending=entity.order.startswith("-"))
    if not asked:
        return Named(view=usual)
    if asked == MINE and "owner_id" in entity.fields:
        return Named(MINE, "Mine", replace(usual, filter=Clause("owner_id", "in", (Token("me"),))))
    try:
        saved = await _one(uow, UUID(asked))
        if (saved.about, saved.kind) != (entity.name, kind):
            return Named(is_gone=True)
        return Named(str(saved.id), saved.name, views.load(saved.definition), may_change(uow, saved))
    except (ValueError, NotFound, Invalid):
        return Named(is_gone=True)


def may_change(uow: UnitOfWork, saved: SavedView) -> bool:
    return saved.owner_id == uow.actor.user_id or (saved.is_shared and uow.actor.can("view.manage"))


async def create(
    uow: UnitOfWork,
    entity: Entity,
    view: View,
    *,
    name: str,
    kind: ViewKind = ViewKind.table,
    is_shared: bool = False,
    is_pinned: bool = True,
) -> SavedView:
    """Keep a view under a name; Invalid when one of one's own on this list or board is called so."""
    uow.require(f"{entity.name}.read")
    if uow.actor.user_id is None:
        raise Forbidden("Only a person keeps views.")
    lists.check(uow, entity, view.filter)
    saved = SavedView(about=entity.name, kind=kind, owner_id=uow.actor.user_id, name="", is_shared=is_shared)
    saved.name = await _free_name(uow, saved, name)
    saved.definition = views.dump(view)
    saved.created_at = saved.updated_at = uow.now
    if is_pinned:
        saved.place = await _last_place(uow, saved) + 1
    uow.add(saved)
    return await _told(uow, saved, "created")


async def change(uow: UnitOfWork, view_id: UUID, view: View) -> SavedView:
    """Keep another filter, order and columns under the same name."""
    saved = await _to_change(uow, view_id)
    lists.check(uow, await lists.entity_of(uow, saved.about), view.filter)
    saved.definition, saved.updated_at = views.dump(view), uow.now
    return await _told(uow, saved)


async def rename(uow: UnitOfWork, view_id: UUID, name: str) -> SavedView:
    saved = await _to_change(uow, view_id)
    saved.name, saved.updated_at = await _free_name(uow, saved, name), uow.now
    return await _told(uow, saved)


async def share(uow: UnitOfWork, view_id: UUID, is_shared: bool) -> SavedView:
    """With everybody who may read such records, or with nobody any more."""
    saved = await _to_change(uow, view_id)
    saved.is_shared, saved.updated_at = is_shared, uow.now
    return await _told(uow, saved)


async def pin(uow: UnitOfWork, view_id: UUID, is_pinned: bool) -> SavedView:
    """Give it a tab, as the last one, or take its tab away."""
    saved = await _to_change(uow, view_id)
    if is_pinned != (saved.place is not None):
        saved.place = await _last_place(uow, saved) + 1 if is_pinned else None
    return await _told(uow, saved)


async def move(uow: UnitOfWork, view_id: UUID, by: int) -> None:
    """Its tab one place to the left (-1) or to the right (1), past those that one may not change."""
    saved = await _to_change(uow, view_id)
    tabs = [v for v in await of(uow, registry.get(saved.about), saved.kind) if v.place is not None]
    here = next((n for n, v in enumerate(tabs) if v.id == view_id), None)
    if here is None or by not in (-1, 1) or not 0 <= here + by < len(tabs):
        return
    tabs.insert(here + by, tabs.pop(here))
    for place, tab in enumerate(tabs):
        if tab.place != place and may_change(uow, tab):
            tab.place = place
    if not may_change(uow, tabs[here]) and saved.place == tabs[here].place:
        saved.place = (saved.place or 0) + by
    await _told(uow, saved)


async def delete(uow: UnitOfWork, view_id: UUID) -> SavedView:
    """`restore` brings it back."""
    saved = await _to_change(uow, view_id)
    saved.deleted_at = uow.now
    return await _told(uow, saved, "deleted")


async def restore(uow: UnitOfWork, view_id: UUID) -> SavedView:
    saved = await _to_change(uow, view_id, is_deleted=True)
    saved.deleted_at = None
    return await _told(uow, saved, "created")


async def _told(uow: UnitOfWork, saved: SavedView, action: str = "updated") -> SavedView:
    """Written, and screens hear of it at commit; each reads anew what its person may see."""
    await uow.flush()
    uow.changed(LIVE, saved.id, 0, action)
    return saved


def _beside(about: str, kind: ViewKind) -> tuple[sa.ColumnElement[bool], ...]:
    return _t.c.about == about, _t.c.kind == kind, _t.c.deleted_at.is_(None)


def _seen(uow: UnitOfWork) -> sa.ColumnElement[bool]:
    return sa.or_(_t.c.is_shared, _t.c.owner_id == uow.actor.user_id)


async def _one(uow: UnitOfWork, view_id: UUID, *, is_deleted: bool = False, lock: bool = False) -> SavedView:
    there = _t.c.deleted_at.is_not(None) if is_deleted else _t.c.deleted_at.is_(None)
    query = sa.select(SavedView).where(_t.c.id == view_id, _seen(uow), there)
    if lock:
        query = query.with_for_update()
    saved: SavedView | None = (await uow.execute(query)).scalar_one_or_none()
    if saved is None or not uow.actor.can(f"{saved.about}.read"):
        raise NotFound("This view does not exist, or it is somebody else's own.")
    return saved


async def _to_change(uow: UnitOfWork, view_id: UUID, *, is_deleted: bool = False) -> SavedView:
    saved = await _one(uow, view_id, is_deleted=is_deleted, lock=True)
    if not may_change(uow, saved):
        raise Forbidden("Only its owner, or somebody who manages views, may change this view. Save a copy of your own.")
    return saved


async def _free_name(uow: UnitOfWork, saved: SavedView, name: str) -> str:
    clean = " ".join(name.replace("\x00", " ").split())
    if not clean:
        raise Invalid(name="is required")
    if len(clean) > _LONGEST_NAME:
        raise Invalid(name=f"is {len(clean)} characters long; {_LONGEST_NAME} is the most")
    beside = await of(uow, registry.get(saved.about), saved.kind)
    own = [v for v in beside if v.owner_id == saved.owner_id and v.id != saved.id]
    if any(fold(v.name) == fold(clean) for v in own):
        raise Invalid(name=f"is already the name of another view of this {_PLACES[saved.kind]}")
    if len(own) >= MOST:
        raise Invalid(name=f"cannot be kept: {MOST} views on one {_PLACES[saved.kind]} are the most; delete some first")
    return clean


async def _last_place(uow: UnitOfWork, saved: SavedView) -> int:
    there = sa.select(sa.func.max(_t.c.place)).where(*_beside(saved.about, saved.kind), _seen(uow))
    found = await uow.scalar(there)
    return -1 if found is None else int(found)
