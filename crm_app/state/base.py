"""What every state of a signed-in page shares: who acts, and what the person is told."""

import logging
import time
from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from crm_app.core.context import Actor
from crm_app.core.errors import CrmError, Unauthenticated
from crm_app.core.text import initials, tint
from crm_app.services.people import sessions

log = logging.getLogger(__name__)
_KEPT = 5  # notices in the state; the browser shows each once, by its id
_actions: dict[str, Callable[[str], Any]] = {}


class AppState(rx.State):
    """Base of every state class. `actor` is asked at every event: a session revoked a second ago is refused now."""

    notices: list[dict[str, Any]] = []
    user_name: str = ""
    user_initials: str = ""
    user_tint: int = 1
    workspace: str = ""
    rights: dict[str, bool] = {}  # what of the screen to show; the services decide what may be done

    async def actor(self) -> Actor:
        """Who acts with the cookie of this tab. Unauthenticated leads to the sign-in page."""
        visitor = await sessions.visitor_of(
            self.router.headers.cookie,
            ip=self.router.session.client_ip,
            user_agent=self.router.headers.user_agent,
        )
        if visitor is None:
            raise Unauthenticated("Sign in to go on.")
        actor = visitor.actor
        if (self.user_name, self.workspace) != (actor.name, visitor.workspace):
            self.user_name, self.workspace = actor.name, visitor.workspace
            self.user_initials, self.user_tint = initials(actor.name), tint(actor.name)
        rights = {p.replace(".", "_"): True for p in sorted(actor.permissions)}
        if rights != self.rights:
            self.rights = rights
        return actor

    def notify(self, text: str, *, kind: str = "done", action: str = "", payload: str = "") -> None:
        """Say one sentence; `kind` is done or error. `payload` is "<name>:<value>" for `notice_action(name)`."""
        notice = {"id": time.time_ns() // 1000, "text": text, "kind": kind, "action": action, "payload": payload}
        self.notices = [*self.notices[1 - _KEPT :], notice]

    @rx.event
    async def act(self, notice: int, action: str, payload: str):
        """The button of a notice was pressed."""
        name, _, value = payload.partition(":")
        return _actions[name](value) if name in _actions else None

    @rx.event
    async def tell(self, text: str):
        """A refusal that no handler took care of."""
        self.notify(text, kind="error")

    @rx.event
    async def tell_broken(self, reference: str):
        """Something failed that nobody expected; the log has it under the reference."""
        self.notify(
            "Something went wrong on our side and nothing was changed. Try again; if it stays,"
            f" tell your admin this reference: {reference}.",
            kind="error",
        )


def notice_action(name: str, handler: Callable[[str], Any]) -> None:
    """What the button of a notice with payload "<name>:<value>" does: the event handler gets the value."""
    _actions[name] = handler


def handle_exception(error: Exception) -> EventSpec | list[EventSpec] | None:
    """Whatever an event handler let through: refusals become notices, everything else is logged and told."""
    if isinstance(error, Unauthenticated):
        return rx.redirect("/sign-in?done=ended")
    if isinstance(error, CrmError):
        return AppState.tell(str(error))
    reference = f"E-{time.time_ns() // 1_000_000 % 10**8:08d}"
    log.error("event failed, reference %s", reference, exc_info=error)
    return AppState.tell_broken(reference)
