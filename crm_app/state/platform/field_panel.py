"""The panel of one field in the settings: its form, what a formula gives, and putting it away."""

from collections.abc import Mapping
from typing import Any

import reflex as rx

from crm_app.core.errors import Invalid
from crm_app.core.formula_parts import FormulaError
from crm_app.core.registry import Kind
from crm_app.services.platform import custom_fields, field_settings
from crm_app.services.platform.custom_fields import FORMULA, KINDS, Similar
from crm_app.state.base import AppState, id_of
from crm_app.state.platform.custom_fields import CustomFieldsState
from crm_app.store.uow import unit_of_work

_BLANK: dict[str, Any] = {
    "id": "", "name": "", "label": "", "was": "", "kind": Kind.text.value, "words": "", "help": "", "section": "",
    "required": False, "always": False, "target": "account", "formula": "", "takes": False, "free": False,
}  # fmt: skip
_CHOSEN = (Kind.choice, Kind.choices)


class FieldPanel(AppState):
    """`field` is a row of CustomFieldsState.own or .declared; without a name it is a new one."""

    field: dict[str, Any] = _BLANK
    choices: list[dict[str, str]] = []  # {"key", "value", "label", "color"}; the key tells the rows of the form apart
    has_choices: bool = False
    is_formula: bool = False
    is_open: bool = False
    asks: bool = False  # whether the question before putting it away is shown
    like: list[str] = []  # fields that may be meant as well
    gives: str = ""  # what the formula gives
    errors: dict[str, str] = {}
    shown: int = 0  # another number for every form, so that it begins anew
    _next: int = 0

    @rx.event
    async def open(self, name: str):
        """The field, or a new one when the name is empty."""
        page = await self.get_state(CustomFieldsState)
        known = next((f for f in [*page.own, *page.declared] if f["name"] == name), {})
        self.field = {**_BLANK, **{n: known[n] for n in _BLANK if n in known}}
        self.choices = [self._row(c) for c in known.get("choices", [])]
        self.is_open, self.asks, self.errors, self.like, self.gives = True, False, {}, [], ""
        self.shown += 1
        self._fit()

    def _row(self, choice: Mapping[str, str]) -> dict[str, str]:
        self._next += 1
        return {"key": str(self._next), "value": choice.get("value", ""), "label": choice.get("label", ""),
                "color": choice.get("color", "")}  # fmt: skip

    def _fit(self) -> None:
        """What the form asks for a field of this kind."""
        kind = self.field["kind"]
        is_own = bool(self.field["id"]) or not self.field["name"]
        self.has_choices = kind in _CHOSEN if is_own else self.field["takes"] and bool(self.choices)
        self.is_formula = is_own and kind == FORMULA
        if self.has_choices and not self.choices:
            self.choices = [self._row({}), self._row({})]

    @rx.event
    async def pick_kind(self, kind: str):
        """Of a new field."""
        if not self.field["name"] and kind in KINDS:
            self.field = {**self.field, "kind": kind}
            self._fit()

    @rx.event
    async def add_choice(self):
        self.choices = [*self.choices, self._row({})]
        self.has_choices = True

    @rx.event
    async def drop_choice(self, key: str):
        self.choices = [c for c in self.choices if c["key"] != key]

    @rx.event
    async def try_formula(self, text: str):
        """What it gives, or what is wrong with it, while it is written."""
        actor, page = await self.actor(), await self.get_state(CustomFieldsState)
        try:
            async with unit_of_work(actor) as uow:
                found = await custom_fields.preview(uow, page.entity, text)
            self.gives, self.errors = f"Gives {found}.", {n: e for n, e in self.errors.items() if n != "formula"}
        except FormulaError as error:
            self.gives, self.errors = "", {**self.errors, "formula": f"The formula {error}"}

    @rx.event
    async def close(self):
        self.is_open, self.asks, self.errors, self.like = False, False, {}, []

    @rx.event
    async def save(self, form: dict[str, Any]):
        actor, page = await self.actor(), await self.get_state(CustomFieldsState)
        self.choices = self._typed(form)
        self.field = {**self.field, "label": str(form.get("label", self.field["label"]))}
        with self.telling():
            try:
                async with unit_of_work(actor) as uow:
                    if self.field["name"] and not self.field["id"]:
                        await self._set_up(uow, page.entity, form)
                    elif self.field["id"]:
                        await custom_fields.change(uow, id_of(self.field["id"], "field_id"), **self._values(form))
                    else:
                        await custom_fields.create(
                            uow, page.entity, kind=self.field["kind"], target=str(form.get("target", "")),
                            although_similar=bool(self.like), **self._values(form),
                        )  # fmt: skip
            except Similar as found:
                self.like = found.labels
                return
            except Invalid as wrong:
                self.errors = {n: _sentence(n, text) for n, text in wrong.fields.items()}
                if not wrong.fields:
                    raise
                return
            self.notify(f"{str(form.get('label', '')).strip() or 'The field'} saved")
            self.is_open, self.like, self.errors = False, [], {}
            await page.read()

    def _values(self, form: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "label": str(form.get("label", "")),
            "hint": str(form.get("hint", "")),
            "section": str(form.get("section", "")),
            "required": bool(form.get("required")),
            "choices": self.choices,
            "formula": str(form.get("formula", "")),
        }

    async def _set_up(self, uow: Any, entity: str, form: Mapping[str, Any]) -> None:
        own = self.choices if self.field["takes"] and any(c["label"].strip() for c in self.choices) else None
        await field_settings.set_up(
            uow, entity, self.field["name"], label=str(form.get("label", "")), required=bool(form.get("required")),
            choices=own,
        )  # fmt: skip

    def _typed(self, form: Mapping[str, Any]) -> list[dict[str, str]]:
        """The rows with what stands in their boxes."""
        return [
            {
                **c,
                "label": str(form.get(f"choice.{c['key']}", c["label"])),
                "color": str(form.get(f"color.{c['key']}", c["color"])),
            }
            for c in self.choices
        ]

    @rx.event
    async def ask_delete(self):
        self.asks = True

    @rx.event
    async def keep(self):
        self.asks = False

    @rx.event
    async def delete(self):
        """Put away; its values stay."""
        actor, page = await self.actor(), await self.get_state(CustomFieldsState)
        self.asks = False
        with self.telling():
            async with unit_of_work(actor) as uow:
                field = await custom_fields.delete(uow, id_of(self.field["id"], "field_id"))
            self.is_open = False
            self.notify(f"{field.label} is in the trash", action="Undo", payload=f"restore_field:{field.id}")
            await page.read()


def _sentence(name: str, text: str) -> str:
    whole = f"The formula {text}" if name == "formula" else f"The choices {text}" if name == "choices" else text
    return whole[:1].upper() + whole[1:]
