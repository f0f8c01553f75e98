"""What every state of a signed-in page shares: who acts, and what the person is told.

No handler of AppState or of a class below it runs without a session: `Doorkeeper` looks it up before each event.
"""

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

import reflex as rx
from reflex.event import EventSpec
from reflex.middleware import Middleware
from reflex.state import StateUpdate
from reflex_base.event import Event

from crm_app.core.context import Actor
from crm_app.core.errors import CrmError, Invalid, Unauthenticated
from crm_app.core.text import initials, tint
from crm_app.services.people import sessions, viewing
from crm_app.services.people.roles import catalogue
from crm_app.services.people.sessions import Visitor

log = logging.getLogger(__name__)
_KEPT = 5  # notices in the state; the browser shows each once, by its id
_FRESH = 1.0  # seconds for which one look at the session serves
_actions: dict[str, Callable[[str], Any]] = {}


@dataclass(frozen=True, slots=True)
class _Seen:
    cookie: str
    visitor: Visitor
    at: float


_seen: ContextVar[_Seen | None] = ContextVar("visitor_of_this_event", default=None)
_request_id: ContextVar[str] = ContextVar("request_id_of_this_event", default="")


F = TypeVar("F", bound=Callable[..., Any])


def internal(method: F) -> F:
    """A public method of a state class that other Python code calls. Without this mark Reflex lets every browser call
    it as an event, and runs an inherited one on the parent state instead of on `self`."""
    method.__override_base_method__ = True  # type: ignore[attr-defined]  # what Reflex itself marks such methods with
    return method


class AppState(rx.State):
    """Base of every state class. A session revoked a second ago is refused now."""

    notices: list[dict[str, Any]] = []
    user_name: str = ""
    user_initials: str = ""
    user_tint: int = 1
    workspace: str = ""
    session: str = ""  # which one, as a name that opens nothing; a page of another session is loaded anew
    line: str = ""  # which connection; another one tells the page that it was away
    _is_known: bool = False  # whether this state ever met its tab; see state.returning
    _is_back: bool = False  # whether the page is loaded because the tab came back, not because it was opened
    _is_returning: bool = False
    letters: bool = True  # whether single letters are shortcuts, as the person wants it
    looks_as: str = ""  # whom one looks as, when not as oneself
    looks_until: str = ""
    rights: dict[str, bool] = {}  # what of the screen to show; the services decide what may be done

    @internal
    async def actor(self) -> Actor:
        """Who acts with the cookie of this tab. Unauthenticated leads to the sign-in page."""
        return (await self.visitor()).actor

    @internal
    async def visitor(self) -> Visitor:
        """The actor with what the frame shows. One look at the database serves for a second, so a long-running handler
        asks again before each thing it does."""
        visitor = await visitor_at(self.router)
        self.take(visitor)
        return visitor

    @internal
    def take(self, visitor: Visitor) -> None:
        """Show who is signed in; sends nothing when nothing changed. The first time all is sent: the tab may have come
        back from another server and show something older."""
        actor = visitor.actor
        allowed = (p for p in catalogue() if actor.can(p))
        shown = {
            "user_name": actor.name,
            "user_initials": initials(actor.name),
            "user_tint": tint(actor.name),
            "workspace": visitor.workspace,
            "letters": visitor.preferences.get("letters") is not False,
            "session": f"{str(actor.session_id)[-12:]}{actor.user_id if actor.looker_id else ''}",
            "looks_as": actor.name if actor.looker_id else "",
            "looks_until": _clock(visitor.looks_until, actor),
            "line": self.router.session.session_id,
            "rights": {p.replace(".", "_"): True for p in allowed},
        }
        is_new = not self.line
        for name, value in shown.items():
            if is_new or getattr(self, name) != value:
                setattr(self, name, value)

    @internal
    def notify(self, text: str, *, kind: str = "done", action: str = "", payload: str = "") -> None:
        """Say one sentence; `kind` is done or error. `payload` is "<name>:<value>" for `notice_action(name)`."""
        notice = {"id": time.time_ns() // 1000, "text": text, "kind": kind, "action": action, "payload": payload}
        self.notices = [*self.notices[1 - _KEPT :], notice]

    @internal
    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """A refusal inside becomes a notice; what is wrong with single fields goes to the class's own var `errors`,
        when it has one, which is emptied first."""
        has_errors = hasattr(type(self), "errors")
        if has_errors and self.errors:
            self.errors = {}
        try:
            yield
        except Unauthenticated:
            raise
        except Invalid as refused:
            if has_errors and refused.fields:
                self.errors = {field: text[:1].upper() + text[1:] for field, text in refused.fields.items()}
            else:
                self.notify(str(refused), kind="error")
        except CrmError as refused:
            self.notify(str(refused), kind="error")

    @rx.event
    async def enter(self):
        """For pages that load nothing of their own: by now the doorkeeper has shown who is signed in."""

    @rx.event
    async def look_as_oneself(self):
        """End looking as another person."""
        await viewing.end((await self.visitor()).actor)
        _seen.set(None)
        return rx.redirect("/settings/people")

    @rx.event
    async def act(self, notice: int, action: str, payload: str):
        """The button of a notice was pressed."""
        name, _, value = payload.partition(":")
        return _actions[name](value) if name in _actions else None

    @rx.event
    async def tell(self, text: str):
        """A refusal that no handler took care of."""
        self.notify(text[:500], kind="error")

    @rx.event
    async def tell_broken(self, reference: str):
        """Something failed that nobody expected; the log has it under the reference."""
        self.notify(
            "Something went wrong on our side and nothing was changed. Try again; if it stays,"
            f" tell your admin this reference: {reference[:20]}.",
            kind="error",
        )


class Doorkeeper(Middleware):
    """Before every event of AppState and the classes below it: no session, no handler."""

    async def preprocess(self, app: rx.App, state: Any, event: Any) -> StateUpdate | None:
        if not is_behind_the_door(event.name):
            return None
        if event.name.endswith(".setvar"):  # Reflex gives one to every class; nothing of ours is set that way
            return StateUpdate()
        _seen.set(None)
        _request_id.set(secrets.token_hex(8))
        root = state._get_root_state()
        visitor = await _look(root.router)
        if visitor is None:
            return StateUpdate(events=Event.from_event_type(to_sign_in(root.router)))
        (await root.get_state(AppState)).take(visitor)
        return None


def keep_the_door(app: rx.App) -> None:
    """Put the doorkeeper before everything else that looks at events; called once, by the front door."""
    app.add_middleware(Doorkeeper(), index=0)


def is_behind_the_door(event_name: str) -> bool:
    """Whether the event is one of AppState or of a class below it."""
    owner, door = event_name.rpartition(".")[0], AppState.get_full_name()
    return owner == door or owner.startswith(f"{door}.")


def _clock(moment: datetime | None, actor: Actor) -> str:
    return f"{moment.astimezone(ZoneInfo(actor.time_zone)):%H:%M}" if moment else ""


async def visitor_at(router: Any) -> Visitor:
    """Who is behind a tab's websocket, as seen within the last second; Unauthenticated when nobody is any more."""
    cookie, seen = router.headers.cookie, _seen.get()
    if seen is not None and seen.cookie == cookie and time.monotonic() - seen.at < _FRESH:
        return seen.visitor
    visitor = await _look(router)
    if visitor is None:
        raise Unauthenticated("Sign in to go on.")
    return visitor


async def _look(router: Any) -> Visitor | None:
    """The visitor behind a tab's websocket, by the cookie of its handshake."""
    cookie = router.headers.cookie
    visitor = await sessions.visitor_of(
        cookie, ip=router.session.client_ip, user_agent=router.headers.user_agent, request_id=_request_id.get()
    )
    if visitor is not None:
        _seen.set(_Seen(cookie, visitor, time.monotonic()))
    return visitor


def to_sign_in(router: Any = None) -> EventSpec:
    """To the sign-in page, and from there back to where the person was."""
    here = ""
    if router is not None:
        here = router.url.path + (f"?{router.url.query}" if router.url.query else "")
    wanted = f"&next={quote(here, safe='')}" if here.startswith("/") and here != "/" else ""
    return rx.redirect(f"/sign-in?done=ended{wanted}")


def id_of(text: Any, field: str) -> UUID:
    """The id that a form sent; Invalid at its field when nothing was chosen."""
    try:
        return UUID(str(text))
    except ValueError as error:
        raise Invalid(**{field: "choose one"}) from error


def notice_action(name: str, handler: Callable[[str], Any]) -> None:
    """What the button of a notice with payload "<name>:<value>" does: the event handler gets the value."""
    _actions[name] = handler


def handle_exception(exception: Exception) -> EventSpec | None:
    """Whatever an event handler let through: refusals become notices, everything else is logged and told."""
    if isinstance(exception, Unauthenticated):
        return to_sign_in()
    if isinstance(exception, CrmError):
        return AppState.tell(str(exception))
    reference = f"E-{time.time_ns() // 1_000_000 % 10**8:08d}"
    log.error("event failed, reference %s", reference, exc_info=exception)
    return AppState.tell_broken(reference)
