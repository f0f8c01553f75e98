"""Lists and records over REST: conditions, sort, fields, expand, pages, marks of content."""

import json

import pytest

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.people.users import Role
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal


async def accounts(actor, *names, **values):
    async with unit_of_work(actor) as uow:
        return [(await records.create(uow, ACCOUNT, {"name": n, **values})).id for n in names]


async def names(client, **params):
    answer = await client.get("/accounts/", params=params)
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json()["data"]]


async def test_a_list_holds_what_the_columns_show(program, alice):
    (acme,) = await accounts(alice, "Acme")
    answer = await (await program(alice)).get("/accounts/")
    body = answer.json()
    (row,) = body["data"]
    assert row["id"] == str(acme) and row["name"] == "Acme" and row["version"] == 1
    assert row["created_at"].endswith("Z") and row["owner_id"] == str(alice.user_id)
    assert set(row) >= set(ACCOUNT.columns)
    assert body["paging"] == {"page_size": 50, "after": None}


async def test_conditions_stand_in_the_query(program, alice):
    await accounts(alice, "Acme", "Beta", "Gamma")
    client = await program(alice)
    assert await names(client, **{"name[contains]": "a", "name[ne]": "beta"}) == ["Acme", "Gamma"]
    assert await names(client, name="BETA") == ["Beta"]
    assert await names(client, **{"name[in]": "acme, gamma"}) == ["Acme", "Gamma"]
    assert await names(client, owner_id="me") == ["Acme", "Beta", "Gamma"]
    assert await names(client, q="amm") == ["Gamma"]
    wanted = {
        "any": [{"field": "name", "op": "starts_with", "value": "g"}, {"related": "contacts", "some": {"all": []}}]
    }
    answer = await client.get("/accounts/", params={"filter": json.dumps(wanted)})
    assert [r["name"] for r in answer.json()["data"]] == ["Gamma"]
    assert answer.json()["filter"]["sentence"].startswith("Name starts with")
    assert await names(client, **{"created_at[after]": '{"days_from_today":-1}', "website[is_empty]": ""})


async def test_money_is_compared_in_minor_units(program, alice):
    await a_deal(alice, "Small", amount_minor=1_000_00)
    await a_deal(alice, "Large", amount_minor=9_000_00)
    client = await program(alice)
    answer = await client.get("/opportunities/", params={"amount_minor[gte]": "500000", "fields": "name,amount_minor"})
    (row,) = answer.json()["data"]
    assert (
        row["name"] == "Large"
        and row["amount_minor"] == 900000
        and set(row) == {"id", "version", "name", "amount_minor"}
    )


@pytest.mark.parametrize("sort", ["name", "-name", "created_at", "-created_at", "owner_id", "version"])
async def test_pages_follow_each_other_by_mark_and_by_number(program, alice, sort):
    await accounts(alice, *(f"Account {n:02d}" for n in range(7)))
    client = await program(alice)
    whole = await names(client, sort=sort)
    seen, after = [], None
    while True:
        params = {"sort": sort, "page_size": 3} | ({"after": after} if after else {})
        body = (await client.get("/accounts/", params=params)).json()
        seen += [r["name"] for r in body["data"]]
        after = body["paging"]["after"]
        if not after:
            break
    assert seen == whole and len(seen) == 7
    pages = [
        (await client.get("/accounts/", params={"sort": sort, "page_size": 3, "page": n})).json() for n in (1, 2, 3)
    ]
    assert [r["name"] for p in pages for r in p["data"]] == whole
    assert pages[2]["paging"] == {"page_size": 3, "page": 3, "total": 7, "after": None}


async def test_a_link_is_expanded_where_it_may_be_seen(program, alice, carol):
    (theirs,) = await accounts(carol, "Carols")
    (mine,) = await accounts(alice, "Acme")
    async with unit_of_work(alice) as uow:
        person = await records.create(uow, CONTACT, {"last_name": "Berg", "account_id": mine})
    client = await program(alice)
    (row,) = (await client.get("/contacts/", params={"expand": "account,owner"})).json()["data"]
    assert row["account"]["name"] == "Acme" and row["owner"]["name"] == "Alice"
    one = (await client.get(f"/accounts/{mine}/", params={"expand": "contacts"})).json()
    assert [c["id"] for c in one["contacts"]] == [str(person.id)]
    assert (await client.get(f"/accounts/{theirs}/")).status_code == 404


async def test_what_the_client_has_is_not_sent_again(program, alice):
    (acme,) = await accounts(alice, "Acme")
    client = await program(alice)
    for path in (f"/accounts/{acme}/", "/accounts/"):
        first = await client.get(path)
        again = await client.get(path, headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        async with unit_of_work(alice) as uow:
            await records.update(uow, ACCOUNT, acme, {"website": f"https://example.com{path}"})
        changed = await client.get(path, params={"fields": "*"}, headers={"if-none-match": first.headers["etag"]})
        assert changed.status_code == 200


@pytest.mark.parametrize(
    ("params", "named", "remedy"),
    [
        ({"nmae": "x"}, "nmae", "did you mean 'name'"),
        ({"name[contain]": "x"}, "name[contain]", "did you mean 'contains'"),
        ({"name[gt]": "x"}, "name", "use one of"),
        ({"sort": "nam"}, "sort", "did you mean 'name'"),
        ({"fields": "name,webste"}, "fields", "did you mean 'website'"),
        ({"expand": ""}, "expand", "empty"),
        ({"fields": "name,,id"}, "fields", "empty"),
        ({"sort": ""}, "sort", "cannot be sorted"),
        ({"expand": "acount"}, "expand", "relation"),
        ({"page_size": "201"}, "page_size", "from 1 to 200"),
        ({"page_size": "٣"}, "page_size", "whole number"),
        ({"page": "0"}, "page", "from 1"),
        ({"page": "99999"}, "page", "after"),
        ({"page": "1", "after": "x"}, "page", "one of them"),
        ({"after": "AAAA"}, "after", "not a mark"),
        ({"filter": "{"}, "filter", "not JSON"),
        ({"total": "yes"}, "total", "true or false"),
        ({"owner_id": "you"}, "owner_id", "not a value"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_the_remedy(program, alice, params, named, remedy):
    answer = await (await program(alice)).get("/accounts/", params=params)
    assert answer.status_code == 422
    body = answer.json()
    assert body["error_code"] == "invalid" and remedy in body["details"]["fields"][named], body


async def test_a_mark_of_another_list_or_a_forged_one_is_refused(program, alice):
    await accounts(alice, "Acme", "Beta")
    client = await program(alice)
    after = (await client.get("/accounts/", params={"page_size": 1})).json()["paging"]["after"]
    for params in ({"after": after, "sort": "-name"}, {"after": after[:-2] + "xx"}):
        assert (await client.get("/accounts/", params=params)).status_code == 422
    assert (await client.get("/contacts/", params={"after": after})).status_code == 422


async def test_filters_have_their_limits(program, alice):
    client = await program(alice)
    deep = {"field": "name", "op": "eq", "value": "x"}
    for _ in range(20):
        deep = {"not": deep}
    assert (await client.get("/accounts/", params={"filter": json.dumps(deep)})).status_code == 422
    assert (await client.get("/accounts/", params={"filter": "[" * 5_000})).status_code == 422
    many = [("name[ne]", str(n)) for n in range(60)]
    assert (await client.get("/accounts/", params=many)).status_code == 422


async def test_unknown_addresses_and_methods(program, alice):
    client = await program(alice)
    answer = await client.get("/acounts/")
    assert answer.status_code == 404 and "/api/accounts/" in answer.json()["message"]
    assert (await client.get("/accounts/not-an-id/")).status_code == 404
    assert (await client.get("/accounts/1/2/3/4/")).status_code == 404
    for odd in ("/accounts/%5C/", "/accounts/%00/", "//accounts//x//y//z//", "/%E2%82%AC/", "/"):
        answer = await client.get(odd)
        assert answer.status_code == 404 and answer.json()["error_code"] == "not_found", odd
    answer = await client.request("TRACE", "/accounts/")
    assert answer.status_code == 405 and "GET" in answer.headers["allow"]


async def test_a_hidden_field_is_nowhere(program, workspace):
    async with unit_of_work(workspace.admin) as uow:
        role = await uow.get(Role, workspace.roles["rep"])
        role.field_rights = {"opportunity.amount_minor": "hidden", "account.website": "hidden"}
    rep = await workspace.person("Rosa")
    deal = await a_deal(workspace.admin, "Roll-out", amount_minor=4_711_00, owner_id=rep.user_id)
    client = await program(rep)
    for path in (
        "/opportunities/",
        f"/opportunities/{deal.id}/",
        "/opportunities/?fields=*",
        "/accounts/?expand=owner",
    ):
        answer = await client.get(path)
        assert answer.status_code == 200 and "amount_minor" not in answer.text and "website" not in answer.text
    for params in (
        {"sort": "amount_minor"}, {"fields": "amount_minor"}, {"amount_minor[gt]": "1"},
        {"filter": '{"field":"amount_minor","op":"gt","value":1}'},
    ):  # fmt: skip
        assert (await client.get("/opportunities/", params=params)).status_code == 422
    related = '{"related":"opportunities","some":{"field":"amount_minor","op":"gt","value":1}}'
    assert (await client.get("/accounts/", params={"filter": related})).status_code == 422
    one = await client.get(f"/accounts/{deal.account_id}/", params={"expand": "opportunities"})
    assert "471100" not in one.text and "Roll-out" in one.text
