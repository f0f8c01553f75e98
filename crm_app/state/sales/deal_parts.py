"""People and products on the page of a deal."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core.context import Actor
from crm_app.core.errors import CrmError, Invalid
from crm_app.core.fields import parse_value
from crm_app.core.registry import FieldSpec, Kind
from crm_app.models.catalog.products import PRODUCT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.sales.opportunities import StakeholderRole
from crm_app.services.customers import contacts
from crm_app.services.platform import finding
from crm_app.services.sales import lines, stakeholders
from crm_app.services.sales.deal_page import DealPage
from crm_app.state.base import AppState, internal, notice_action
from crm_app.state.platform.fields import sentence
from crm_app.state.sales import deal_views
from crm_app.state.sales.deal_views import LineView, PersonView, Sum
from crm_app.store.uow import unit_of_work

# What the boxes of a line are read as.
_BOXES = {
    "quantity": FieldSpec("quantity", "Quantity", Kind.decimal, required=True, minimum=0),
    "unit_price_minor": FieldSpec("unit_price_minor", "Price", Kind.money, minimum=0),
    "discount_percent": FieldSpec("discount_percent", "Discount", Kind.decimal, minimum=0, maximum=100),
}


_NEW_LINE = {"id": "", "name": "", "quantity": "1", "unit_price_minor": "", "discount_percent": "0"}


class DealParts(AppState):
    """Filled by the state of the page; each act is answered by the live feed, which reads the page anew."""

    people: list[PersonView] = []
    others: list[PersonView] = []
    lines: list[LineView] = []
    total: Sum = Sum()
    is_adding_person: bool = False
    is_editing_line: bool = False
    asked_line: dict[str, str] = {}  # what the dialog of a line starts with; without an id it adds one
    found: list[dict[str, str]] = []
    errors: dict[str, str] = {}
    currency: str = ""
    _deal: str = ""
    _account: str = ""

    @internal
    def show(self, page: DealPage) -> None:
        """Take over what was read; only what became another is sent, and all of it the first time."""
        v, is_first = page.values, not self._deal
        self._deal, self._account = str(v["id"]), str(v["account_id"])
        people = [deal_views.person(p) for p in page.people]
        fresh = {
            "people": [p for p in people if p.role_label],
            "others": [p for p in people if not p.role_label],
            "lines": [deal_views.line(x, v["currency"]) for x in page.lines],
            "total": deal_views.lines_sum(page),
            "currency": v["currency"],
        }
        for name, value in fresh.items():
            if is_first or getattr(self, name) != value:
                setattr(self, name, value)

    @internal
    def known(self) -> list[dict[str, str]]:
        """Everybody on the page, as choices."""
        return [{"value": p.contact_id, "label": p.name} for p in [*self.people, *self.others]]

    @rx.event
    async def ask_person(self):
        """The dialog that adds somebody; people of the account who have no part yet are offered first."""
        await self.actor()
        self.errors, self.is_adding_person = {}, True
        self.found = [{"value": p.contact_id, "label": p.name, "hint": p.title} for p in self.others]

    @rx.event
    async def search_person(self, text: str):
        if not text.strip():
            self.found = [{"value": p.contact_id, "label": p.name, "hint": p.title} for p in self.others]
            return
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            hits = await finding.choices(uow, CONTACT, text)
        self.found = [{"value": str(h.id), "label": h.title, "hint": h.detail} for h in hits]

    @rx.event
    async def add_person(self, given: dict[str, Any]):
        """Somebody gets a part in the deal; a new name becomes a new contact of the account."""
        actor = await self.actor()
        try:
            async with unit_of_work(actor) as uow:
                chosen, typed = str(given.get("contact_id") or ""), str(given.get("contact_id_text") or "").strip()
                if not chosen and not typed:
                    raise Invalid(contact_id="is needed: type a name")
                contact_id = (
                    UUID(chosen) if chosen else (await contacts.by_name(uow, typed, account_id=UUID(self._account))).id
                )
                role = StakeholderRole(str(given.get("role") or StakeholderRole.influences.value))
                await stakeholders.add(uow, UUID(self._deal), contact_id, role=role)
        except CrmError as refusal:
            self.errors = _errors(refusal, {"contact_id": "Person"})
            return
        self.is_adding_person = False

    @rx.event
    async def give_role(self, person: dict[str, Any], role: str):
        """Another part; somebody without one gets it."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            if person.get("part_id"):
                await stakeholders.change(uow, UUID(person["part_id"]), role=StakeholderRole(role))
            else:
                await stakeholders.add(uow, UUID(self._deal), UUID(person["contact_id"]), role=StakeholderRole(role))

    @rx.event
    async def remove_person(self, part_id: str, name: str):
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            await stakeholders.remove(uow, UUID(part_id))
        self.notify(f"{name} has no part in this deal any more", action="Undo", payload=f"person-back:{part_id}")

    @rx.event
    async def put_person_back(self, part_id: str):
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            await stakeholders.put_back(uow, UUID(part_id))

    @rx.event
    async def ask_line(self, line_id: str):
        """The dialog of a product; an empty id adds one."""
        await self.actor()
        line = next((x for x in self.lines if x.id == line_id), None)
        self.errors, self.found = {}, []
        self.asked_line = (
            {
                "id": line.id, "name": line.name, "quantity": line.quantity_value, "unit_price_minor": line.price_value,
                "discount_percent": line.discount_value,
            }
            if line
            else _NEW_LINE
        )  # fmt: skip
        self.is_editing_line = True

    @rx.event
    async def search_product(self, text: str):
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            hits = await finding.choices(uow, PRODUCT, text)
        self.found = [{"value": str(h.id), "label": h.title, "hint": h.detail} for h in hits]

    @rx.event
    async def save_line(self, given: dict[str, Any]):
        actor = await self.actor()
        try:
            values = self._read_line(given, actor)
            async with unit_of_work(actor) as uow:
                if given.get("id"):
                    name = str(given.get("name") or "")
                    await lines.change(uow, UUID(str(given["id"])), name=name, **_given(values))
                else:
                    product = str(given.get("product_id") or "")
                    await lines.add(
                        uow,
                        UUID(self._deal),
                        product_id=UUID(product) if product else None,
                        name=str(given.get("product_id_text") or ""),
                        **_given(values),
                    )
        except CrmError as refusal:
            labels = {"name": "Product", **{n: s.label for n, s in _BOXES.items()}}
            self.errors = _errors(refusal, labels)
            self.asked_line = {n: str(given.get(n) or "") for n in _NEW_LINE}
            return
        self.is_editing_line = False

    def _read_line(self, given: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
        values, wrong = {}, {}
        for name, spec in _BOXES.items():
            try:
                values[name] = parse_value(spec, given.get(name), currency=self.currency, time_zone=actor.time_zone)
            except ValueError as error:
                wrong[name] = str(error)
        if wrong:
            raise Invalid(**wrong)
        return values

    @rx.event
    async def remove_line(self, line_id: str, name: str):
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            await lines.remove(uow, UUID(line_id))
        self.notify(f"{name} is off the deal", action="Undo", payload=f"line-back:{line_id}")

    @rx.event
    async def put_line_back(self, line_id: str):
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            await lines.put_back(uow, UUID(line_id))

    @rx.event
    async def set_amount(self):
        """The sum of the products becomes the amount."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            await lines.set_amount(uow, UUID(self._deal))

    @rx.event
    async def leave(self):
        """The dialog is closed without doing anything."""
        self.is_adding_person = self.is_editing_line = False


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {n: v for n, v in values.items() if v is not None}


def _errors(refusal: CrmError, labels: Mapping[str, str]) -> dict[str, str]:
    """What is wrong by box; under "" what belongs to none."""
    if not isinstance(refusal, Invalid) or not refusal.fields:
        return {"": sentence(refusal)}
    found = {}
    for name, message in refusal.fields.items():
        label = labels.get(name)
        whole = (
            message if message.startswith("“") or label is None else f"{label} {message.removeprefix(label).strip()}"
        )
        found[name if label else ""] = f"{whole}."
    return found


notice_action("person-back", DealParts.put_person_back)
notice_action("line-back", DealParts.put_line_back)
