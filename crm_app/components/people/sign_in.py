"""Sign-in, sign-up and the way back in: plain forms that the browser posts to the routes under /auth."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.shell import logo
from crm_app.core import money
from crm_app.services.people.passwords import SHORTEST
from crm_app.state.people.sign_in import SignInState

COMMON = (
    ("EUR", "Euro"),
    ("USD", "US dollar"),
    ("GBP", "Pound sterling"),
    ("CHF", "Swiss franc"),
    ("PLN", "Polish złoty"),
    ("SEK", "Swedish krona"),
    ("DKK", "Danish krone"),
    ("NOK", "Norwegian krone"),
    ("CZK", "Czech koruna"),
    ("CAD", "Canadian dollar"),
    ("AUD", "Australian dollar"),
    ("JPY", "Yen"),
    ("INR", "Indian rupee"),
    ("BRL", "Brazilian real"),
)
CURRENCIES = [
    *((code, f"{code} · {name}") for code, name in COMMON),
    *((code, code) for code in sorted(money.CURRENCIES - dict(COMMON).keys())),
]
LENGTH_HINT = f"At least {SHORTEST} characters. A sentence is easy to keep in mind"


def sign_in() -> rx.Component:
    """The door."""
    return _frame(
        "Sign in",
        "Welcome back.",
        _form(
            "/auth/sign-in",
            kit.hidden("next", SignInState.next_page),
            _email(),
            _password("Password", beside=kit.link("Forgot it?", href="/forgot")),
            button="Sign in",
        ),
        rx.el.p("New here? ", kit.link("Create a workspace", href="/sign-up")),
    )


def sign_up() -> rx.Component:
    """A new workspace with its first administrator."""
    return _frame(
        "Create a workspace",
        "You will be its administrator and can invite your team.",
        _form(
            "/auth/sign-up",
            _text("workspace", "Company or team", SignInState.workspace, auto_complete="organization"),
            _text("name", "Your name", SignInState.name, auto_complete="name"),
            _email(),
            _password("Password", new=True),
            kit.field("Currency", kit.select("currency", CURRENCIES, class_name="lg"), control_id="currency"),
            # the browser knows it; the built page holds that of the builder until it wakes up
            kit.hidden("time_zone", rx.Var("Intl.DateTimeFormat().resolvedOptions().timeZone")),
            button="Create workspace",
        ),
        rx.el.p("Already have one? ", kit.link("Sign in", href="/sign-in")),
    )


def forgot() -> rx.Component:
    """Asks for a link to set a new password."""
    return _frame(
        "Forgot your password?",
        "We send you a link to set a new one.",
        _form("/auth/forgot", _email(), button="Send link"),
        rx.el.p(kit.link("Back to sign-in", href="/sign-in")),
    )


def reset() -> rx.Component:
    """Sets a new password; the token of the mailed link is part of the address."""
    return _frame(
        "Set a new password",
        "You will be signed out everywhere else.",
        _form(
            "/auth/reset",
            kit.hidden("token", rx.State.token),
            _password("New password", new=True),
            button="Save password",
        ),
        rx.el.p("Link too old? ", kit.link("Ask for a new one", href="/forgot")),
    )


def invite() -> rx.Component:
    """Accepts an invitation; the token of the mailed link is part of the address."""
    lead = rx.cond(
        SignInState.workspace != "", f"You are invited to {SignInState.workspace}.", "You are invited to a workspace."
    )
    return _frame(
        "Join your team",
        lead,
        _form(
            "/auth/invite",
            kit.hidden("token", rx.State.token),
            _text("name", "Your name", SignInState.name, auto_complete="name"),
            _password("Choose a password", new=True),
            button="Join",
        ),
        rx.el.p("Already joined? ", kit.link("Sign in", href="/sign-in")),
    )


def _frame(title: str, lead: str | rx.Var, form: rx.Component, foot: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.main(
            rx.el.p(logo(), "SalesCompass", class_name="line strong brand"),
            rx.el.div(rx.el.h1(title), rx.el.p(lead, class_name="muted lead"), form),
            rx.el.div(foot, class_name="muted"),
            class_name="sign-form",
        ),
        rx.el.aside(
            rx.el.img(src="/compass.svg", alt=""),
            rx.el.p("Know the next step", rx.el.br(), "for every deal."),
            class_name="sign-art",
            aria_label="SalesCompass",
        ),
        class_name="sign",
    )


def _form(action: str, *fields: rx.Component, button: str) -> rx.Component:
    return kit.native_form(
        _told(SignInState.note, "checkmark_circle", "told good", role="status"),
        rx.cond(SignInState.error_field == "form", _told(SignInState.error, "error_circle", "told over", role="alert")),
        *fields,
        kit.primary(button, size="lg", type="submit", class_name="full"),
        action=action,
        class_name="stack",
    )


def _told(text: rx.Var[str], icon_name: str, class_name: str, *, role: str) -> rx.Component:
    line = rx.el.p(kit.icon(icon_name), rx.el.span(text), class_name=class_name, role=role)
    return rx.cond(text != "", line)


def _error(name: str) -> rx.Var[str]:
    return rx.cond(SignInState.error_field == name, SignInState.error, "")


def _text(name: str, label: str, value: rx.Var[str], *, type: str = "text", auto_complete: str) -> rx.Component:
    box = kit.given_input(name, value, type=type, auto_complete=auto_complete, invalid=SignInState.error_field == name)
    return kit.field(label, box, control_id=name, error=_error(name))


def _email() -> rx.Component:
    return _text("email", "E-mail", SignInState.email, type="email", auto_complete="username")


def _password(label: str, *, new: bool = False, beside: rx.Component | None = None) -> rx.Component:
    box = kit.password_input(
        "password",
        new=new,
        invalid=SignInState.error_field == "password",
        min_length=SHORTEST if new else 0,
    )
    return kit.field(
        label,
        box,
        control_id="password",
        error=_error("password"),
        hint=LENGTH_HINT if new else None,
        beside_label=beside,
    )
