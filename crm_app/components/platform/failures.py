"""Settings, Failed jobs."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.settings import settings_page
from crm_app.state.platform.failures import FailuresState

Row = rx.Var[dict[str, Any]]


def failures() -> rx.Component:
    """Work in the background that was given up."""
    has_some = FailuresState.failures.length() > 0
    return settings_page(
        "Failed jobs",
        rx.cond(
            FailuresState.is_loaded,
            rx.cond(has_some, rx.fragment(_about(), _table()), _nothing()),
            kit.skeleton_rows("Loading failed jobs", rows=4),
        ),
        current="/settings/jobs",
        actions=(
            rx.cond(
                has_some,
                rx.fragment(
                    kit.ghost("Dismiss all", on_click=FailuresState.dismiss("")),
                    kit.primary("Retry all", on_click=FailuresState.retry("")),
                ),
            ),
        ),
    )


def _about() -> rx.Component:
    return rx.el.p(
        "Work in the background that failed again and again, so that nobody tries it any more. Mend the reason, then"
        " retry; dismiss what is no longer needed.",
        class_name="muted",
    )


def _nothing() -> rx.Component:
    return kit.empty_state(
        kit.paper_art(),
        "Nothing failed",
        "Work in the background that fails for good is listed here, with the reason and a way to run it again.",
    )


def _table() -> rx.Component:
    return kit.table(
        "Jobs that failed",
        head=rx.el.tr(
            kit.column("Job"),
            kit.column("About", hide_small=True),
            kit.column("Reason"),
            kit.column("Failed", hide_small=True),
            kit.column("Tries", number=True, hide_small=True),
            kit.column(kit.sr("Decision")),
        ),
        body=rx.foreach(FailuresState.failures, _row),
    )


def _row(row: Row) -> rx.Component:
    failure_id, what = row["id"].to(str), row["what"].to(str)
    record = rx.cond(
        row["href"].to(str) != "",
        kit.link(row["record"].to(str), href=row["href"].to(str)),
        rx.el.span("–", class_name="muted"),
    )
    job = rx.el.div(
        rx.el.span(what, class_name="strong"), rx.el.span(row["why"].to(str), class_name="muted small"),
        class_name="stack tight",
    )  # fmt: skip
    acts = rx.el.div(
        kit.outline(
            "Retry", size="sm", aria_label=rx.Var.create("Retry: ") + what, on_click=FailuresState.retry(failure_id)
        ),
        kit.icon_button(
            "dismiss", rx.Var.create("Dismiss: ") + what, on_click=FailuresState.dismiss(failure_id)
        ),
        class_name="line",
    )  # fmt: skip
    return rx.el.tr(
        kit.cell(job),
        kit.cell(record, hide_small=True),
        kit.cell(row["error"].to(str), class_name="told"),
        kit.cell(row["since"].to(str), hide_small=True, class_name="muted"),
        kit.cell(row["attempts"].to(int), number=True, hide_small=True),
        kit.cell(acts),
        key=failure_id,
    )
