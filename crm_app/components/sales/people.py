"""The people who have a part in a deal."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.customers.alike import alike_names
from crm_app.components.frame import may
from crm_app.state.sales.deal_parts import DealParts
from crm_app.state.sales.deal_views import ROLES, PersonView

_MAY = may("opportunity.update")


def people_card() -> rx.Component:
    button = kit.ghost("Add person", icon_name="person_add", size="sm", on_click=DealParts.ask_person, **kit.ASKS)
    add = rx.cond(_MAY, button)
    return rx.el.section(
        rx.el.header(
            rx.el.h2("People"),
            rx.cond(DealParts.people.length() > 0, kit.pill(DealParts.people.length())),
            rx.el.div(add, class_name="push line"),
        ),
        rx.el.div(
            rx.cond(
                DealParts.people.length() > 0,
                rx.el.ul(rx.foreach(DealParts.people, _person)),
                rx.el.p("Nobody has a part in this deal yet. Who decides?", class_name="muted"),
            ),
            rx.cond(DealParts.others.length() > 0, _others()),
            class_name="body",
        ),
        _dialog(),
        class_name="card",
    )


def _person(person: rx.Var[PersonView]) -> rx.Component:
    return rx.el.li(
        kit.avatar(person.initials, person.tint, size="lg"),
        rx.el.span(
            kit.link(person.name, href=person.href, class_name="strong plain"),
            rx.cond(person.title != "", rx.fragment(rx.el.br(), rx.el.span(person.title, class_name="muted small"))),
            class_name="grow",
        ),
        rx.cond(_MAY, _role_menu(person), kit.badge(person.role_label, tone=person.tone)),
        _reach("call", "Call", "tel:", person, person.phone, "number"),
        _reach("mail", "Mail", "mailto:", person, person.email, "address"),
        class_name="item",
        key=person.contact_id,
    )


def _role_menu(person: rx.Var[PersonView]) -> rx.Component:
    button = rx.el.button(
        person.role_label,
        type="button",
        class_name=rx.Var.create("badge ") + person.tone,
        aria_label=rx.Var.create("Part of ") + person.name + ": " + person.role_label,
    )
    who = rx.Var.create({"part_id": person.part_id, "contact_id": person.contact_id})
    return kit.menu(
        button,
        *[
            kit.menu_choice(
                role["label"], chosen=person.role == role["value"], on_click=DealParts.give_role(who, role["value"])
            )
            for role in ROLES
        ],
        rx.cond(
            person.part_id != "",
            rx.fragment(
                kit.menu_line(),
                kit.menu_item(
                    "Take off the deal",
                    icon_name="dismiss",
                    on_click=DealParts.remove_person(person.part_id, person.name),
                ),
            ),
        ),
        label="Part in the deal",
        end=True,
    )


def _reach(
    icon: str, verb: str, scheme: str, person: rx.Var[PersonView], where: rx.Var[str], what: str
) -> rx.Component:
    """A link that calls or writes; without number or address it says why it cannot."""
    label = rx.Var.create(f"{verb} ") + person.name
    missing = label + rx.Var.create(f", no {what} yet")
    return rx.cond(
        where != "",
        rx.el.a(
            kit.icon(icon),
            href=rx.Var.create(scheme) + where,
            class_name="icon-btn",
            aria_label=label,
            data_tip=rx.Var.create(f"{verb} ") + where,
        ),
        rx.el.button(
            kit.icon(icon),
            type="button",
            class_name="icon-btn",
            aria_disabled="true",
            aria_label=missing,
            data_tip=f"No {what} yet",
        ),
    )


def _others() -> rx.Component:
    """People of the account without a part, at hand."""
    return rx.el.details(
        rx.el.summary(
            "Also at the account ", rx.el.span(DealParts.others.length(), class_name="pill"), class_name="muted small"
        ),
        rx.el.ul(rx.foreach(DealParts.others, _other)),
        class_name="others",
    )


def _other(person: rx.Var[PersonView]) -> rx.Component:
    return rx.el.li(
        kit.avatar(person.initials, person.tint),
        rx.el.span(
            kit.link(person.name, href=person.href, class_name="plain"),
            rx.cond(person.title != "", rx.el.span(" ", person.title, class_name="muted small")),
            class_name="grow clip",
        ),
        rx.cond(_MAY, _give_part(person)),
        class_name="item",
        key=person.contact_id,
    )


def _give_part(person: rx.Var[PersonView]) -> rx.Component:
    who = rx.Var.create({"part_id": "", "contact_id": person.contact_id})
    return kit.menu(
        kit.ghost(rx.fragment("Add", kit.sr(" ", person.name)), size="sm"),
        *[kit.menu_item(role["label"], on_click=DealParts.give_role(who, role["value"])) for role in ROLES],
        label="Part in the deal",
        end=True,
    )


def _dialog() -> rx.Component:
    return kit.dialog(
        "add-person",
        "Add person",
        kit.field(
            "Person",
            kit.combo(
                "contact_id",
                DealParts.found,
                free=True,
                on_search=DealParts.search_person,
                label="Person",
                required=True,
                invalid=DealParts.errors["contact_id"].to(bool),
            ),
            control_id="contact_id",
            hint="Type to search; a new name becomes a new contact of the account.",
            error=rx.cond(DealParts.errors["contact_id"], DealParts.errors["contact_id"], ""),
        ),
        kit.field(
            "Part in the deal",
            kit.select("role", [(r["value"], r["label"]) for r in ROLES], default_value="influences"),
            control_id="role",
        ),
        alike_names(),
        rx.cond(DealParts.errors[""], rx.el.p(DealParts.errors[""], class_name="error", role="alert")),
        open=DealParts.is_adding_person,
        on_dismiss=DealParts.leave,
        on_submit=DealParts.add_person,
        action=kit.primary("Add person", type="submit"),
    )
