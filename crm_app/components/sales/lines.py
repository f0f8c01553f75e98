"""The products on a deal."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import may
from crm_app.state.sales.deal_parts import DealParts
from crm_app.state.sales.deal_views import LineView

_MAY = may("opportunity.update")


def lines_card() -> rx.Component:
    button = kit.ghost("Add product", icon_name="add", size="sm", on_click=DealParts.ask_line(""), **kit.ASKS)
    add = rx.cond(_MAY, button)
    return rx.el.section(
        rx.el.header(
            rx.el.h2("Products"),
            rx.cond(DealParts.lines.length() > 0, kit.pill(DealParts.lines.length())),
            rx.el.div(add, class_name="push line"),
        ),
        rx.cond(
            DealParts.lines.length() > 0,
            rx.fragment(_table(), rx.cond(DealParts.total.differs & _MAY, _take_over())),
            rx.el.div(rx.el.p("No products yet.", class_name="muted"), class_name="body"),
        ),
        _dialog(),
        class_name="card",
    )


def _table() -> rx.Component:
    return rx.el.div(
        rx.el.table(
            rx.el.caption("Products of the deal", class_name="sr"),
            rx.el.thead(
                rx.el.tr(
                    kit.column("Product"),
                    kit.column("Quantity", number=True),
                    kit.column("Price", number=True, hide_small=True),
                    kit.column("Amount", number=True),
                    rx.cond(_MAY, rx.el.th(kit.sr("Remove"), scope="col")),
                )
            ),
            rx.el.tbody(rx.foreach(DealParts.lines, _row)),
            rx.el.tfoot(
                rx.el.tr(
                    rx.el.td("Sum"),
                    rx.el.td(),
                    rx.el.td(class_name="hide-s"),
                    kit.cell(DealParts.total.text, number=True, class_name="strong"),
                    rx.cond(_MAY, rx.el.td()),
                )
            ),
            class_name="table flat",
        ),
        class_name="deal-lines",
        tab_index=0,
        role="region",
        aria_label="Products of the deal",
    )


def _row(line: rx.Var[LineView]) -> rx.Component:
    name = rx.cond(
        _MAY,
        rx.el.button(line.name, type="button", class_name="as-link strong", on_click=DealParts.ask_line(line.id)),
        rx.el.span(line.name, class_name="strong"),
    )
    remove = kit.icon_button(
        "dismiss",
        rx.Var.create("Remove ") + line.name,
        size=16,
        on_click=DealParts.remove_line(line.id, line.name),
    )
    price = rx.fragment(
        line.price, rx.cond(line.discount != "", rx.el.span(" −", line.discount, class_name="muted small"))
    )
    return rx.el.tr(
        rx.el.td(name),
        kit.cell(line.quantity, number=True),
        kit.cell(price, number=True, hide_small=True),
        kit.cell(line.amount, number=True),
        rx.cond(_MAY, rx.el.td(remove)),
        key=line.id,
    )


def _take_over() -> rx.Component:
    return rx.el.div(
        rx.el.span("The amount of the deal is another.", class_name="muted"),
        kit.outline(rx.fragment("Set amount to ", DealParts.total.text), size="sm", on_click=DealParts.set_amount),
        class_name="body line wrap",
        style={"paddingTop": "8px"},
    )


def _dialog() -> rx.Component:
    line, errors = DealParts.asked_line, DealParts.errors
    is_new = line["id"] == ""
    product = kit.combo(
        "product_id",
        DealParts.found,
        free=True,
        on_search=DealParts.search_product,
        label="Product",
        required=True,
        invalid=errors["name"].to(bool),
    )
    return kit.dialog(
        "edit-line",
        rx.cond(is_new, "Add product", "Change product"),
        kit.hidden("id", line["id"]),
        rx.cond(
            is_new,
            kit.field(
                "Product",
                product,
                control_id="product_id",
                hint="Type to search the catalogue, or name anything else.",
                error=_error("name"),
            ),
            kit.field(
                "Product",
                kit.text_input("name", default_value=line["name"], invalid=errors["name"].to(bool)),
                control_id="name",
                error=_error("name"),
            ),
        ),
        rx.el.div(
            _number("Quantity", "quantity"),
            _number("Discount in % (optional)", "discount_percent"),
            class_name="two",
        ),
        kit.field(
            "Price of one (optional)",
            kit.money_input(
                "unit_price_minor",
                DealParts.currency,
                default_value=line["unit_price_minor"],
                invalid=errors["unit_price_minor"].to(bool),
            ),
            control_id="unit_price_minor",
            hint=rx.cond(is_new, "Empty takes the list price.", ""),
            error=_error("unit_price_minor"),
        ),
        rx.cond(errors[""], rx.el.p(errors[""], class_name="error", role="alert")),
        open=DealParts.is_editing_line,
        on_dismiss=DealParts.leave,
        on_submit=DealParts.save_line,
        action=kit.primary(rx.cond(is_new, "Add product", "Save"), type="submit"),
    )


def _number(label: str, name: str) -> rx.Component:
    box = kit.text_input(
        name,
        default_value=DealParts.asked_line[name],
        input_mode="decimal",
        invalid=DealParts.errors[name].to(bool),
    )
    return kit.field(label, box, control_id=name, error=_error(name))


def _error(name: str) -> rx.Var[str]:
    return rx.cond(DealParts.errors[name], DealParts.errors[name], "")
