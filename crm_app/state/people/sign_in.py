"""What the pages outside the shell read from their address; the routes under /auth send people back with it."""

import reflex as rx

from crm_app.services.people import invitations
from crm_app.services.people.links import LinkExpired
from crm_app.services.people.passwords import SHORTEST

# code -> (the field it belongs to, what is wrong and what to do)
ERRORS: dict[str, tuple[str, str]] = {
    "credentials": ("password", "E-mail and password do not match"),
    "throttled": ("form", "Too many tries. Wait {minutes} min and try again, or reset your password"),
    "inactive": ("form", "This account is switched off. Ask an administrator of your workspace"),
    "expired": ("form", "This link is used up or too old. Ask for a new one"),
    "taken": ("email", "There is already an account with this e-mail. Sign in instead"),
    "email": ("email", "Enter an e-mail address such as name@company.com"),
    "weak": ("password", f"Use at least {SHORTEST} characters, and no password that is easy to guess"),
    "name": ("name", "Enter your name"),
    "workspace": ("workspace", "Enter the name of your company or team"),
    "closed": ("form", "New workspaces are not opened here. Ask an administrator to invite you"),
    "origin": ("form", "The form came from another page. Load this page again and retry"),
}
UNKNOWN = ("form", "That did not work. Load the page again and retry")

NOTES = {
    "sent": "If there is an account with this e-mail, a link is on its way. It works for one hour",
    "asked": "Your administrator now sees that you asked, and can give you a link",
    "reset": "Password changed. Sign in with the new one",
    "signed-out": "You are signed out",
    "ended": "Your session has ended. Sign in again to go on where you were",
}


class SignInState(rx.State):
    """The address, told to people; nothing here decides anything."""

    error: str = ""
    error_field: str = ""
    note: str = ""
    email: str = ""
    name: str = ""
    workspace: str = ""
    next_page: str = ""

    @rx.event
    async def read(self) -> None:
        """Takes over what the address says; runs whenever one of the pages opens."""
        query = self.router.url.query_parameters
        self.error_field, self.error = explain(query.get("error", ""), query.get("left", ""), query.get("minutes", ""))
        self.note = NOTES.get(query.get("done", ""), "")
        self.email = query.get("email", "")
        self.name = query.get("name", "")
        self.workspace = query.get("workspace", "")
        self.next_page = inside(query.get("next", ""))
        place, _, token = str(self.router.url.path).strip("/").partition("/")
        if place == "invite":
            await self._invited(token)

    async def _invited(self, token: str) -> None:
        """Who is invited where; a link that is used up is told before a password is thought of."""
        try:
            invitation = await invitations.look_up(token)
        except LinkExpired:
            self.error_field, self.error = explain("expired")
            return
        self.workspace, self.name = invitation.workspace, self.name or invitation.name


def explain(code: str, left: str = "", minutes: str = "") -> tuple[str, str]:
    """The field and the sentence of an error code; both are empty when there is none."""
    if not code:
        return "", ""
    field, sentence = ERRORS.get(code, UNKNOWN)
    if code == "throttled":
        return field, sentence.format(minutes=minutes if minutes.isdecimal() else "15")
    if code == "credentials" and left.isdecimal():
        return field, f"{sentence}. {left} {'try' if left == '1' else 'tries'} left"
    return field, sentence


def inside(page: str) -> str:
    """The page to go on to, if it is one of ours: another host may not be smuggled in."""
    return page if page.startswith("/") and not page.startswith(("//", "/\\")) else ""
