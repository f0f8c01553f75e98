"""The trash over REST."""

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work


async def thrown(actor, *names):
    made = []
    for name in names:
        async with unit_of_work(actor) as uow:
            made.append((await records.create(uow, ACCOUNT, {"name": name})).id)
            await records.delete(uow, ACCOUNT, made[-1])
    return made


async def test_what_lies_there_is_listed_page_by_page_and_taken_out(program, manager):
    _, beta, gamma = await thrown(manager, "Alpha", "Beta", "Gamma")
    client = await program(manager)
    first = (await client.get("/trash/", params={"entity": "account", "page_size": 2})).json()
    assert [r["title"] for r in first["data"]] == ["Gamma", "Beta"]
    row = first["data"][0]
    assert (row["entity"], row["id"], row["deleted_by"], row["along"]) == ("account", str(gamma), "Maria", 0)
    rest = (await client.get("/trash/", params={"after": first["paging"]["after"]})).json()
    assert [r["title"] for r in rest["data"]] == ["Alpha"] and rest["paging"]["after"] is None
    assert (await client.post(first["data"][1]["restore"].removeprefix("/api"))).status_code == 200
    left = (await client.get("/trash/")).json()["data"]
    assert str(beta) not in [r["id"] for r in left] and len(left) == 2


async def test_strangers_and_nonsense(program, manager, alice, mallory):
    await thrown(manager, "Secret")
    for stranger in (alice, mallory):
        answer = await (await program(stranger)).get("/trash/")
        assert answer.status_code == 200 and answer.json()["data"] == []
    assert (await (await program(alice)).get("/trash/", params={"entity": "account"})).status_code == 403
    client = await program(manager)
    for wrong in (
        {"entity": "nothing"},
        {"page_size": "0"},
        {"page_size": "x"},
        {"after": "x"},
        {"after": "2026-01-01~x"},
    ):
        assert (await client.get("/trash/", params=wrong)).status_code == 422, wrong
