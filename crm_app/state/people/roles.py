"""Roles: what each may do, as a table of entities and verbs."""

from typing import Any

import reflex as rx

from crm_app import models
from crm_app.core import registry
from crm_app.core.context import FieldRight, Scope
from crm_app.models.people.users import Role
from crm_app.services.people import role_fields, roles
from crm_app.services.people.roles import ACTS, SETUP, VERBS, catalogue, expand
from crm_app.state.base import AppState, id_of
from crm_app.store.uow import unit_of_work

SCOPES = {
    Scope.own: "Their own records",
    Scope.team: "Records of their team, and of teams they manage",
    Scope.territory: "Records of their team, and of the accounts in their territories",
    Scope.all: "All records of the workspace",
}
RIGHTS = {
    FieldRight.write: "Read and write",
    FieldRight.read: "Read",
    FieldRight.masked: "See that it is filled in",
    FieldRight.hidden: "Hidden",
}
_COPY = "copy"
_MOST_NAMED = 100


class RolesState(AppState):
    """The roles page. `role_id` is the role shown; "copy" is one being made, not saved yet."""

    listed: list[dict[str, str]] = []
    role_id: str = ""
    name: str = ""
    scope: str = ""
    is_fixed: bool = True  # a role every workspace has
    rows: list[dict[str, Any]] = []  # {"label", "cells": [{"name", "label", "on"}]}; an empty name is no permission
    acts: list[dict[str, Any]] = []
    people: list[str] = []  # who has the role
    about: str = ""  # the kind of records whose fields are shown
    kinds: list[dict[str, str]] = []
    field_rows: list[dict[str, Any]] = []  # {"name", "label", "right", "choices": [{"value", "label"}]}
    errors: dict[str, str] = {}
    is_loaded: bool = False
    _copied: str = ""

    @rx.event
    async def load(self):
        if self._is_back:  # what is ticked and not saved yet stays
            return
        with self.telling():
            await self._read(self.role_id)
        self.is_loaded = True

    async def _read(self, wanted: str) -> None:
        async with unit_of_work(await self.actor()) as uow:
            found, holders = await roles.listed(uow), await roles.holders(uow)
        self.listed = [
            {"id": str(r.id), "name": r.name, "count": str(len(holders.get(r.id, ())))} for r in found
        ]  # fmt: skip
        role = next((r for r in found if str(r.id) == wanted), found[0])
        self.people = holders.get(role.id, [])[:_MOST_NAMED]
        self._show(role)
        await self._read_fields()

    async def _read_fields(self) -> None:
        """What the role may do with the fields of one kind of records; none of a copy that is not saved yet."""
        if self.role_id == _COPY:
            self.field_rows = []
            return
        models.load_all()
        kinds = sorted((e for e in registry.all_entities() if e.name not in SETUP), key=lambda e: e.plural)
        self.kinds = [{"value": e.name, "label": e.plural} for e in kinds]
        self.about = self.about or kinds[0].name
        async with unit_of_work(await self.actor()) as uow:
            lines = await role_fields.listed(uow, id_of(self.role_id, "role_id"), self.about)
        self.field_rows = [
            {
                "name": f"field:{line.name}",
                "label": line.label,
                "right": line.right.value,
                "choices": [{"value": c.value, "label": RIGHTS[c]} for c in reversed(line.choices)],
            }
            for line in lines
        ]

    @rx.event
    async def choose_kind(self, name: str):
        """The fields of another kind of records."""
        if any(k["value"] == name for k in self.kinds):
            self.about = name
            await self._read_fields()

    @rx.event
    async def save_fields(self, form: dict[str, Any]):
        actor = await self.actor()
        rights = {k.removeprefix("field:"): str(v) for k, v in form.items() if k.startswith("field:")}
        with self.telling():
            async with unit_of_work(actor) as uow:
                role = await role_fields.change(
                    uow, id_of(form.get("role_id"), "role_id"), str(form.get("about", "")), rights
                )
            self.notify(f"{role.name}: fields saved; they count from the next click of everybody who has the role")
            await self._read(str(role.id))

    def _show(self, role: Role) -> None:
        self.role_id, self.name, self.scope, self.is_fixed = str(role.id), role.name, role.scope.value, role.is_system
        self._tick(expand(tuple(role.permissions)))
        self.errors = {}

    def _tick(self, held: frozenset[str]) -> None:
        models.load_all()
        everything, known = "*" in held, catalogue()

        def cell(name: str, label: str) -> dict[str, Any]:
            return {"name": name if name in known else "", "label": label, "on": everything or name in held}

        self.rows = [
            {
                "label": entity.plural,
                "cells": [cell(f"{entity.name}.{v}", f"{w} {entity.plural.lower()}") for v, w in VERBS.items()],
            }
            for entity in sorted(registry.all_entities(), key=lambda e: (e.name in SETUP, e.plural))
        ]
        self.acts = [cell(name, label) for name, label in ACTS.items()]

    @rx.event
    async def choose(self, role_id: str):
        await self._read(role_id)

    @rx.event
    async def copy_role(self, name: str):
        """A role of the workspace's own that begins as the one shown, which has this name."""
        self._copied = self.role_id
        self.role_id, self.name, self.is_fixed, self.errors = _COPY, f"{name}, ours", False, {}
        self.field_rows, self.people = [], []

    @rx.event
    async def save(self, form: dict[str, Any]):
        actor, role_id = await self.actor(), str(form.get("role_id"))
        ticked = [name for name in catalogue() if form.get(name)]
        values = {"name": form.get("name", ""), "scope": Scope(form.get("scope", "own")), "permissions": ticked}
        with self.telling():
            async with unit_of_work(actor) as uow:
                if role_id == _COPY:
                    like_id = id_of(self._copied, "role_id") if self._copied else None
                    role = await roles.create(uow, **values, like_id=like_id)
                else:
                    role = await roles.change(uow, id_of(role_id, "role_id"), **values)
            self.notify(f"{role.name} saved; it counts from the next click of everybody who has it")
            await self._read(str(role.id))

    @rx.event
    async def remove(self, role_id: str):
        actor = await self.actor()
        with self.telling():
            if role_id != _COPY:
                async with unit_of_work(actor) as uow:
                    name = (await uow.get(Role, id_of(role_id, "role_id"))).name
                    await roles.delete(uow, id_of(role_id, "role_id"))
                self.notify(f"{name} is gone")
            await self._read("")
