"""What the frame shows by itself: the lost connection and the tooltip."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec
from reflex_components_core.core.banner import has_connection_errors

from crm_app.components.kit import scripts


class Connection(rx.Component):
    """Says that the server cannot be reached; takes the place of Reflex's own toast."""

    library = scripts.CONNECTION
    tag = "Connection"
    lost: rx.Var[bool]


class OneSession(rx.Component):
    """Loads the page anew when the session behind it is another one, and tells its parts when the line is."""

    library = scripts.CONNECTION
    tag = "OneSession"
    session: rx.Var[str]
    line: rx.Var[str]


class OnReturn(rx.Component):
    """The React part of `on_return`."""

    library = scripts.CONNECTION
    tag = "OnReturn"
    on_return: rx.EventHandler[no_args_event_spec]


class Tooltips(rx.Component):
    """The one tooltip of the page; an element asks for it with `data_tip`."""

    library = scripts.TOOLTIP
    tag = "Tooltips"


def connection_banner() -> rx.Component:
    """ "Reconnecting…" or "Offline": what is done meanwhile waits in the page and is sent on the way back."""
    return Connection.create(lost=has_connection_errors)


def one_session(session: rx.Var[str], *, line: rx.Var[str]) -> rx.Component:
    """Once on every signed-in page: names that tell one session, and one connection, from another."""
    return OneSession.create(session=session, line=line)


def on_return(handler: Any) -> rx.Component:
    """Runs when the tab has come back over another line. The server may have started anew: what it must know of the
    page comes as arguments."""
    return OnReturn.create(on_return=handler)


def tooltips() -> rx.Component:
    """Once for the whole app."""
    return Tooltips.create()
