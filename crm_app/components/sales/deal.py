"""The page of a deal: head with stage bar, then fields, the deal itself, and its timeline."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import may
from crm_app.components.neighbours import neighbours
from crm_app.components.people.access import access_dialog, access_item
from crm_app.components.platform.attachments import attachments
from crm_app.components.record_delete import delete_dialog
from crm_app.components.sales.deal_dialog import DealDialogView, deal_dialog
from crm_app.components.sales.deal_fields import deal_fields
from crm_app.components.sales.lines import lines_card
from crm_app.components.sales.people import people_card
from crm_app.components.sales.stage_bar import stage_bar
from crm_app.components.timeline import ICONS, timeline
from crm_app.components.timeline import KEYS as TIMELINE_KEYS
from crm_app.state.record_delete import RecordDelete
from crm_app.state.sales.board_answers import BoardAnswers
from crm_app.state.sales.deal import DealState
from crm_app.state.timeline import Timeline

KEYS = (
    *TIMELINE_KEYS,
    kit.Key("s", "Change the stage", focus=".stagebar [aria-current=step]", icon="arrow_right"),
    kit.Key("e", "Edit the fields", press=".props :is(button.val, .pen-btn)", icon="edit"),
    kit.Key(
        "a", "Give it to somebody else", press="[data-field=owner_id] :is(button.val, .pen-btn)", icon="person_add"
    ),
    kit.Key("j", "Next deal", press="[data-next]"),
    kit.Key("k", "Previous deal", press="[data-previous]"),
    kit.Key("", "Mark as won", press="[data-won]", icon="trophy"),
    kit.Key("", "Mark as lost", press="[data-lost]", icon="dismiss"),
    kit.Key("", "Delete", press="[data-delete]", icon="delete"),
)
_HEAD = DealState.head
_IS_OPEN = _HEAD.status == "open"


def deal(dialog: DealDialogView) -> rx.Component:
    """The content of the sheet."""
    return rx.cond(
        DealState.is_missing,
        _missing(),
        rx.fragment(
            _path(),
            rx.cond(DealState.is_loaded, _loaded(), _skeleton()),
            deal_dialog(dialog),
            delete_dialog(),
            access_dialog(),
        ),
    )


def _path() -> rx.Component:
    copy = kit.icon_button("copy", "Copy number", size=16, custom_attrs={"onClick": kit.copying(_HEAD.number)})
    return rx.el.header(
        rx.el.nav(
            kit.link(_HEAD.pipeline, href=_HEAD.pipeline_href),
            kit.icon("chevron_right", 16),
            kit.link(_HEAD.stage, href=_HEAD.pipeline_href),
            kit.icon("chevron_right", 16),
            rx.el.span(_HEAD.number, class_name="no"),
            rx.cond(DealState.is_loaded, copy),
            class_name="crumbs",
            aria_label="Path",
        ),
        rx.cond(DealState.is_loaded, _actions()),
        class_name="head",
    )


def _actions() -> rx.Component:
    return rx.el.div(
        rx.cond(DealState.viewers.length() > 0, _here_now()),
        rx.cond(
            DealState.place != "",
            neighbours(
                "deal",
                place=DealState.place,
                before_href=DealState.before_href,
                after_href=DealState.after_href,
            ),
        ),
        _menu(),
        rx.cond(may("opportunity.close"), _ends()),
        class_name="push line opp-acts",
    )


def _here_now() -> rx.Component:
    names = DealState.viewers.map(lambda v: v["n"].to(str)).to(list[str]).join(", ")
    return rx.el.div(
        rx.foreach(
            DealState.viewers,
            lambda v: kit.avatar(v["i"].to(str), v["t"].to(int), live=True, data_tip=v["n"].to(str) + " is here now"),
        ),
        role="img",
        aria_label=rx.Var.create("Here now: ") + names,
        class_name="avs hide-s",
    )


def _menu() -> rx.Component:
    close = BoardAnswers.close_one
    return kit.menu(
        kit.icon_button("more_horizontal", "More actions"),
        kit.menu_item("Copy number", icon_name="copy", custom_attrs={"onClick": kit.copying(_HEAD.number)}),
        rx.cond(
            _IS_OPEN & may("opportunity.close"),
            rx.fragment(
                rx.el.span(
                    kit.menu_item("Lost", icon_name="dismiss", on_click=close(_HEAD.id, _HEAD.name, "lost")),
                    class_name="show-s",
                ),
            ),
        ),
        rx.cond(
            _IS_OPEN & may("opportunity.move"),
            kit.menu_item(
                "Move to another pipeline", icon_name="flow", on_click=close(_HEAD.id, _HEAD.name, "pipeline")
            ),
        ),
        access_item("opportunity", _HEAD.id),
        rx.cond(
            may("opportunity.delete"),
            rx.fragment(
                kit.menu_line(),
                kit.menu_item(
                    "Delete",
                    icon_name="delete",
                    danger=True,
                    on_click=RecordDelete.ask("opportunity", _HEAD.id, _HEAD.pipeline_href),
                    data_delete="",
                ),
            ),
        ),
        label="More actions",
        end=True,
    )


def _ends() -> rx.Component:
    close = BoardAnswers.close_one
    return rx.cond(
        _IS_OPEN,
        rx.fragment(
            kit.outline("Lost", on_click=close(_HEAD.id, _HEAD.name, "lost"), data_lost=""),
            kit.success("Won", icon_name="trophy", on_click=close(_HEAD.id, _HEAD.name, "won"), data_won=""),
        ),
        kit.outline("Reopen", on_click=DealState.reopen, class_name="keep"),
    )


def _loaded() -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.el.div(_title(), _figures(), class_name="line wrap", style={"gap": "12px 32px"}),
            stage_bar(),
            class_name="opp-head",
        ),
        _tabs(),
        rx.el.div(
            _panel("details", "left", "Stage and fields", deal_fields()),
            _panel("deal", "mid", "Deal", rx.cond(_IS_OPEN, _next_step()), lines_card(), people_card(), attachments()),
            _panel("timeline", "right", "Timeline", timeline()),
            class_name="three",
        ),
    )


def _panel(id: str, place: str, label: str, *content: rx.Component) -> rx.Component:
    return rx.el.div(*content, id=id, class_name=place, tab_index=0, role="region", aria_label=label)


def _title() -> rx.Component:
    return rx.el.div(
        rx.el.h1(_HEAD.name),
        rx.el.p(
            kit.link(_HEAD.account, href=_HEAD.account_href, class_name="account"),
            rx.el.span("Owner ", _HEAD.owner, ", opened ", _HEAD.opened, class_name="muted"),
            rx.cond(_HEAD.closed != "", kit.badge(_HEAD.closed, tone=rx.cond(_HEAD.status == "won", "good", "over"))),
            class_name="line wrap",
            style={"gap": "2px 8px"},
        ),
        class_name="grow",
        style={"minWidth": "260px"},
    )


def _figures() -> rx.Component:
    def one(name: str, value: rx.Var[str], *more: rx.Component) -> rx.Component:
        return rx.cond(value != "", rx.el.div(rx.el.dt(name), rx.el.dd(value, *more)))

    note = rx.cond(
        _HEAD.close_note != "",
        rx.fragment(" ", rx.el.span(_HEAD.close_note, class_name=rx.Var.create("small ") + _HEAD.close_tone)),
    )
    return rx.el.dl(
        one("Amount", _HEAD.amount),
        rx.cond(_IS_OPEN, one("Weighted", _HEAD.weighted)),
        rx.cond(_IS_OPEN, one("Probability", _HEAD.probability)),
        one("Close date", _HEAD.close, note),
        class_name="kpis",
    )


def _tabs() -> rx.Component:
    return kit.panel_tabs(
        "Parts of the deal",
        [
            {"id": "deal", "label": "Deal"},
            {"id": "timeline", "label": "Timeline", "count": Timeline.count},
            {"id": "details", "label": "Details"},
        ],
        area=".three",
    )


def _next_step() -> rx.Component:
    action = DealState.action
    plan = _press(".composer [data-kind=task]")
    buttons = rx.cond(
        action.is_planned,
        rx.fragment(
            kit.primary("Done", icon_name="checkmark", on_click=Timeline.done(action.activity_id)),
            rx.cond(action.is_due, kit.outline("Tomorrow", on_click=Timeline.put_off(action.activity_id))),
        ),
        kit.primary("Plan a task", icon_name="clipboard_task", custom_attrs={"onClick": plan}),
    )
    return rx.el.section(
        rx.el.header(
            kit.icon_for(action.kind, ICONS, 20, default="lightbulb"),
            rx.el.h2("Next activity"),
            rx.cond(action.is_overdue, kit.badge("Overdue", tone="over", class_name="push")),
        ),
        rx.el.div(
            rx.el.p(action.title, class_name="strong", style={"fontSize": "14px"}),
            rx.el.p(rx.foreach(action.why, rx.el.span), class_name="why"),
            rx.cond(may("activity.update"), rx.el.div(buttons, class_name="line wrap")),
            class_name="body",
        ),
        class_name="card nba",
    )


def _press(selector: str) -> rx.Var:
    """Presses another part of the page, without the server, and shows its panel on narrow screens."""
    return rx.Var(
        "() => { if (window.innerWidth < 1180) document.querySelector('.opp-tabs [href$=timeline]')?.click();"
        f" const el = document.querySelector('{selector}'); el?.click();"
        " el?.closest('.composer')?.querySelector('textarea')?.focus(); }"
    )


def _missing() -> rx.Component:
    return kit.empty_state(
        kit.paper_art(),
        "This deal is not here",
        "It was deleted, or your role may not see it. A colleague who owns it, or an admin, can tell.",
        kit.link_button("To the pipeline", href="/pipeline", variant="primary"),
        whole_page=True,
    )


def _skeleton() -> rx.Component:
    head = rx.el.div(kit.bone("38%", 20), kit.bone("24%", 12), kit.bone("100%", 34), class_name="opp-head")
    cards = [
        rx.el.div(kit.bone("30%", 12), kit.bone("70%"), kit.bone("55%"), class_name="card body stack sk-pad")
        for _ in range(3)
    ]
    return kit.skeleton(
        head,
        rx.el.div(
            rx.el.div(kit.skeleton_rows("Fields"), class_name="left"),
            rx.el.div(*cards, class_name="mid"),
            rx.el.div(kit.skeleton_rows("Timeline"), class_name="right"),
            class_name="three",
        ),
        label="The deal is being read",
        class_name="deal-sk",
    )
