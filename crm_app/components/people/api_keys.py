"""API keys: what programs sign in with."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import may
from crm_app.components.settings import settings_page
from crm_app.state.people.api_keys import DAYS, REACHES, ApiKeysState

CREATE = "api_key.create"


def keys() -> rx.Component:
    """Keys of one's own; for whoever may manage them, everybody's."""
    return settings_page(
        "API keys",
        rx.cond(ApiKeysState.is_loaded, _page(), kit.skeleton_rows("Loading keys")),
        _dialog(),
        current="/settings/api-keys",
        actions=(rx.cond(may(CREATE), kit.primary("New key", icon_name="add", on_click=ApiKeysState.ask)),),
    )


def _page() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            "A key lets a program work with your records as you would: it may never do more than you. ",
            rx.el.a("How to use the API", href="/api/docs", target="_blank", rel="noopener"),
            ".",
            class_name="muted",
        ),
        rx.cond(ApiKeysState.keys.length() > 0, _table(), _none()),
    )


def _none() -> rx.Component:
    return kit.empty_state(
        kit.table_art(),
        "No keys yet",
        "Connect a spreadsheet, a web shop or a script of your own.",
        rx.cond(may(CREATE), kit.outline("Make a key", on_click=ApiKeysState.ask)),
    )


def _table() -> rx.Component:
    return kit.table(
        "API keys",
        head=rx.el.tr(
            kit.column("Name"),
            kit.column("Acts for", hide_small=True),
            kit.column("May", hide_small=True),
            kit.column("Limit", hide_small=True),
            kit.column("Expires"),
            kit.column("Last used", hide_small=True),
            kit.column(kit.sr("Act")),
        ),
        body=rx.foreach(ApiKeysState.keys, _row),
    )


def _row(key: rx.Var[dict[str, Any]]) -> rx.Component:
    name = key["name"].to(str)
    return rx.el.tr(
        kit.cell(
            rx.el.span(
                kit.clipped(name, class_name="strong"), rx.el.code(key["hint"].to(str), class_name="muted"),
                class_name="line",
            ),
            class_name="name",
        ),
        kit.cell(key["user"].to(str), hide_small=True),
        kit.cell(key["may"].to(str), hide_small=True),
        kit.cell(key["limit"].to(str), hide_small=True),
        kit.cell(key["ends"].to(str)),
        kit.cell(key["used"].to(str), hide_small=True, class_name="muted"),
        kit.cell(
            rx.match(
                key["state"].to(str),
                ("revoked", kit.badge("Revoked")),
                ("expired", kit.badge("Expired", tone="risk")),
                kit.outline(
                    "Revoke",
                    size="sm",
                    on_click=ApiKeysState.revoke(key["id"].to(str)),
                    aria_label=rx.Var.create("Revoke ") + name,
                ),
            )
        ),
        key=key["id"].to(str),
    )  # fmt: skip


def _dialog() -> rx.Component:
    is_made = ApiKeysState.token != ""
    return kit.dialog(
        "api-key",
        rx.cond(is_made, "Your new key", "New key"),
        rx.cond(is_made, _made(), _asking()),
        sub=rx.cond(
            is_made, "Copy it now: it is shown only this once.", "It acts as you, within what you choose here."
        ),
        open=ApiKeysState.is_making,
        on_dismiss=ApiKeysState.cancel,
        on_submit=ApiKeysState.make,
        keep=rx.cond(is_made, "Close", "Cancel"),
        action=rx.cond(is_made, rx.fragment(), kit.primary("Make key", type="submit")),
        firm=is_made,
    )


def _made() -> rx.Component:
    return kit.field(
        "Key",
        rx.el.span(
            kit.text_input("key_token", value=ApiKeysState.token, read_only=True, class_name="grow"),
            kit.icon_button("copy", "Copy the key", on_click=rx.set_clipboard(ApiKeysState.token)),
            class_name="line",
        ),
        control_id="key_token",
        hint="Send it as Authorization: Bearer <key>. Keep it like a password.",
    )


def _asking() -> rx.Component:
    return rx.fragment(
        _field("key_name", "Name", kit.text_input, "name", data_autofocus="", auto_complete="off"),
        kit.field(
            "May",
            kit.select(
                "key_reach", list(REACHES.items()), value=ApiKeysState.reach, on_change=ApiKeysState.choose_reach
            ),
            control_id="key_reach",
            error=_error("scopes"),
        ),
        rx.cond(
            ApiKeysState.reach == "chosen",
            rx.el.fieldset(
                rx.el.legend("Rights", class_name="label"),
                rx.foreach(
                    ApiKeysState.key_rights,
                    lambda right: kit.checkbox(right["label"].to(str), name=right["name"].to(str)),
                ),
                class_name="ticks",
            ),
        ),
        kit.field(
            "Expires after",
            kit.select("key_days", list(DAYS.items()), default_value="90"),
            control_id="key_days",
            error=_error("days"),
        ),
        _field(
            "key_per_minute", "Requests a minute", kit.text_input, "per_minute", default_value=ApiKeysState.per_minute,
            input_mode="numeric",
        ),
    )  # fmt: skip


def _error(field: str) -> rx.Var[str]:
    return rx.cond(ApiKeysState.errors.contains(field), ApiKeysState.errors[field], "")


def _field(id: str, label: str, control: Any, field: str, **props: Any) -> rx.Component:
    box = control(id, invalid=ApiKeysState.errors.contains(field), **props)
    return kit.field(label, box, control_id=id, error=_error(field))
