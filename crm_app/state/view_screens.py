"""Screens that show a view: every list, and those that said so. What saved views ask of their states."""

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from crm_app.core.registry import Entity
from crm_app.core.views import View
from crm_app.models.platform.saved_views import ViewKind
from crm_app.services.platform.saved_views import Named
from crm_app.state.base import AppState
from crm_app.state.lists import RecordList
from crm_app.state.records import entity_at


class Shown(Protocol):
    """The state of such a screen. `view_id` is empty for the whole list or board; `is_changed` while something else is
    shown than the view says."""

    view_id: str
    view_name: str
    may_keep: bool
    is_changed: bool

    def looked_through(self) -> View:
        """What is shown."""

    def rebase(self, named: Named, entity: Entity) -> bool:
        """The view that one looks through is this now; True when it says something else than before."""

    def to(self, view: View) -> Any:
        """The event that shows this, as a change of the view that one looks through."""

    def at(self, view_id: str) -> Any:
        """The event that shows another view."""


@dataclass(frozen=True)
class Screen:
    """`load` is the event that reads it anew."""

    path: str
    entity: str
    kind: ViewKind
    state: type[AppState]
    load: Any

    def address(self, view_id: str) -> str:
        return self.path + (f"?{urlencode({'view': view_id})}" if view_id else "")


_screens: dict[str, Screen] = {}


def add_screen(screen: Screen) -> None:
    _screens[screen.path] = screen


def screen_at(path: str) -> Screen:
    """The one at this address; NotFound where nothing is listed."""
    clean = "/" + path.strip("/")
    if clean in _screens:
        return _screens[clean]
    entity = entity_at(clean)
    return Screen(f"/{entity.slug}", entity.name, ViewKind.table, RecordList, RecordList.load)
