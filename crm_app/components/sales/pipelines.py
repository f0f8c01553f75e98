"""Settings, Pipelines: which there are, and the stages of the chosen one."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.sales.stage_panel import stage_panel
from crm_app.components.settings import may, settings_page
from crm_app.state.sales.pipelines import PipelinesState
from crm_app.state.sales.stages import StagePanel

HREF = "/settings/pipelines"
Row = rx.Var[dict[str, Any]]


def pipelines() -> rx.Component:
    """Ways to sell, and the steps of each."""
    return settings_page(
        "Pipelines",
        rx.cond(PipelinesState.is_loaded, _body(), kit.skeleton_rows("Loading pipelines")),
        kit.sr(PipelinesState.said, role="status"),
        _dialog(),
        current=HREF,
        actions=(
            rx.cond(may("pipeline.create"), kit.outline("Pipeline", icon_name="add", on_click=PipelinesState.open(""))),
        ),
        panel=stage_panel(),
    )


def _body() -> rx.Component:
    return rx.fragment(
        rx.cond(
            may("stage.update"),
            rx.fragment(),
            rx.el.p("Only admins change pipelines. Ask one if a stage is missing.", class_name="muted"),
        ),
        rx.el.section(_table()),
        rx.cond(PipelinesState.pipeline_id != "", rx.fragment(_stages(), _ends())),
    )


def _table() -> rx.Component:
    return kit.table(
        "Pipelines of this workspace",
        head=rx.el.tr(
            rx.cond(may("pipeline.update"), kit.column(kit.sr("Order and more"))),
            kit.column("Pipeline"),
            kit.column("Open stages", number=True, hide_small=True),
            kit.column("Open deals", number=True),
            kit.column("On the board", hide_small=True),
        ),
        body=rx.foreach(PipelinesState.pipelines, _pipeline),
    )


def _pipeline(row: Row) -> rx.Component:
    record_id, name = row["id"].to(str), row["name"].to(str)
    is_here = record_id == PipelinesState.pipeline_id
    return rx.el.tr(
        rx.cond(may("pipeline.update"), kit.cell(_pipeline_menu(row), class_name="dragc")),
        kit.cell(
            kit.link(
                kit.clipped(name),
                href=rx.Var.create(f"{HREF}?p=") + record_id,
                aria_current=rx.cond(is_here, "true", rx.Var("undefined")),
            ),
            class_name="name",
        ),
        kit.cell(row["stages"].to(str), number=True, hide_small=True),
        kit.cell(row["deals"].to(str), number=True),
        kit.cell(
            rx.cond(
                row["is_active"].to(bool),
                rx.el.span("In use", class_name="muted"),
                kit.badge("Off the board", icon_name="archive"),
            ),
            hide_small=True,
        ),
        class_name=rx.cond(is_here, "open", ""),
        key=record_id,
    )


def _pipeline_menu(row: Row) -> rx.Component:
    record_id, name = row["id"].to(str), row["name"].to(str)
    return kit.menu(
        _handle(name, row["place"].to(str)),
        *_moves(row, PipelinesState.move),
        kit.menu_line(),
        kit.menu_item("Rename", icon_name="edit", on_click=PipelinesState.open(record_id)),
        rx.cond(
            row["is_active"].to(bool),
            kit.menu_item("Take off the board", icon_name="archive", on_click=PipelinesState.rest(record_id)),
            kit.menu_item("Put on the board", icon_name="board", on_click=PipelinesState.use(record_id)),
        ),
        label="Order and more",
    )


def _handle(name: rx.Var[str], place: rx.Var[str]) -> rx.Component:
    words = rx.Var.create("Move ") + name + ", " + place
    return kit.icon_button("re_order_dots_vertical", words, size=16)


def _moves(row: Row, move: Any) -> tuple[rx.Component, rx.Component]:
    """Only the ways that are open."""
    record_id = row["id"].to(str)
    return (
        rx.cond(row["is_first"].to(bool), rx.fragment(), _move("up", move(record_id, -1))),
        rx.cond(row["is_last"].to(bool), rx.fragment(), _move("down", move(record_id, 1))),
    )


def _move(way: str, handler: Any) -> rx.Component:
    return kit.menu_item(f"Move {way}", icon_name=f"arrow_{way}", on_click=handler)


def _stages() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.div(
                rx.el.h2("Stages of ", PipelinesState.pipeline_name),
                rx.el.p(
                    "Order is the order on the board. Colours follow it, from blue to green.",
                    class_name="muted",
                ),
            ),
            rx.cond(
                may("stage.create"),
                kit.outline("Stage", icon_name="add", class_name="push", on_click=StagePanel.open("")),
            ),
            class_name="line",
        ),
        rx.el.div(
            rx.foreach(PipelinesState.stages, lambda row: rx.el.i(class_name=row["step"].to(str))),
            class_name="ramp",
            aria_hidden="true",
        ),
        kit.table(
            "Open stages, in their order",
            head=rx.el.tr(
                rx.cond(may("stage.update"), kit.column(kit.sr("Order"))),
                kit.column("Name"),
                kit.column("Chance", number=True),
                kit.column("Limit", number=True),
                kit.column("Needed to enter", hide_small=True),
                kit.column("Deals", number=True, hide_small=True),
            ),
            body=rx.foreach(PipelinesState.stages, _stage),
        ),
    )


def _stage(row: Row) -> rx.Component:
    name = row["name"].to(str)
    handle = kit.menu(
        _handle(name, row["place"].to(str)), *_moves(row, PipelinesState.move_stage), label="Order of the stage"
    )
    return rx.el.tr(
        rx.cond(may("stage.update"), kit.cell(handle, class_name="dragc")),
        kit.cell(_opener(row, kit.stage_mark(name, row["step"].to(str)))),
        kit.cell(row["chance"].to(str), number=True),
        kit.cell(row["limit"].to(str), number=True),
        kit.cell(
            rx.el.span(rx.foreach(row["needs"].to(list[str]), _need), class_name="line tight wrap"),
            hide_small=True,
        ),
        kit.cell(row["deals"].to(str), number=True, hide_small=True),
        class_name=rx.cond(StagePanel.is_open & (StagePanel.stage["id"] == row["id"]), "open", ""),
        key=row["id"].to(str),
    )


def _need(label: rx.Var[str]) -> rx.Component:
    return kit.badge(label)


def _opener(row: Row, mark: rx.Component) -> rx.Component:
    """The name of a stage, which opens its panel for those who may change it."""
    button = rx.el.button(
        mark, type="button", class_name="stage-btn", on_click=StagePanel.open(row["id"].to(str)), data_stage=row["id"]
    )
    return rx.cond(may("stage.update"), button, mark)


def _ends() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Ends"),
        rx.el.div(rx.foreach(PipelinesState.ends, _end), class_name="ends"),
    )


def _end(row: Row) -> rx.Component:
    is_won = row["kind"].to(str) == "won"
    sign = rx.cond(
        is_won,
        rx.el.span(kit.icon("trophy"), class_name="ico t3", aria_hidden="true"),
        rx.el.span(kit.icon("thumb_dislike"), class_name="ico t7", aria_hidden="true"),
    )
    said = rx.cond(
        is_won,
        "Winning a deal asks for its close date, and may ask for a reason.",
        "Losing a deal asks for the reason and the competitor.",
    )
    return rx.el.div(
        rx.el.div(
            sign,
            _opener(row, rx.el.span(row["name"].to(str), class_name="strong")),
            rx.el.span(row["chance"].to(str), class_name="muted push num"),
            class_name="line",
        ),
        rx.el.p(said, class_name="muted"),
        rx.el.p(
            row["deals"].to(str), rx.cond(row["deals"].to(int) == 1, " deal", " deals"), class_name="muted small num"
        ),
        class_name="card end",
        key=row["id"].to(str),
    )


def _dialog() -> rx.Component:
    one = PipelinesState.chosen
    is_new = one["id"] == ""
    wrong = PipelinesState.errors
    return kit.dialog(
        "pipeline",
        rx.cond(is_new, "New pipeline", "Rename pipeline"),
        kit.hidden("id", one["id"]),
        kit.field(
            "Name",
            kit.text_input(
                "name",
                default_value=one["name"],
                max_length=80,
                data_autofocus="",
                invalid=wrong.contains("name"),
                key=one["id"],
            ),
            control_id="name",
            error=rx.cond(wrong.contains("name"), wrong["name"], ""),
        ),
        kit.field(
            "What it is for (optional)",
            kit.text_area("description", default_value=one["description"], max_length=500, key=one["id"]),
            control_id="description",
            error=rx.cond(wrong.contains("description"), wrong["description"], ""),
        ),
        sub="It starts with five usual stages, which you can change.",
        open=PipelinesState.is_open,
        on_dismiss=PipelinesState.cancel,
        on_submit=PipelinesState.save,
        action=kit.primary(rx.cond(is_new, "Add pipeline", "Save"), type="submit"),
    )
