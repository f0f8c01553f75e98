"""Past imports: what each did, and taking one back."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.state.platform.imports_made import ImportsMade

Row = rx.Var[dict[str, Any]]


def imports_made() -> rx.Component:
    """The list, the question before one is taken back, and what that did."""
    return rx.fragment(
        rx.cond(ImportsMade.outcome["lines"].to(list[str]).length() > 0, _outcome()),
        rx.cond(
            ImportsMade.batches.length() > 0,
            rx.el.section(rx.el.h2("Past imports"), _table()),
        ),
        _question(),
    )


def lines(texts: rx.Var, class_name: str = "") -> rx.Component:
    """A plain list of sentences."""
    return rx.el.ul(rx.foreach(texts, _line), class_name=f"import-lines {class_name}".strip())


def _line(text: rx.Var[str]) -> rx.Component:
    return rx.el.li(text)


def take_back(batch_id: rx.Var[str]) -> rx.Component:
    """Asks first."""
    return kit.outline("Take this import back", icon_name="arrow_undo", on_click=ImportsMade.ask(batch_id))


def _table() -> rx.Component:
    return kit.table(
        "Past imports, the latest first",
        head=rx.el.tr(
            kit.column("File"),
            kit.column("Records"),
            kit.column("When", hide_small=True),
            kit.column("By", hide_small=True),
            kit.column("State"),
            kit.column(kit.sr("Take back")),
        ),
        body=rx.foreach(ImportsMade.batches, _batch),
    )


def _batch(batch: Row) -> rx.Component:
    record_id, name = batch["id"].to(str), batch["name"].to(str)
    back = rx.cond(
        ImportsMade.busy == record_id,
        rx.el.span("Taking back…", class_name="muted", role="status"),
        kit.icon_button("arrow_undo", rx.Var.create("Take back ") + name, size=16, on_click=ImportsMade.ask(record_id)),
    )
    return rx.el.tr(
        kit.cell(kit.clipped(name, class_name="strong"), class_name="name"),
        kit.cell(batch["what"].to(str)),
        kit.cell(batch["when"].to(str), hide_small=True),
        kit.cell(batch["who"].to(str), hide_small=True),
        kit.cell(batch["status"].to(str)),
        kit.cell(rx.cond(batch["is_there"].to(bool), back, rx.fragment()), class_name="r"),
        key=record_id,
    )


def _outcome() -> rx.Component:
    outcome = ImportsMade.outcome
    kept = outcome["kept"].to(list[dict[str, str]])
    return rx.el.section(
        rx.el.h2("The import was taken back"),
        lines(outcome["lines"].to(list[str])),
        rx.cond(
            kept.length() > 0,
            rx.fragment(
                rx.el.p(outcome["kept_count"].to(str), " stay, as somebody worked on them:", class_name="muted"),
                rx.el.ul(rx.foreach(kept, _kept), class_name="import-lines"),
            ),
        ),
        kit.outline("Close", on_click=ImportsMade.close),
        role="status",
    )


def _kept(one: rx.Var[dict[str, str]]) -> rx.Component:
    name = rx.cond(one["href"] != "", kit.link(one["title"], href=one["href"]), rx.el.span(one["title"]))
    return rx.el.li(name, rx.el.span(" ", one["kind"], ", ", one["why"], class_name="muted"))


def _question() -> rx.Component:
    asked = ImportsMade.asked
    return kit.dialog(
        "take-back",
        "Take import back",
        rx.el.p("What it made is removed, what it changed is as before. Records that somebody worked on since stay."),
        sub=asked["name"].to(str) + ": " + asked["what"].to(str),
        keep="Keep it",
        open=asked["id"].to(str) != "",
        on_dismiss=ImportsMade.keep,
        action=kit.danger("Take import back", on_click=ImportsMade.revert),
    )
