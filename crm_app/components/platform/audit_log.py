"""Settings, Audit log."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.settings import settings_page
from crm_app.services.platform.audit_log import ACTIONS, SOURCES
from crm_app.state.platform.audit_log import AuditLogState, ChangeView, EntryView

_LABELS = (("who", "Who"), ("what", "What"), ("act", "Act"), ("by", "Through"))


def audit_log() -> rx.Component:
    """Who changed what."""
    content = rx.cond(AuditLogState.refused != "", _refused(), rx.fragment(_filters(), _log()))
    return settings_page(
        "Audit log",
        rx.cond(AuditLogState.is_loaded, content, kit.skeleton_rows("Loading the audit log", rows=10)),
        _back_dialog(),
        current="/settings/audit",
        panel=rx.cond(AuditLogState.chosen.key != "", _panel(), rx.fragment()),
    )


def _refused() -> rx.Component:
    return kit.empty_state(kit.paper_art(), "The audit log is not for your role", AuditLogState.refused)


def _given(key: str) -> rx.Var[str]:
    return rx.cond(AuditLogState.query.contains(key), AuditLogState.query[key], "")


def _filters() -> rx.Component:
    query = AuditLogState.query
    boxes = {
        "who": kit.select("log-who", AuditLogState.people, empty="Anybody", default_value=_given("who")),
        "what": kit.select("log-what", AuditLogState.kinds, empty="Everything", default_value=_given("what")),
        "act": kit.select("log-act", list(ACTIONS.items()), empty="Any", default_value=_given("act")),
        "by": kit.select("log-by", list(SOURCES.items()), empty="Any", default_value=_given("by")),
    }
    form = rx.el.form(
        *[kit.field(label, boxes[key], control_id=f"log-{key}") for key, label in _LABELS],
        kit.field("From", kit.date_input("log-from", default_value=_given("from")), control_id="log-from"),
        kit.field("Until", kit.date_input("log-until", default_value=_given("until")), control_id="log-until"),
        rx.el.div(
            kit.outline("Show", type="submit"),
            rx.cond(
                AuditLogState.may_export & (AuditLogState.entries.length() > 0),
                kit.ghost("Export", icon_name="arrow_download", on_click=AuditLogState.export),
            ),
            class_name="line",
        ),
        on_submit=AuditLogState.narrow,
        class_name="log-filters",
        # Drawn anew when the address changes, so that the boxes say what is in force.
        key=query.to_string(),
    )
    record = rx.cond(
        query.contains("record"),
        rx.el.p(
            kit.chip(
                "Record",
                rx.cond(AuditLogState.record_title != "", AuditLogState.record_title, "one"),
                on_remove=AuditLogState.drop("record"),
            ),
            class_name="line",
        ),
    )
    return rx.fragment(form, record)


def _log() -> rx.Component:
    return rx.cond(
        AuditLogState.entries.length() > 0,
        rx.fragment(_table(), _pages()),
        kit.empty_state(
            kit.paper_art(),
            "Nothing fits",
            "No entry of the log fits what you ask for. Ask for less, or for more time.",
        ),
    )


def _table() -> rx.Component:
    return kit.table(
        "The audit log, latest first",
        head=rx.el.tr(
            kit.column("When"),
            kit.column("Who"),
            kit.column("What"),
            kit.column("From", hide_small=True),
            kit.column("To", hide_small=True),
            kit.column("Through", hide_small=True),
        ),
        body=rx.foreach(AuditLogState.entries, _row),
    )


def _row(entry: rx.Var[EntryView]) -> rx.Component:
    who = rx.el.span(
        kit.avatar(entry.who_initials, entry.who_tint), kit.clipped(entry.who), class_name="line"
    )  # fmt: skip
    what = rx.el.div(
        rx.el.button(
            kit.clipped(rx.cond(entry.title != "", entry.title, entry.kind)),
            type="button",
            class_name="name-btn",
            on_click=AuditLogState.choose(entry.key),
        ),
        rx.el.span(entry.kind, ", ", entry.act.lower(), class_name="muted small"),
        class_name="stack tight",
    )
    return rx.el.tr(
        kit.cell(rx.el.time(entry.when), class_name="muted"),
        kit.cell(who),
        kit.cell(what, class_name="log-what"),
        kit.cell(rx.foreach(entry.first, _old), hide_small=True, class_name="told log-value"),
        kit.cell(
            rx.foreach(entry.first, _new),
            rx.cond(entry.more > 0, rx.el.span("and ", entry.more, " more", class_name="muted small")),
            hide_small=True,
            class_name="told log-value",
        ),
        kit.cell(entry.source, hide_small=True, class_name="muted"),
        class_name=rx.cond(AuditLogState.chosen.key == entry.key, "open", ""),
        key=entry.key,
    )


def _old(change: rx.Var[ChangeView]) -> rx.Component:
    return rx.el.div(
        rx.el.span(change.label, class_name="muted small"), _value(change.old, "log-old"), class_name="stack tight"
    )


def _new(change: rx.Var[ChangeView]) -> rx.Component:
    return rx.el.div(
        rx.el.span(change.label, class_name="muted small"), _value(change.new, "log-new"), class_name="stack tight"
    )


def _value(text: rx.Var[str], class_name: str) -> rx.Component:
    return rx.cond(
        text != "", rx.el.span(text, class_name=class_name), rx.el.span("empty", class_name="muted")
    )  # fmt: skip


def _pages() -> rx.Component:
    return rx.el.div(
        rx.cond(AuditLogState.has_newer, kit.ghost("Newest", size="sm", on_click=AuditLogState.newest)),
        rx.cond(AuditLogState.has_newer, kit.outline("Newer", size="sm", on_click=AuditLogState.newer)),
        rx.cond(AuditLogState.has_older, kit.outline("Older", size="sm", on_click=AuditLogState.older)),
        class_name="line log-pages",
    )


def _panel() -> rx.Component:
    one = AuditLogState.chosen
    title = rx.cond(one.title != "", one.title, one.kind)
    return kit.panel(
        rx.el.header(
            rx.el.h2(title, class_name="clip"),
            kit.icon_button("dismiss", "Close", class_name="push", on_click=AuditLogState.close),
            class_name="head",
        ),
        rx.el.div(
            kit.section(
                "Act",
                kit.props_list(
                    kit.prop("What", one.kind + ", " + one.act.lower()),
                    kit.prop("Who", one.who),
                    kit.prop("When", one.when),
                    kit.prop("Through", one.source),
                    rx.cond(one.ip != "", kit.prop("Address", one.ip)),
                    rx.cond(one.place != "", kit.prop("Browser", one.place)),
                    rx.cond(one.request != "", kit.prop("Reference", one.request)),
                ),
                rx.cond(one.href != "", rx.el.p(kit.link("Open the record", href=one.href))),
            ),
            rx.cond(one.changes.length() > 0, kit.section("Values", rx.foreach(one.changes, _side_by_side))),
            class_name="scroll",
        ),
        label=title,
    )


def _side_by_side(change: rx.Var[ChangeView]) -> rx.Component:
    back = kit.ghost(
        "Put back",
        size="sm",
        icon_name="arrow_undo",
        aria_label="Put back: " + change.label,
        on_click=AuditLogState.ask_back(AuditLogState.chosen.key, change.name),
    )
    return rx.el.div(
        rx.el.div(rx.el.h3(change.label), rx.cond(change.back, rx.el.span(back, class_name="push")), class_name="line"),
        rx.el.dl(
            rx.el.div(rx.el.dt("Before"), rx.el.dd(_value(change.old, "log-old"))),
            rx.el.div(rx.el.dt("After"), rx.el.dd(_value(change.new, "log-new"))),
            class_name="log-pair",
        ),
        class_name="log-change",
        key=change.name,
    )


def _back_dialog() -> rx.Component:
    back = AuditLogState.back

    def part(name: str) -> rx.Var[str]:
        return rx.cond(back.contains(name), back[name], "")

    return kit.dialog(
        "put-back",
        "Put back " + part("label"),
        kit.hidden("back", part("key") + " " + part("name") + " " + part("seen")),
        rx.el.dl(
            rx.el.div(rx.el.dt("Now"), rx.el.dd(_value(part("now"), "log-old"))),
            rx.el.div(rx.el.dt("Then"), rx.el.dd(_value(part("old"), "log-new"))),
            class_name="log-pair",
        ),
        sub=part("title"),
        open=back.contains("key"),
        on_dismiss=AuditLogState.keep,
        on_submit=AuditLogState.put_back,
        action=kit.primary("Put back", type="submit", data_autofocus=""),
    )
