"""Records become one over REST, and are parted again; refused where the screens would refuse."""

from uuid import uuid4

import pytest

from crm_app.core import registry
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work

CONTACT = registry.get("contact")


@pytest.fixture
async def pair(admin):
    async with unit_of_work(admin) as uow:
        first = await records.create(uow, CONTACT, {"last_name": "Berg"})
        other = await records.create(uow, CONTACT, {"last_name": "Bergh", "email": "berg@kessler.example"})
    return first, other


async def test_merged_listed_parted(program, admin, pair):
    first, other = pair
    client, path = await program(admin), f"/contacts/{first.id}"
    body = {"other_ids": [str(other.id)], "picks": {"last_name": str(other.id)}, "versions": {str(first.id): 1}}
    done = await client.post(f"{path}/merge/", json=body, headers={"idempotency-key": "once"})
    assert done.status_code == 200, done.text
    again = await client.post(f"{path}/merge/", json=body, headers={"idempotency-key": "once"})
    assert again.json() == done.json() and again.headers["idempotency-replayed"] == "true"
    one = (await client.get(f"{path}/")).json()
    assert (one["last_name"], one["email"]) == ("Bergh", "berg@kessler.example")
    assert (await client.get(f"/contacts/{other.id}/")).status_code == 404
    (line,) = (await client.get(f"{path}/merges/")).json()["data"]
    assert line["id"] == done.json()["merge_id"] and line["count"] == 1
    parted = await client.post(done.json()["undo"].removeprefix("/api"))
    assert parted.status_code == 200 and parted.json()["restored"] == [str(other.id)], parted.text
    assert (await client.get(f"/contacts/{other.id}/")).status_code == 200
    assert (await client.get(f"{path}/")).json()["last_name"] == "Berg"
    assert (await client.post(done.json()["undo"].removeprefix("/api"))).status_code == 404


async def test_what_does_not_fit(program, admin, pair):
    first, other = pair
    client, path = await program(admin), f"/contacts/{first.id}/merge/"
    for body, status in (
        ({}, 422), ({"other_ids": []}, 422), ({"other_ids": ["x"]}, 422), ({"other_ids": [str(first.id)]}, 422),
        ({"other_ids": [str(other.id)], "picks": {"email": "x"}}, 422),
        ({"other_ids": [str(other.id)], "picks": {"created_at": str(other.id)}}, 422),
        ({"other_ids": [str(other.id)], "versions": {str(other.id): "1"}}, 422),
        ({"other_ids": [str(other.id)], "boom": 1}, 422), ({"other_ids": [str(uuid4())]}, 404),
        ({"other_ids": [str(other.id)], "versions": {str(other.id): 99}}, 409),
    ):  # fmt: skip
        assert (await client.post(path, json=body)).status_code == status, body
    assert (await client.post(f"/products/{first.id}/merge/", json={})).status_code == 404
    assert (await client.get(path)).status_code == 405


async def test_strangers_and_those_without_the_right(program, admin, alice, mallory, pair):
    first, other = pair
    body = {"other_ids": [str(other.id)]}
    ours = await program(admin)
    done = (await ours.post(f"/contacts/{first.id}/merge/", json=body)).json()
    undo = done["undo"].removeprefix("/api")
    stranger = await program(mallory)
    assert (await stranger.post(f"/contacts/{first.id}/merge/", json=body)).status_code == 404
    assert (await stranger.get(f"/contacts/{first.id}/merges/")).status_code == 404
    assert (await stranger.post(undo)).status_code == 404
    for client in (await program(alice), await program(admin, scopes=["@rep"])):
        assert (await client.post(f"/contacts/{first.id}/merge/", json=body)).status_code == 403
        assert (await client.get(f"/contacts/{first.id}/merges/")).status_code == 403
        assert (await client.post(undo)).status_code == 403
    elsewhere = f"/contacts/{other.id}/merges/{done['merge_id']}/undo/"
    assert (await ours.post(elsewhere)).status_code == 404
