"""Fields of a workspace's own: made, changed, put away by admins; filled in, checked, listed, told as any other."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from crm_app.core import conditions
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.core.registry import Kind
from crm_app.core.views import View, fit
from crm_app.jobs.delivery import system_actor
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.services.platform import audit, custom_fields, field_settings, history, lists, records, saved_views
from crm_app.services.platform.custom_fields import Similar
from crm_app.services.platform.schema import entity_of
from crm_app.state.platform import conditions as builder
from crm_app.store.uow import unit_of_work
from tests.services.platform.own_fields import account, make

VALUES = {
    "text": "Hello", "long_text": "Two\nlines", "number": 7, "decimal": Decimal("1.25"), "money": 120_050,
"percent": 40,
    "date": date(2027, 3, 1), "datetime": datetime(2027, 3, 1, 9, 30, tzinfo=UTC), "choice": "gold",
    "choices": ["gold", "silver"], "flag": True, "email": "a@b.example", "phone": "+49301", "url": "https://x.at",
}  # fmt: skip


@pytest.mark.parametrize("kind", VALUES)
async def test_a_value_of_every_kind_is_kept_as_it_was_given(admin, kind):
    name = await make(admin, "My field", kind)
    made = await account(admin, **{name: VALUES[kind]})
    async with unit_of_work(admin) as uow:
        seen = await records.read(uow, ACCOUNT, made.id)
        page = await records.find(uow, ACCOUNT, columns=("name", name), sort=name if kind != "choices" else "")
        assert seen[name] == page.rows[0][name] == VALUES[kind]
        assert (await uow.get(ACCOUNT.model, made.id)).custom.keys() == {"my_field"}
        await records.update(uow, ACCOUNT, made.id, {name: None if kind != "choices" else []})
    async with unit_of_work(admin) as uow:
        assert (await uow.get(ACCOUNT.model, made.id)).custom == {}


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("number", "seven", "whole number"),
        ("money", 1.5, "minor units"),
        ("date", "soon", "date"),
        ("flag", "yes", "yes or no"),
        ("choice", "bronze", "must be one of Gold"),
        ("choices", ["bronze"], "one of Gold"),
        ("percent", 101, "at most 100"),
        (
            "datetime",
            datetime(2027, 1, 1),  # noqa: DTZ001
            "time zone",
        ),
        ("text", "x" * 501, "too long"),
        ("text", "\x00", "cannot be stored"),
    ],
    ids=lambda v: str(v)[:12],
)
async def test_values_are_checked_as_those_of_other_fields(admin, kind, value, message):
    name = await make(admin, "My field", kind)
    with pytest.raises(Invalid) as refusal:
        await account(admin, **{name: value})
    assert message in refusal.value.fields[name]


async def test_a_link_leads_to_what_one_may_see(admin, mallory):
    name = await make(admin, "Reseller", "link", target="account")
    other, theirs = await account(admin), await account(mallory)
    made = await account(admin, name="Acme", **{name: other.id})
    async with unit_of_work(admin) as uow:
        rows = (await records.find(uow, ACCOUNT, columns=("name", name))).rows
        assert {r["name"]: r[f"{name}__title"] for r in rows} == {"Acme": "Kessler", "Kessler": None}
    with pytest.raises(Invalid, match="does not exist"):
        async with unit_of_work(admin) as uow:
            await records.update(uow, ACCOUNT, made.id, {name: theirs.id})


async def test_it_is_asked_for(admin):
    name = await make(admin, "Tier", required=True)
    with pytest.raises(Invalid) as refusal:
        await account(admin)
    assert refusal.value.fields == {name: "is required"}


async def test_lists_filter_sort_and_add_up(admin):
    name = await make(admin, "Seats", "number")
    for label, seats in (("One", 5), ("Two", 20), ("Three", None)):
        await account(admin, name=label, **{name: seats})
    async with unit_of_work(admin) as uow:
        entity = await lists.entity_of(uow, "account")
        view = View(columns=("name", name), sort=name, descending=True)
        assert [r["name"] for r in (await lists.page(uow, entity, view)).rows] == ["Two", "One", "Three"]
        page = await lists.page(uow, entity, view, limit=1)
        assert [r["name"] for r in (await lists.page(uow, entity, view, after=page.after)).rows] == ["One", "Three"]
        more = View(columns=("name", name), filter=conditions.parse({"field": name, "op": "gt", "value": 10}))
        assert [r["name"] for r in (await lists.page(uow, entity, more)).rows] == ["Two"]
        assert (await lists.totals(uow, entity, view)).columns[name].sums == {"": 25}


async def test_views_are_kept_that_ask_for_it(admin):
    name = await make(admin, "Seats", "number")
    view = View(columns=("name", name), filter=conditions.parse({"field": name, "op": "gt", "value": 10}))
    async with unit_of_work(admin) as uow:
        kept = await saved_views.create(uow, await lists.entity_of(uow, "account"), view, name="Large")
        await saved_views.change(uow, kept.id, view)


async def test_its_changes_are_in_the_history(admin):
    name = await make(admin, "Tier", "choice")
    made = await account(admin)
    async with unit_of_work(admin) as uow:
        await records.update(uow, ACCOUNT, made.id, {name: "gold"})
    async with unit_of_work(admin) as uow:
        await records.update(uow, ACCOUNT, made.id, {name: "silver"}, expected={name: "gold"})
    async with unit_of_work(admin) as uow:
        told = (await history.of_field(uow, ACCOUNT, made.id, name)).changes
    assert [(c.spec.label, c.old, c.new) for c in told][:2] == [("Tier", "gold", "silver"), ("Tier", None, "gold")]
    with pytest.raises(Conflict):
        async with unit_of_work(admin) as uow:
            await records.update(uow, ACCOUNT, made.id, {name: None}, expected={name: "gold"})


async def test_two_people_fill_in_two_fields(admin, alice):
    one, two = await make(admin, "One"), await make(admin, "Two")
    made = await account(alice)
    async with unit_of_work(alice) as uow:
        await records.update(uow, ACCOUNT, made.id, {one: "a"}, expected={one: None})
    async with unit_of_work(admin) as uow:
        await records.update(uow, ACCOUNT, made.id, {two: "b"}, expected={two: None})
        assert (await uow.get(ACCOUNT.model, made.id)).custom == {"one": "a", "two": "b"}


async def test_what_is_put_away_is_gone_and_comes_back_whole(admin):
    name = await make(admin, "Tier")
    made = await account(admin, **{name: "gold"})
    async with unit_of_work(admin) as uow:
        field = (await custom_fields.listed(uow, "account"))[0]
        assert field["filled"] == 1
        await custom_fields.delete(uow, field["id"])
        assert name not in (await entity_of(uow, "account")).fields
    with pytest.raises(Invalid):
        async with unit_of_work(admin) as uow:
            await records.update(uow, ACCOUNT, made.id, {name: "x"})
    again = await make(admin, "Tier")
    assert again != name  # the values in the trash are not taken for those of another field
    async with unit_of_work(admin) as uow:
        [gone] = await custom_fields.listed(uow, "account", deleted=True)
        with pytest.raises(Conflict, match="Rename that one"):
            await custom_fields.restore(uow, gone["id"])
    async with unit_of_work(admin) as uow:
        other = next(f for f in await custom_fields.listed(uow, "account"))
        await custom_fields.change(uow, other["id"], label="Rank")
        await custom_fields.restore(uow, gone["id"])
        assert (await records.read(uow, ACCOUNT, made.id))[name] == "gold"
        assert [f["label"] for f in await custom_fields.listed(uow, "account")] == ["Rank", "Tier"]


async def test_after_thirty_days_in_the_trash_it_goes_with_its_values(admin, mallory):
    tier, seats = await make(admin, "Tier"), await make(admin, "Seats", "number")
    made = await account(admin, **{tier: "gold", seats: 7})
    theirs = await account(mallory, name="Mallory")
    async with unit_of_work(mallory) as uow:
        (await uow.get(ACCOUNT.model, theirs.id)).custom = {"tier": "theirs"}
    async with unit_of_work(admin) as uow:
        field = (await custom_fields.listed(uow, "account"))[0]
        await custom_fields.delete(uow, field["id"])
        at = uow.now
    for days, left in ((29, {"tier": "gold", "seats": 7}), (31, {"seats": 7})):
        async with unit_of_work(system_actor(admin.tenant_id), now=at + timedelta(days=days)) as uow:
            assert await custom_fields.sweep(uow) == (1 if days > 30 else 0)
        async with unit_of_work(admin) as uow:
            assert (await uow.get(ACCOUNT.model, made.id)).custom == left
            assert len(await custom_fields.listed(uow, "account", deleted=True)) == (0 if days > 30 else 1)
    async with unit_of_work(mallory) as uow:
        assert (await uow.get(ACCOUNT.model, theirs.id)).custom == {"tier": "theirs"}
    async with unit_of_work(admin) as uow:
        entry = sa.text(
            "SELECT changes FROM audit_log WHERE record_id = :id AND changes ? 'custom.tier' ORDER BY at DESC"
        )
        assert (await uow.execute(entry, {"id": made.id})).scalars().first()["custom.tier"] == ["gold", None]
    assert await make(admin, "Tier") == tier  # its name is free again


async def test_one_that_is_like_another_is_pointed_out(admin):
    for label in ("Anual Revenue", "Industries", "INDUSTRY "):
        with pytest.raises((Similar, Invalid)) as refusal:
            await make(admin, label)
        assert "already" in str(refusal.value)
    assert await make(admin, "Industries", although_similar=True) == "custom.industries"
    assert await make(admin, "Preferred colour") == "custom.preferred_colour"


async def test_choices_keep_their_values_under_new_labels(admin):
    name = await make(admin, "Tier", "choice")
    made = await account(admin, **{name: "gold"})
    async with unit_of_work(admin) as uow:
        field = (await custom_fields.listed(uow, "account"))[0]
        choices = [{"label": "Bronze"}, {"value": "gold", "label": "Top", "color": "8"}]
        await custom_fields.change(uow, field["id"], label="Tier", choices=choices)
        spec = (await entity_of(uow, "account")).fields[name]
        assert [(c.value, c.label, c.color) for c in spec.choices] == [("bronze", "Bronze", ""), ("gold", "Top", "8")]
        assert (await records.read(uow, ACCOUNT, made.id))[name] == "gold"


async def test_order_is_that_of_the_form(admin):
    for label in ("One", "Two", "Three"):
        await make(admin, label, section="Ours")
    async with unit_of_work(admin) as uow:
        ids = [f["id"] for f in await custom_fields.listed(uow, "account")]
        await custom_fields.reorder(uow, "account", [ids[2], ids[0]])
        form = (await entity_of(uow, "account")).form[-1]
    assert (form.title, form.fields) == ("Ours", ("custom.three", "custom.one", "custom.two"))


async def test_another_process_sees_it_with_its_next_transaction(admin, alice):
    async with unit_of_work(alice) as uow:
        await entity_of(uow, "account")
    name = await make(admin, "Tier")
    async with unit_of_work(alice) as uow:
        assert name in (await entity_of(uow, "account")).fields


async def test_what_was_rolled_back_never_was(admin):
    with pytest.raises(RuntimeError):
        async with unit_of_work(admin) as uow:
            await custom_fields.create(uow, "account", label="Tier", kind="text")
            assert "custom.tier" in (await entity_of(uow, "account")).fields
            raise RuntimeError
    async with unit_of_work(admin) as uow:
        assert "custom.tier" not in (await entity_of(uow, "account")).fields


@pytest.mark.parametrize(
    "given",
    [
        {"label": "", "kind": "text"},
        {"label": "x" * 61, "kind": "text"},
        {"label": "a{b", "kind": "text"},
        {"label": "A", "kind": "json"},
        {"label": "A", "kind": "choice", "choices": ()},
        {"label": "A", "kind": "link"},
        {"label": "A", "kind": "choice", "choices": ({"label": "B"}, {"label": "b"})},
        {"label": "Name", "kind": "text"},
        {"label": "A", "kind": "formula", "formula": "1 +"},
        {"label": "A", "kind": "text", "hint": "x" * 201},
        {"label": "A", "kind": "formula", "formula": "{Tags} & 'x'"},
    ],
    ids=lambda g: str(g)[10:40],
)
async def test_what_makes_no_field_is_refused(admin, given):
    with pytest.raises(Invalid) as refusal:
        await make(admin, entity="opportunity", **given)
    assert refusal.value.fields


async def test_own_fields_of_related_records_are_asked_for(admin, alice):
    seats = await make(admin, "Seats", "number")
    tier = await make(admin, "Tier", "choice")
    per_seat = await make(admin, "Per seat", "formula", formula="{Employees} / {Seats}")
    given = (("A", 5, "gold"), ("B", 20, "silver"))
    firms = [await account(admin, name=n, employees=10, **{seats: s, tier: t}) for n, s, t in given]
    async with unit_of_work(admin) as uow:
        for firm in firms:
            await records.create(uow, CONTACT, {"last_name": f"of {firm.name}", "account_id": firm.id})

    def of_account(field, op, value):
        return conditions.parse({"related": "account", "some": {"field": field, "op": op, "value": value}})

    async with unit_of_work(admin) as uow:
        entity = await lists.entity_of(uow, "contact")
        for condition in (
            of_account(tier, "eq", "gold"), of_account(seats, "lt", 6), of_account(per_seat, "gte", 2),
        ):  # fmt: skip
            view, gone = fit(View(filter=condition), entity)
            found = await lists.page(uow, entity, View(columns=("last_name",), filter=view.filter))
            assert [r["last_name"] for r in found.rows] == ["of A"] and gone == []
        assert conditions.explain(of_account(tier, "eq", "gold"), entity) == "Has an account where tier is Gold"
        where = await builder.ground(uow, entity)
        assert {tier, seats, per_seat} <= {c["value"] for c in builder.offered(where)["account"]}
        drawn = builder.Drawing(where, {}).node(of_account(tier, "eq", "gold"), entity)
        assert drawn["group"]["label"] == "Tier" and not drawn["group"]["error"]
    blind = alice.with_field_rights({f"account.{seats}": "hidden", f"account.{tier}": "masked"})
    async with unit_of_work(blind) as uow:
        entity = await lists.entity_of(uow, "contact")
        for condition in (of_account(tier, "eq", "gold"), of_account(seats, "lt", 6), of_account(per_seat, "gte", 2)):
            with pytest.raises(Invalid):
                await lists.page(uow, entity, View(filter=condition))
            assert fit(View(filter=condition), entity, hidden=builder.Ground(entity, blind, {}).hidden)[1]
        offered = {c["value"] for c in builder.offered(await builder.ground(uow, entity))["account"]}
        assert not {tier, seats, per_seat} & offered


async def test_declared_fields_get_labels_choices_and_are_asked_for(admin, alice):
    async with unit_of_work(admin) as uow:
        await field_settings.set_up(uow, "account", "website", label="Home page", required=True)
        await field_settings.set_up(
            uow, "account", "industry", choices=[{"label": "Steel", "color": "2"}, {"label": "Glass"}]
        )
    with pytest.raises(Invalid) as refusal:
        await account(alice)
    assert refusal.value.fields == {"website": "is required"}
    with pytest.raises(Invalid, match="must be one of Steel, Glass"):
        await account(alice, website="https://x.example", industry="Wood")
    await account(alice, website="https://x.example", industry="Steel")
    async with unit_of_work(alice) as uow:
        entity = await entity_of(uow, "account")
        assert (entity.fields["website"].label, entity.fields["industry"].kind) == ("Home page", Kind.choice)
    with pytest.raises(Invalid):
        async with unit_of_work(admin) as uow:
            await field_settings.set_up(uow, "account", "city", label="Home page")


async def test_it_is_in_the_audit_log(admin):
    await make(admin, "Tier")
    async with unit_of_work(admin) as uow:
        field = (await custom_fields.listed(uow, "account"))[0]
        told = await audit.entries(uow, "custom_field", field["id"])
    assert told[0]["action"] == "create" and told[0]["changes"]["label"] == [None, "Tier"]


async def test_only_admins_change_fields_and_only_their_own(admin, alice, mallory):
    await make(admin, "Tier")
    async with unit_of_work(admin) as uow:
        field_id = (await custom_fields.listed(uow, "account"))[0]["id"]
    for actor, refusal in ((alice, Forbidden), (mallory, NotFound)):
        for ask in (
            lambda uow: custom_fields.change(uow, field_id, label="Mine"),
            lambda uow: custom_fields.delete(uow, field_id),
            lambda uow: custom_fields.restore(uow, field_id),
        ):
            with pytest.raises(refusal):
                async with unit_of_work(actor) as uow:
                    await ask(uow)
    for ask in (
        lambda uow: custom_fields.listed(uow, "account"),
        lambda uow: custom_fields.create(uow, "account", label="Mine", kind="text"),
        lambda uow: custom_fields.reorder(uow, "account", []),
        lambda uow: field_settings.set_up(uow, "account", "website", label="Mine"),
    ):
        with pytest.raises(Forbidden):
            async with unit_of_work(alice) as uow:
                await ask(uow)
    async with unit_of_work(mallory) as uow:
        assert await custom_fields.listed(uow, "account") == []
        assert "custom.tier" not in (await entity_of(uow, "account")).fields
