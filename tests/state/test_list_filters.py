"""Building a filter without a browser: a draft is edited deed by deed, counted, and handed to the address."""

import asyncio
import json

from crm_app.models.customers.contacts import CONTACT
from crm_app.services.platform import records
from crm_app.state.list_filters import ListFilters
from crm_app.state.lists import RecordList
from crm_app.store.uow import unit_of_work
from tests.state.tabs import tab_of
from tests.state.test_lists import accounts, address, alice_without, filtered, opened  # noqa: F401


async def do(tab, do, path="", value=""):
    await tab.run(ListFilters.change, {"do": do, "path": path, "value": value})
    return tab[ListFilters].tree


async def applied(tab):
    answer = await tab.run(ListFilters.apply)
    if not answer:
        return None
    return json.loads(address(answer[0])[1].get("filter") or "{}")


async def test_a_filter_is_built_and_applied(alice):
    await accounts(alice, "Kessler", industry="Machines", employees=640)
    await accounts(alice, "Zeta", industry="Glass", employees=3)
    async with opened(alice, "/accounts", RecordList) as tab:
        await tab.run(ListFilters.ask, -1)
        built = tab[ListFilters]
        assert built.is_open and built.tree["items"][0]["field"] == "name" and not built.tree["items"][0]["counted"]
        assert await applied(tab) is None and built.tree["items"][0]["error"] == "Enter a text"
        await do(tab, "field", "0", "industry")
        await do(tab, "value", "0", "mach")
        await do(tab, "add", "", "group")
        await do(tab, "field", "1.0", "employees")
        tree = await do(tab, "value", "1.0", "lots")
        assert "lots" in tree["items"][1]["items"][0]["error"]
        await do(tab, "value", "1.0", "1 000")
        await do(tab, "add", "1", "condition")
        await do(tab, "value", "1.1", "essl")
        tree = await do(tab, "join", "1", "none")
        assert tree["items"][1]["join"] == "none" and tree["items"][1]["items"][0]["path"] == "1.0.0"
        await tab.run(ListFilters.count)
        assert built.found == "0 accounts"
        await do(tab, "join", "1", "any")
        await tab.run(ListFilters.count)
        assert built.found == "1 account"
        assert await applied(tab) == {
            "all": [
                {"field": "industry", "op": "contains", "value": "mach"},
                {
                    "any": [
                        {"field": "employees", "op": "gte", "value": 1000},
                        {"field": "name", "op": "contains", "value": "essl"},
                    ]
                },
            ]
        }
        assert not built.is_open


async def test_related_records_two_relations_away(alice):
    (kessler, _) = await accounts(alice, "Kessler", "Zeta")
    async with unit_of_work(alice) as uow:
        await records.create(uow, CONTACT, {"last_name": "Berg", "account_id": kessler.id, "title": "Buyer"})
    async with opened(alice, "/accounts", RecordList) as tab:
        await tab.run(ListFilters.ask, -1)
        offered = {f["value"]: f["label"] for f in tab[ListFilters].fields["@account"]}
        assert offered["@contacts"] == "Contacts" and offered["@owner"] == "Owner"
        tree = await do(tab, "field", "0", "@contacts")
        assert tree["items"][0]["ways"][2]["value"] == "every"
        await do(tab, "field", "0.0.0", "title")
        await do(tab, "value", "0.0.0", "buy")
        await do(tab, "add", "0.0", "condition")
        tree = await do(tab, "field", "0.0.1", "@owner")
        inner = tree["items"][0]["group"]["items"][1]["group"]
        assert inner["of"] == "user" and inner["items"][0]["of"] == "user" and not inner["leads"]
        await do(tab, "value", "0.0.1.0.0", "alice")
        await tab.run(ListFilters.count)
        assert tab[ListFilters].found == "1 account"
        tree = await do(tab, "how", "0", "none")
        await tab.run(ListFilters.count)
        assert tab[ListFilters].found == "1 account"
        done = await applied(tab)
    assert list(done) == ["related", "none"]


async def test_a_chip_is_edited_in_place(alice):
    await accounts(alice, "Kessler", city="Linz")
    city = {"field": "city", "op": "eq", "value": "Linz"}
    me = {"field": "owner_id", "op": "in", "value": [str(alice.user_id), {"me": True}]}
    async with opened(alice, f"/accounts?filter={filtered({'all': [city, me]})}", RecordList) as tab:
        assert [c["text"] for c in tab[RecordList].chips] == ["is “Linz”", "is any of Alice, me"]
        await tab.run(ListFilters.ask, 1)
        built = tab[ListFilters]
        assert built.is_part and built.tree["path"] == "1"
        assert built.tree["labels"] == {str(alice.user_id): "Alice", "me": "Me"}
        await do(tab, "value", "1", ["me"])
        assert (await applied(tab))["all"][1] == {"field": "owner_id", "op": "in", "value": [{"me": True}]}
        await tab.run(ListFilters.ask, 0)
        (there,) = await tab.run(ListFilters.clear)
        assert json.loads(address(there)[1]["filter"]) == me
        await tab.run(ListFilters.ask, 0)
        await do(tab, "remove", "0")
        assert not built.is_part and built.tree["path"] == ""
        await tab.run(ListFilters.leave)
        assert not built.is_open


async def test_days_and_amounts_are_read_as_people_write_them(alice):
    async with opened(alice, "/opportunities", RecordList) as tab:
        await tab.run(ListFilters.ask, -1)
        await do(tab, "field", "0", "expected_close_on")
        await do(tab, "op", "0", "within")
        tree = await do(tab, "value", "0", "quarter:1")
        assert (tree["items"][0]["op"], tree["items"][0]["value"]) == ("within", "quarter:1")
        for value in ("ago:30", "day:2026-02-31", "day:2026-02-03", "e:month:0"):
            await do(tab, "add")
            place = str(len(tab[ListFilters].tree["items"]) - 1)
            await do(tab, "field", place, "expected_close_on")
            await do(tab, "op", place, "before")
            await do(tab, "value", place, value)
        drawn = tab[ListFilters].tree["items"]
        assert [i["value"] for i in drawn[1:]] == ["ago:30", "day:2026-02-31", "day:2026-02-03", "e:month:0"]
        assert [bool(i["error"]) for i in drawn[1:]] == [False, True, False, False]
        await do(tab, "remove", "2")
        await do(tab, "add")
        await do(tab, "field", "4", "amount_minor")
        await do(tab, "op", "4", "between")
        tree = await do(tab, "value", "4", ["12k", ""])
        assert tree["items"][4]["error"] == "Fill in both"
        tree = await do(tab, "value", "4", ["12k", "1"])
        assert "first" in tree["items"][4]["error"]
        await do(tab, "value", "4", ["1", "12k"])
        done = (await applied(tab))["all"]
        assert done[0]["value"] == [{"start_of": "quarter", "offset": 1}, {"end_of": "quarter", "offset": 1}]
        assert done[1]["value"] == {"days_from_today": -30} and done[-1]["value"] == [100, 1_200_000]
    async with opened(alice, f"/opportunities?filter={filtered(done[0])}", RecordList) as tab:
        assert tab[RecordList].chips[0]["text"] == "is in next quarter"


async def test_what_is_typed_as_the_panel_closes_does_not_open_it_again(alice):
    async with opened(alice, "/accounts", RecordList) as tab:
        await tab.run(ListFilters.ask, -1)
        memory = tab[ListFilters].memory
        await tab.run(ListFilters.leave)
        await tab.run(ListFilters.change, {"do": "value", "path": "0", "value": "late", "memory": memory})
        assert not tab[ListFilters].is_open


async def test_what_the_role_may_not_see_is_not_offered(alice_without):  # noqa: F811
    blind = await alice_without("account.city", drops=("contact.read",))
    await accounts(blind, "Kessler")
    async with opened(blind, "/accounts", RecordList) as tab:
        await tab.run(ListFilters.ask, -1)
        built = tab[ListFilters]
        assert "city" not in json.dumps(built.fields["account"]) and "contact" not in built.fields
        assert "@contacts" not in json.dumps(built.fields)
        for value in ("city", "@contacts", "password_hash", "@nonsense"):
            await do(tab, "field", "0", value)
        assert built.tree["items"][0]["field"] == "name" and tab[RecordList].notices[-1]["kind"] == "error"
        forged = {"all": [{"field": "city", "op": "eq", "value": "x"}]}
        tab[ListFilters]._draft = None
        await tab.run(ListFilters.change, {"do": "keep", "path": "", "memory": json.dumps(forged)})
        assert "no longer" in built.tree["items"][0]["error"]


async def test_nonsense_from_a_browser_changes_nothing(alice, mallory):
    (kessler,) = await accounts(alice, "Kessler")
    async with opened(mallory, "/accounts", RecordList) as tab:
        await tab.run(ListFilters.ask, -1)
        deeds = (
            {},
            {"do": "drop"},
            {"do": "value", "path": "7.7"},
            {"do": "value", "path": "x"},
            {"do": "remove", "path": "-1"},
            {"do": "op", "path": "0", "value": "changed_to_all"},
            {"do": "join", "path": "0", "value": "any"},
            {"do": "how", "path": "0", "value": "some"},
            {"do": "value", "path": "0", "value": {"a": 1}},
        )
        for deed in deeds:
            await tab.run(ListFilters.change, deed)
        await do(tab, "field", "0", "parent_id")
        await tab.run(ListFilters.look_up, "0", "Kess")
        assert tab[ListFilters].options == {"0": []}
        await do(tab, "value", "0", [str(kessler.id)])
        assert "Kessler" not in tab.sent()
    tab = await tab_of(alice, "/accounts")
    await asyncio.wait_for(tab.run(ListFilters.leave), 5)


async def test_links_are_looked_up(alice):
    (kessler, _) = await accounts(alice, "Kessler", "Zeta")
    async with opened(alice, "/contacts", RecordList) as tab:
        await tab.run(ListFilters.ask, -1)
        await do(tab, "field", "0", "account_id")
        await tab.run(ListFilters.look_up, "0", "kes")
        assert [o["label"] for o in tab[ListFilters].options["0"]] == ["Kessler"]
        await do(tab, "value", "0", [str(kessler.id)])
        assert tab[ListFilters].tree["items"][0]["labels"][str(kessler.id)] == "Kessler"
        await do(tab, "field", "0", "owner_id")
        await tab.run(ListFilters.look_up, "0", "")
        assert tab[ListFilters].options["0"][0]["value"] == "me"


async def test_what_a_page_shows_that_came_back_can_be_applied_at_once(alice):
    async with opened(alice, "/accounts", RecordList) as tab:
        await tab.run(ListFilters.ask, -1)
        await do(tab, "value", "0", "kess")
        memory = tab[ListFilters].memory
    async with opened(alice, "/accounts", RecordList) as tab:
        await tab.run(ListFilters.change, {"do": "keep", "path": "", "memory": memory})
        assert await applied(tab) == {"field": "name", "op": "contains", "value": "kess"}
        assert tab[ListFilters].memory == ""
