"""What the frame shows by itself: the lost connection and the tooltip."""

import reflex as rx
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


def tooltips() -> rx.Component:
    """Once for the whole app."""
    return Tooltips.create()
