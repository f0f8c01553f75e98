"""The page of fields without a browser: fields made, changed, moved, put away and brought back; open lists follow."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import custom_fields, records
from crm_app.services.platform.schema import entity_of
from crm_app.state import list_cells
from crm_app.state.lists import RecordList
from crm_app.state.platform import fields
from crm_app.state.platform.custom_fields import CustomFieldsState
from crm_app.state.platform.field_panel import FieldPanel
from crm_app.state.record_form import RecordForm
from crm_app.store.uow import unit_of_work
from tests.state.sales.test_deal import listening, until
from tests.state.tabs import tab_of


async def opened(actor):
    tab = await tab_of(actor, "/settings/fields?e=account")
    await tab.run(CustomFieldsState.load)
    return tab, tab[CustomFieldsState], tab[FieldPanel]


async def added(tab, label, kind="text", **form):
    await tab.run(FieldPanel.open, "")
    await tab.run(FieldPanel.pick_kind, kind)
    await tab.run(FieldPanel.save, {"label": label, **form})


async def test_a_field_is_added_moved_put_away_and_brought_back(admin):
    tab, page, panel = await opened(admin)
    assert page.own == [] and next(f for f in page.declared if f["name"] == "website")["label"] == "Website"
    await added(tab, "Tier", section="Ours")
    assert not panel.is_open and panel.errors == {}
    await added(tab, "Region code")
    assert [(f["label"], f["words"], f["section"]) for f in page.own] == [
        ("Tier", "Text", "Ours"),
        ("Region code", "Text", ""),
    ]
    await tab.run(CustomFieldsState.move, page.own[1]["id"], -1)
    assert [f["label"] for f in page.own] == ["Region code", "Tier"] and page.said == "Region code, position 1 of 2"
    await tab.run(FieldPanel.open, "custom.tier")
    await tab.run(FieldPanel.ask_delete)
    await tab.run(FieldPanel.delete)
    assert [f["label"] for f in page.own] == ["Region code"] and [f["label"] for f in page.gone] == ["Tier"]
    await tab.run(CustomFieldsState.restore, page.gone[0]["id"])
    assert [f["label"] for f in page.own] == ["Region code", "Tier"] and page.gone == []


async def test_choices_are_typed_coloured_and_left_out(admin):
    tab, _page, panel = await opened(admin)
    await tab.run(FieldPanel.open, "")
    await tab.run(FieldPanel.pick_kind, "choice")
    assert panel.has_choices and len(panel.choices) == 2
    await tab.run(FieldPanel.add_choice)
    keys = [c["key"] for c in panel.choices]
    await tab.run(FieldPanel.drop_choice, keys[1])
    form = {"label": "Tier", f"choice.{keys[0]}": "Gold", f"color.{keys[0]}": "3", f"choice.{keys[2]}": "Silver"}
    await tab.run(FieldPanel.save, form)
    async with unit_of_work(admin) as uow:
        spec = (await entity_of(uow, "account")).fields["custom.tier"]
    assert [(c.label, c.color) for c in spec.choices] == [("Gold", "3"), ("Silver", "")]
    await tab.run(FieldPanel.open, "custom.tier")
    assert [c["label"] for c in panel.choices] == ["Gold", "Silver"]


async def test_chosen_colours_are_seen_in_lists(admin):
    colored = [{"label": "Gold", "color": "3"}, {"label": "Silver"}]
    async with unit_of_work(admin) as uow:
        await custom_fields.create(uow, "account", label="Tier", kind="choice", choices=colored)
        await custom_fields.create(uow, "account", label="Likes", kind="choices", choices=colored)
        values = {"name": "Kessler", "custom.tier": "gold", "custom.likes": ["silver", "gold"]}
        await records.create(uow, ACCOUNT, values)
        entity = await entity_of(uow, "account")
        row = (await records.find(uow, ACCOUNT, columns=tuple(values))).rows[0]
    tier, likes = (list_cells.cell(entity, f"custom.{n}", row, admin) for n in ("tier", "likes"))
    assert (tier["t"], tier["tags"], tier["tints"]) == ("Gold", ["Gold"], ["3"])
    assert (likes["tags"], likes["tints"]) == (["Silver", "Gold"], ["", "3"])
    masked = admin.with_field_rights({"account.custom.likes": "masked"})
    async with unit_of_work(masked) as uow:
        entity = await entity_of(uow, "account")
        row = (await records.find(uow, ACCOUNT, columns=tuple(values))).rows[0]
    assert list_cells.cell(entity, "custom.likes", row, masked) == {"t": "•••"}


async def test_what_is_wrong_stands_at_its_box_and_what_is_alike_is_asked(admin):
    tab, page, panel = await opened(admin)
    await added(tab, "")
    assert panel.is_open and panel.errors["label"].startswith("Give it a name")
    await tab.run(FieldPanel.save, {"label": "Industries"})
    assert panel.is_open and panel.like == ["Industry"]
    await tab.run(FieldPanel.save, {"label": "Industries"})
    assert not panel.is_open and [f["label"] for f in page.own] == ["Industries"]


async def test_a_formula_is_tried_while_it_is_written(admin):
    tab, page, panel = await opened(admin)
    await tab.run(FieldPanel.open, "")
    await tab.run(FieldPanel.pick_kind, "formula")
    await tab.run(FieldPanel.try_formula, "{Employees} +")
    assert panel.errors == {"formula": "The formula ends too early"} and panel.gives == ""
    await tab.run(FieldPanel.try_formula, "{Employees} * 2")
    assert panel.errors == {} and panel.gives == "Gives a number."
    await tab.run(FieldPanel.save, {"label": "Twice", "formula": "{Employees} * 2"})
    assert page.own[0]["formula"] == "{Employees} * 2" and page.own[0]["words"] == "Formula"


async def test_a_declared_field_gets_a_name_of_the_workspace(admin):
    tab, page, _panel = await opened(admin)
    await tab.run(FieldPanel.open, "website")
    await tab.run(FieldPanel.save, {"label": "Home page", "required": True})
    shown = next(f for f in page.declared if f["name"] == "website")
    assert (shown["label"], shown["required"]) == ("Home page", True)


async def test_others_are_refused(alice):
    tab, page, _panel = await opened(alice)
    assert page.own == [] and page.declared == []
    await added(tab, "Tier")
    async with unit_of_work(alice) as uow:
        assert "custom.tier" not in (await entity_of(uow, "account")).fields


async def test_an_open_list_and_the_form_show_a_new_field(admin, alice):
    async with unit_of_work(admin) as uow:
        field = await custom_fields.create(uow, "account", label="Tier", kind="text")
        made = await records.create(uow, ACCOUNT, {"name": "Kessler", "custom.tier": "gold"})
    tab = await tab_of(alice, "/accounts?cols=name,custom.tier")
    async with listening():
        await tab.run(RecordList.load)
        watch = asyncio.create_task(tab.run(RecordList.watch))
        try:
            await until(lambda: tab[RecordList].is_loaded or watch.done())
            assert tab[RecordList].feeds[-1]["rows"][0]["cells"]["custom.tier"]["t"] == "gold"
            async with unit_of_work(admin) as uow:
                await custom_fields.change(uow, field.id, label="Rank")
            await until(lambda: "Rank" in [c["label"] for c in tab[RecordList].columns])
            await tab.run(RecordList.save, f"{made.id}.custom.tier", "silver", "gold")
            await until(lambda: tab[RecordList].feeds[-1]["rows"][0]["cells"]["custom.tier"]["t"] == "silver")
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
    await tab.run(RecordForm.ask, "account", "", "")
    assert "custom.tier" in [f["name"] for f in tab[RecordForm].rest]
    await tab.run(RecordForm.submit, {"name": "Acme", "custom.tier": "new"})
    async with unit_of_work(alice) as uow:
        found = (await records.find(uow, ACCOUNT, columns=("name", "custom.tier"))).rows
    assert {r["name"]: r["custom.tier"] for r in found} == {"Acme": "new", "Kessler": "silver"}


async def test_several_choices_and_moments_have_boxes_of_their_own(admin):
    async with unit_of_work(admin) as uow:
        await custom_fields.create(
            uow, "account", label="Likes", kind="choices", choices=[{"label": "Gold"}, {"label": "Tin"}]
        )
        await custom_fields.create(uow, "account", label="Visit", kind="datetime")
    kathmandu = replace(admin, time_zone="Asia/Kathmandu")
    entity = await fields.entity_for(kathmandu, "account")
    at = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
    values = {"custom.likes": ["tin", "gold"], "custom.visit": at, "tags": ["vip"]}
    views = {n: fields.field_view(entity.fields[n], values, kathmandu) for n in values}
    assert [(v.box, v.value) for v in views.values()] == [
        ("picks", "Tin; Gold"), ("moment", "2027-03-01T15:15"), ("tags", "vip"),
    ]  # fmt: skip
    assert fields.read_typed(entity.fields["custom.visit"], "2027-03-01T15:15", currency="EUR", actor=kathmandu) == at
    record = await account(kathmandu, "Kessler", ["vip"])
    for name, text in (("custom.likes", "tin; Gold"), ("custom.visit", "2027-03-01T15:15"), ("tags", "vip; fair")):
        seen = fields.field_view(entity.fields[name], {"tags": ["vip"]}, kathmandu).value
        assert (await fields.save(kathmandu, entity, record, name, text, seen, {}))["state"] == "saved"
    async with unit_of_work(kathmandu) as uow:
        found = await records.read(uow, ACCOUNT, record)
        assert (found["custom.likes"], found["custom.visit"], found["tags"]) == (["tin", "gold"], at, ["vip", "fair"])
    assert await fields.choices(kathmandu, ACCOUNT, "tags", "vi") == [{"value": "vip", "label": "vip", "hint": "1"}]
    assert await fields.choices(kathmandu, ACCOUNT, "custom.likes", "") == []
    cells = {c["name"]: c for c in list_cells.columns(entity, ("name", *values), kathmandu, {})}
    assert [cells[n]["box"] for n in values] == ["picks", "moment", "tags"] and all(cells[n]["edit"] for n in values)


async def account(actor, name, tags):
    async with unit_of_work(actor) as uow:
        return (await records.create(uow, ACCOUNT, {"name": name, "tags": tags})).id
