"""Lists of any entity without a browser: the address holds the view, rows come as they are asked for."""

import asyncio
import json
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.people.users import Role
from crm_app.services.people.roles import expand
from crm_app.services.platform import records
from crm_app.state.list_columns import ListColumns
from crm_app.state.lists import RecordList
from crm_app.store.uow import unit_of_work
from tests.state.tabs import tab_of
from tests.state.test_records import opened


async def accounts(actor, *names, **values):
    async with unit_of_work(actor) as uow:
        return [await records.create(uow, ACCOUNT, {"name": n, **values}) for n in names]


@pytest.fixture
def alice_without(workspace, alice):
    """Alice, whose role hides some fields and has lost some rights."""

    async def made(*hidden, drops=()):
        async with unit_of_work(workspace.admin) as uow:
            role = await uow.get(Role, workspace.roles["rep"])
            role.field_rights = dict.fromkeys(hidden, "hidden")
            role.permissions = sorted(set(expand(tuple(role.permissions))) - set(drops))
        return await workspace.acting(alice.user_id)

    return made


def names(tab):
    """What the browser has by now, in its places."""
    rows = {}
    for feed in tab[RecordList].feeds:
        if feed["fresh"]:
            rows = {}
        rows |= {feed["start"] + i: r["cells"]["name"]["t"] for i, r in enumerate(feed["rows"])}
    return [rows[i] for i in sorted(rows)]


def address(there):
    """The path and the query of a redirect."""
    path = json.loads(next(str(v) for k, v in there.args if str(k) == "path"))
    parts = urlsplit(path)
    return parts.path, {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}


async def counted(tab, text):
    for _ in range(100):
        if tab[RecordList].count == text:
            return
        await asyncio.sleep(0.02)
    assert tab[RecordList].count == text


def filtered(condition):
    return quote(json.dumps(condition))


async def test_a_list_shows_what_one_may_see_by_name(alice, carol, mallory):
    await accounts(alice, "Zeta", "ábaco", "Kessler")
    async with opened(alice, "/accounts", RecordList) as tab:
        assert names(tab) == ["ábaco", "Kessler", "Zeta"]
        await counted(tab, "3 accounts")
        assert tab[RecordList].feeds[0]["rows"][1]["cells"]["owner_id"]["t"] == "Alice"
    for stranger in (carol, mallory):
        async with opened(stranger, "/accounts", RecordList) as tab:
            assert names(tab) == [] and "Kessler" not in tab.sent()
            await counted(tab, "0 accounts")


async def test_it_is_searched_and_sorted_by_its_address(alice):
    await accounts(alice, "Kessler", "Kestrel", "Zeta")
    async with opened(alice, "/accounts?q=kes&sort=-name", RecordList) as tab:
        assert names(tab) == ["Kestrel", "Kessler"]
        (there,) = await tab.run(RecordList.sort_by, "name")
        assert address(there) == ("/accounts", {"q": "kes", "sort": "name"})
    async with opened(alice, "/accounts?sort=password_hash", RecordList) as tab:
        assert len(names(tab)) == 3 and "password" in tab[RecordList].note


async def test_rows_come_as_they_are_asked_for_in_any_order(alice):
    await accounts(alice, *[f"Company {n:03}" for n in range(330)])
    async with opened(alice, "/accounts", RecordList) as tab:
        await counted(tab, "330 accounts")
        for first, end in ((300, 350), (250, 300), (100, 150), (150, 250)):
            await tab.run(RecordList.rows_at, first, end)
            feed = tab[RecordList].feeds[-1]
            shown = [r["cells"]["name"]["t"] for r in feed["rows"]]
            assert shown == [f"Company {n:03}" for n in range(first, min(end, 330))]


async def test_sums_are_over_all_that_match(alice):
    await accounts(alice, "Kessler", "Kestrel", industry="Machines", employees=10, annual_revenue_minor=100_00)
    await accounts(alice, "Zeta", employees=100, annual_revenue_minor=900_00)
    machines = filtered({"field": "industry", "op": "eq", "value": "machines"})
    async with opened(alice, f"/accounts?filter={machines}", RecordList) as tab:
        await counted(tab, "2 accounts")
        sums = tab[RecordList].sums
        assert sums["employees"] == {"sum": "20", "average": "10"}
        assert sums["annual_revenue_minor"]["sum"].endswith("200") and sums["owner_id"] == {"text": "1 owner"}


async def test_a_filter_is_told_part_by_part_and_dropped(alice):
    await accounts(alice, "Kessler", industry="Machines", city="Linz")
    city = {"field": "city", "op": "eq", "value": "Linz"}
    people = {"related": "contacts", "none": {"all": []}}
    async with opened(alice, f"/accounts?filter={filtered({'all': [city, people]})}", RecordList) as tab:
        assert [c["label"] for c in tab[RecordList].chips] == ["City", "Where"]
        assert tab[RecordList].chips[1]["text"] == "Has no contact"
        (there,) = await tab.run(RecordList.drop, 1)
        assert json.loads(address(there)[1]["filter"]) == {"all": [city]}
        assert await tab.run(RecordList.drop, 7) == []
    async with opened(alice, f"/accounts?filter={filtered(city)}", RecordList) as tab:
        (there,) = await tab.run(RecordList.drop, 0)
        assert address(there) == ("/accounts", {})


async def test_columns_are_chosen_ordered_and_as_wide_as_one_likes(alice):
    await accounts(alice, "Kessler", city="Linz")
    async with opened(alice, "/accounts", RecordList) as tab:
        await tab.run(ListColumns.ask)
        assert tab[ListColumns].choices[0]["fixed"]
        (there,) = await tab.run(ListColumns.toggle, "city")
        shown = address(there)[1]["cols"]
        assert shown.endswith(",city")
        assert await tab.run(ListColumns.toggle, "password_hash") == []
        await tab.run(RecordList.widen, "name", 333)
    async with opened(alice, f"/accounts?cols={shown}", RecordList) as tab:
        assert tab[RecordList].columns[0]["width"] == 333
        assert tab[RecordList].feeds[0]["rows"][0]["cells"]["city"]["t"] == "Linz"
        (there,) = await tab.run(ListColumns.move, "city", -1)
        assert address(there)[1]["cols"].split(",")[-2] == "city"


async def test_a_cell_is_saved_and_a_conflict_told(alice, bob, reader):
    (kessler,) = await accounts(alice, "Kessler", city="Linz")
    place = f"{kessler.id}.city"
    async with opened(alice, "/accounts?cols=name,city", RecordList) as tab:
        await tab.run(RecordList.save, place, "Graz", "Linz")
        assert tab[RecordList].statuses[place]["state"] == "saved"
        assert tab[RecordList].feeds[-1]["rows"][0]["cells"]["city"]["t"] == "Graz"
        await tab.run(RecordList.save, place, "Wien", "Linz")
        assert tab[RecordList].statuses[place]["state"] == "conflict"
        assert tab[RecordList].statuses[place]["value"] == "Graz"
        await tab.run(RecordList.save, f"{kessler.id}.email", "x@y.example", "")
        assert tab[RecordList].statuses[f"{kessler.id}.email"]["state"] == "error"  # no column of this list
    async with opened(reader, "/accounts?cols=name,city", RecordList) as tab:
        await tab.run(RecordList.save, place, "Wien", "Graz")
        assert tab[RecordList].statuses[place]["state"] == "error"


@pytest.mark.parametrize("path", ["/accounts", "/opportunities", "/activities", "/users", "/teams", "/products"])
async def test_every_list_opens(admin, path):
    async with opened(admin, path, RecordList) as tab:
        assert tab[RecordList].is_loaded and not tab[RecordList].refused


async def test_who_is_managed_elsewhere_is_only_read(admin):
    async with opened(admin, "/users", RecordList) as tab:
        assert names(tab) and not any(c["edit"] for c in tab[RecordList].columns)


async def test_a_hidden_field_is_neither_shown_nor_asked_about(alice_without):
    blind = await alice_without("account.city", "contact.email")
    await accounts(blind, "Kessler")
    asked = (
        "/accounts?cols=name,city",
        "/accounts?sort=city",
        f"/accounts?filter={filtered({'field': 'city', 'op': 'eq', 'value': 'linz'})}",
        f"/accounts?filter={filtered({'related': 'contacts', 'some': {'field': 'email', 'op': 'eq', 'value': 'x'}})}",
    )
    for path in asked:
        async with opened(blind, path, RecordList) as tab:
            await counted(tab, "1 account")
            assert tab[RecordList].note and "city" not in [c["name"] for c in tab[RecordList].columns]
    async with opened(blind, "/accounts", RecordList) as tab:
        await tab.run(ListColumns.ask)
        assert "city" not in [c["name"] for c in tab[ListColumns].choices]


async def test_a_role_without_the_right_gets_no_rows(alice_without):
    stranger = await alice_without(drops=("product.read", "contact.read"))
    async with opened(stranger, "/products", RecordList) as tab:
        assert tab[RecordList].refused and tab[RecordList].feeds == []
        await tab.run(RecordList.rows_at, 0, 50)
        assert tab[RecordList].feeds == []
    await accounts(stranger, "Kessler")
    people = filtered({"related": "contacts", "none": {"all": []}})
    async with opened(stranger, f"/accounts?filter={people}", RecordList) as tab:
        assert "contacts" in tab[RecordList].notices[-1]["text"]


async def test_nonsense_in_the_address_opens_the_list(alice):
    await accounts(alice, "Kessler")
    for query in ("filter={", "filter=[]", "filter=7", "sort=--", "cols=,,", "view=nonsense", "density=x"):
        async with opened(alice, f"/accounts?{query}", RecordList) as tab:
            assert names(tab) == ["Kessler"]
    tab = await tab_of(alice, "/accounts")
    await tab.run(RecordList.rows_at, 0, 50)
