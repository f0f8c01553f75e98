"""The quick log, with comments, and the timeline under it."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import may
from crm_app.components.kit.icon_paths import PATHS
from crm_app.components.record_slots import record_tab
from crm_app.core.registry import Entity
from crm_app.state.activities.timeline_views import GroupView, ItemView
from crm_app.state.timeline import Timeline

COMMENTED = ("product", "activity", "user", "team")  # pages without activities
ICONS = {
    "call": "call",
    "email": "mail",
    "meeting": "calendar_ltr",
    "task": "clipboard_task",
    "note": "note",
    "comment": "comment",
    "stage": "arrow_right",
    "won": "trophy",
    "lost": "dismiss",
    "edit": "edit",
}
_ASK = {
    "call": "What was said?",
    "email": "What was written? The first line is its subject",
    "meeting": "What was agreed?",
    "note": "What is worth knowing?",
    "task": "What is to be done?",
    "comment": "What should colleagues know? @ names one of them",
}
_OUTCOMES = {
    "call": ("Reached", "No answer", "Left a message", "Call back later"),
    "meeting": ("Took place", "Put off", "Did not come"),
    "email": ("Answered", "No answer yet"),
}
_MAY = may("activity.update")
KEYS = (
    kit.Key("l", "Log what was done", press=".composer [data-log]", icon="call"),
    kit.Key("t", "Plan a task", press=".composer [data-kind=task]", focus=".composer textarea", icon="clipboard_task"),
    kit.Key("n", "Write a note", press=".composer [data-kind=note]", focus=".composer textarea", icon="note"),
    kit.Key("m", "Log an e-mail", press=".composer [data-kind=email]", focus=".composer textarea", icon="mail"),
    kit.Key("mod+enter", "Save what is written there"),
)
_TABS = (("all", "All"), ("talks", "Talks"), ("mail", "Mail"), ("comments", "Comments"), ("changes", "Changes"))


def timeline(*, with_changes: bool = True) -> rx.Component:
    """`with_changes`: whether it can be narrowed, as on a deal."""
    filters = [
        rx.el.div(
            kit.segmented(
                "Show",
                *[
                    kit.segment(label, pressed=Timeline.shown == what, on_click=Timeline.show(what))
                    for what, label in _TABS
                ],
                class_name="grow",
            ),
            class_name="line",
            style={"marginTop": "8px"},
        )
    ]
    return rx.el.section(
        rx.el.h2("Timeline", class_name="sr"),
        rx.cond(Timeline.may_log, _composer()),
        *(filters if with_changes else []),
        rx.foreach(Timeline.groups, _group),
        rx.cond(Timeline.groups.length() == 0, _nothing()),
        rx.cond(
            Timeline.has_more,
            rx.el.div(kit.ghost("Load older", size="sm", on_click=Timeline.older), class_name="line"),
        ),
        class_name="sec timeline",
    )


def _composer() -> rx.Component:
    known = {key: {"ask": _ASK[key], "path": PATHS[ICONS[key], 24, False], **_how(key)} for key in _ASK}
    other = {"ask": "What happened?", "path": PATHS["calendar_ltr", 24, False], "timed": True}
    shapes = rx.Var.create({**known, "": other})
    kinds = Timeline.kinds.map(
        lambda kind: rx.Var(
            f"({{...{kind!s}, ...({shapes!s}[{kind!s}.value] ?? {shapes!s}[''])}})", _var_data=kind._get_all_var_data()
        ).to(dict)
    )
    return kit.composer(
        kinds,
        people=Timeline.people,
        store=Timeline.store,
        answer=Timeline.answered,
        on_log=Timeline.log,
        found=Timeline.mentionable,
        on_mention=Timeline.search_people,
    )


def _how(key: str) -> dict[str, object]:
    return {
        "outcomes": [{"value": o, "label": o} for o in _OUTCOMES.get(key, ())],
        "talk": key in ("call", "meeting"),
        "timed": key in ("call", "meeting", "email", "task"),
        "planned": key == "task",
    }


def _nothing() -> rx.Component:
    words = rx.match(
        Timeline.shown,
        ("changes", "Nothing was changed yet."),
        ("talks", "No talks yet. Log the first one above."),
        ("mail", "No mail yet."),
        ("comments", "No comments yet."),
        "Nothing happened yet. What you log above stands here.",
    )
    return rx.el.p(words, class_name="muted when")


def _group(group: rx.Var[GroupView]) -> rx.Component:
    return rx.fragment(
        rx.el.h3(group.title, class_name="when"),
        rx.el.ul(rx.foreach(group.rows, _item), class_name="tl"),
    )


def _item(item: rx.Var[ItemView]) -> rx.Component:
    when = rx.cond(item.late, rx.el.time(item.when, class_name="over strong"), rx.el.time(item.when))
    early = rx.cond(
        item.is_planned & ~item.is_due & _MAY,
        kit.icon_button("checkmark", rx.Var.create("Done: ") + item.title, size=16, on_click=Timeline.done(item.id)),
    )
    return rx.el.li(
        rx.el.span(
            kit.icon_for(item.kind, ICONS, default="calendar_ltr"),
            class_name=rx.Var.create("mk ") + item.tone,
        ),
        rx.el.div(
            rx.el.p(
                rx.el.span(_about(item), item.title, class_name=rx.cond(item.by_person, "strong", "")),
                when,
                early,
                class_name="t",
            ),
            rx.cond(item.parts.length() > 0, _remark(item)),
            rx.cond(
                (item.text != "") & (item.parts.length() == 0),
                rx.el.p(item.text, class_name=rx.cond(item.by_person, "pre", "pre muted")),
            ),
            rx.foreach(item.changes, _change),
            rx.cond(item.is_due & _MAY, _to_do(item)),
        ),
        key=item.id,
    )


def _about(item: rx.Var[ItemView]) -> rx.Component:
    """The deal that it happened with."""
    return rx.cond(item.about != "", rx.fragment(kit.link(item.about, href=item.about_href), ": "))


def _remark(item: rx.Var[ItemView]) -> rx.Component:
    """A comment: words, with colleagues as links."""

    def part(one: rx.Var[dict[str, str]]) -> rx.Component:
        name = rx.cond(
            one["href"] != "",
            kit.link(one["text"], href=one["href"], class_name="mention"),
            rx.el.span(one["text"], class_name="mention"),
        )
        return rx.cond(one["kind"] == "name", name, rx.el.span(one["text"]))

    return kit.remark(
        rx.el.p(rx.foreach(item.parts, part), class_name="pre"),
        id=item.id,
        text=item.text,
        mentions=item.mentions,
        may_edit=item.may_edit,
        may_remove=item.may_remove,
        edited=item.edited,
        people=Timeline.mentionable,
        answer=Timeline.remark_answer,
        on_search=Timeline.search_people,
        on_edit=Timeline.edit_comment,
        on_remove=Timeline.remove_comment,
    )


def _change(change: rx.Var[dict[str, str]]) -> rx.Component:
    return rx.el.p(
        rx.cond(change["label"] != "", rx.fragment(rx.el.span(change["label"], class_name="muted"), " ")),
        rx.cond(change["old"] != "", rx.fragment(rx.el.s(change["old"]), " ")),
        rx.cond(change["new"] != "", change["new"], "emptied"),
    )


def _to_do(item: rx.Var[ItemView]) -> rx.Component:
    """What is due can be done or put off."""
    return rx.el.p(
        kit.outline(
            rx.fragment("Done", kit.sr(": ", item.title)),
            icon_name="checkmark",
            size="sm",
            on_click=Timeline.done(item.id),
        ),
        kit.ghost(
            rx.fragment("Tomorrow", kit.sr(": put off ", item.title)), size="sm", on_click=Timeline.put_off(item.id)
        ),
        rx.el.span(kit.avatar(item.initials, item.tint, data_tip=item.who), class_name="push"),
        class_name="line",
    )


def _comments(_: Entity) -> rx.Component:
    return timeline(with_changes=False)


# Other records have their timeline of activities, with the comments in it.
record_tab("comments", "Comments", _comments, *COMMENTED, count=Timeline.count, place=10)
