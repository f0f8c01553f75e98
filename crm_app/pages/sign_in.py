"""The pages outside the shell."""

import reflex as rx

from crm_app.components.people import sign_in as forms
from crm_app.state.people.sign_in import SignInState

PAGES = (
    ("/sign-in", forms.sign_in, "Sign in"),
    ("/sign-up", forms.sign_up, "Create a workspace"),
    ("/forgot", forms.forgot, "Forgot your password?"),
    ("/reset/[token]", forms.reset, "Set a new password"),
    ("/invite/[token]", forms.invite, "Join your team"),
)


def add(app: rx.App) -> None:
    """Registers them; none needs a session."""
    for route, component, title in PAGES:
        app.add_page(component, route=route, title=f"{title} · SalesCompass", on_load=SignInState.read)
