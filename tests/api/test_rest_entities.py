"""Every declared entity over REST: made, read, changed, thrown away and taken back, exactly as by the services."""

import json

import pytest
import sqlalchemy as sa

from crm_app.api.rest.answers import dumps
from crm_app.api.rest.bodies import FILLED_IN
from crm_app.core.registry import Kind
from crm_app.models.base import new_id
from crm_app.models.platform.audit import AuditEntry
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.entities.conftest import cast  # noqa: F401
from tests.entities.values import ENTITIES, FIXED, MANAGED, OPEN, ids, make, shown, value_of, values_for, writable

BY_API = {"content-type": "application/json"}


@pytest.fixture
async def client(program, cast):  # noqa: F811
    return await program(cast.admin)


def as_json(values):
    return json.loads(dumps(values))


async def post(client, path, values):
    return await client.post(path, content=json.dumps(as_json(values)), headers=BY_API)


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_it_lives_as_it_does_by_the_services(client, cast, entity):  # noqa: F811
    async with unit_of_work(cast.admin) as uow:
        values = await values_for(uow, entity, whole=True)
    made = await post(client, f"/{entity.slug}/", values)
    assert made.status_code == 201, made.text
    body, path = made.json(), made.headers["location"].removeprefix("/api")
    assert {n: body[n] for n in values} == as_json(values)
    async with unit_of_work(cast.admin) as uow:
        record = await records.read(uow, entity, body["id"])
        assert as_json(shown(record, entity)) == body
        assert record.created_by_id == cast.admin.user_id
    read = await client.get(path)
    assert read.json() == body and read.headers["etag"] == made.headers["etag"]
    listed = await client.get(f"/{entity.slug}/", params={"id": body["id"], "fields": "*"})
    assert listed.json()["data"] == [body]

    spec = next(s for s in writable(entity) if s.kind is not Kind.link and (entity.name, s.name) not in FIXED)
    new = value_of(entity, spec, day=uow.today)
    if spec.kind is Kind.flag:
        new = not body[spec.name]
    changed = await client.patch(
        path, content=dumps({spec.name: new}), headers={**BY_API, "if-match": read.headers["etag"]}
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()[spec.name] == as_json(new) and changed.json()["version"] == 2
    late = await client.patch(
        path, content=dumps({spec.name: body[spec.name]}), headers={**BY_API, "if-match": read.headers["etag"]}
    )
    assert late.status_code == 412 and late.json()["error_code"] == "precondition_failed"
    late = await client.patch(path, content=dumps({spec.name: body[spec.name], "version": 1}), headers=BY_API)
    assert late.status_code == 409 and late.json()["details"]["current"] == {"version": 2}

    gone = await client.delete(path)
    assert gone.status_code == 200 and gone.json()["restore"] == f"/api{path}restore/", gone.text
    assert (await client.get(path)).status_code == 404
    back = await client.post(f"{path}restore/")
    assert back.status_code == 200, back.text
    ignored = {"version", "updated_at", "health"}
    assert {n: v for n, v in back.json().items() if n not in ignored} == {
        n: v for n, v in changed.json().items() if n not in ignored
    }


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_what_was_read_can_be_put_back_whole(client, cast, entity):  # noqa: F811
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity, whole=True)
    path = f"/{entity.slug}/{record.id}/"
    body = (await client.get(path)).json()
    put = await client.put(path, content=dumps(body), headers=BY_API)
    assert put.status_code == 200 and put.json() == body, put.text


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_a_whole_record_left_out_is_emptied_where_it_can_be(client, cast, entity):  # noqa: F811
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity, whole=True)
        least = {
            n: v for n, v in shown(record, entity).items() if entity.fields[n].required and n not in entity.readonly
        }
    path = f"/{entity.slug}/{record.id}/"
    for name in set(least) - set(FILLED_IN):
        without = {n: v for n, v in least.items() if n != name}
        lacking = await client.put(path, content=dumps(without), headers=BY_API)
        assert lacking.status_code == 422 and name in lacking.json()["details"]["fields"], lacking.text
    put = await client.put(path, content=dumps(least), headers=BY_API)
    assert put.status_code in (200, 422), put.text
    if put.status_code == 200:
        nullable = [s.name for s in writable(entity) if s.nullable and s.name != "owner_id"]
        assert {n: put.json()[n] for n in nullable} == dict.fromkeys(nullable)


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_what_does_not_fit_is_told_at_its_field(client, cast, entity):  # noqa: F811
    wrong = await post(client, f"/{entity.slug}/", {"nmae": 1, entity.title + "x": 2})
    assert wrong.status_code == 422 and set(wrong.json()["details"]["fields"]) == {"nmae", entity.title + "x"}
    assert f"did you mean '{entity.title}'" in wrong.json()["details"]["fields"][entity.title + "x"]
    empty = await post(client, f"/{entity.slug}/", {})
    required = {s.name for s in writable(entity) if s.required and s.name not in ("owner_id", "number")}
    assert empty.status_code == 422 and set(empty.json()["details"]["fields"]) <= required | {
        s.name for s in writable(entity)
    }
    for name in ("id", "created_at", "version"):
        system = await post(client, f"/{entity.slug}/", {name: str(new_id())})
        assert system.status_code == 422 and name in system.json()["details"]["fields"]
    for spec in writable(entity):
        for bad in ({"a": 1}, [[1]], 1.5, "\x00", -(2.0**70), True):
            answer = await post(client, f"/{entity.slug}/", {spec.name: bad})
            assert answer.status_code in (403, 422), (spec.name, bad, answer.text)


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_many_at_once(client, cast, entity):  # noqa: F811
    async with unit_of_work(cast.admin) as uow:
        items = [await values_for(uow, entity) for _ in range(2)]
    answer = await post(client, f"/{entity.slug}/bulk/create/", {"items": [items[0], {"nmae": 1}, items[1]]})
    body = answer.json()
    assert answer.status_code == 200 and [r["status"] for r in body["results"]] == [201, 422, 201], body
    assert (body["succeeded"], body["failed"]) == (2, 1)
    assert body["results"][1]["error"]["error_code"] == "invalid"
    made = [body["results"][0]["id"], body["results"][2]["id"]]
    spec = next(s for s in writable(entity) if s.kind is not Kind.link and (entity.name, s.name) not in FIXED)
    changes = [{"id": i, spec.name: items[0].get(spec.name) or "x"} for i in made]
    answer = await post(client, f"/{entity.slug}/bulk/update/", {"items": [*changes, {"id": str(new_id())}]})
    assert answer.json()["results"][2]["status"] == 404
    refused = await post(
        client, f"/{entity.slug}/bulk/delete/", {"items": [{"id": made[0]}, {"id": str(new_id())}], "atomic": True}
    )
    assert refused.status_code == 422 and refused.json()["error_code"] == "bulk_refused"
    assert (await client.get(f"/{entity.slug}/{made[0]}/")).status_code == 200
    gone = await post(client, f"/{entity.slug}/bulk/delete/", {"items": [{"id": i} for i in made]})
    assert gone.json()["succeeded"] == 2, gone.json()


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_nobody_does_more_than_at_the_screens(program, cast, entity):  # noqa: F811
    async with unit_of_work(cast.admin) as uow:
        values = await values_for(uow, entity)
        record = await make(uow, entity)
    path = f"/{entity.slug}/{record.id}/"
    mallorys, readers = await program(cast.mallory), await program(cast.reader)
    for client, list_status, status in ((mallorys, None, {404}), (readers, 403, {403})):
        made = await post(client, f"/{entity.slug}/", values)
        assert made.status_code in ({list_status} if list_status else {201, 422})
        assert (await client.patch(path, content=b"{}", headers=BY_API)).status_code in status
        assert (await client.put(path, content=b"{}", headers=BY_API)).status_code in status
        assert (await client.delete(path)).status_code in status
        assert (await client.post(f"{path}restore/")).status_code in status
        many = await post(client, f"/{entity.slug}/bulk/delete/", {"items": [{"id": str(record.id)}]})
        assert {r["status"] for r in many.json()["results"]} <= status
    assert (await mallorys.get(path)).status_code == 404
    async with unit_of_work(cast.admin) as uow:
        assert (await records.read(uow, entity, record.id)).version == 1


@pytest.mark.parametrize("entity", MANAGED, ids=ids)
async def test_what_settings_manage_is_read_only(client, cast, entity):  # noqa: F811
    (one, *_) = (await client.get(f"/{entity.slug}/")).json()["data"]
    assert (await client.get(f"/{entity.slug}/{one['id']}/")).status_code == 200
    for method in ("PUT", "PATCH", "DELETE"):
        answer = await client.request(method, f"/{entity.slug}/{one['id']}/")
        assert answer.status_code == 405 and answer.headers["allow"] == "GET"
    assert (await client.post(f"/{entity.slug}/")).status_code == 405
    assert (await client.post(f"/{entity.slug}/bulk/create/")).status_code in (404, 405)
    assert "password" not in (await client.get(f"/{entity.slug}/", params={"fields": "*"})).text


@pytest.mark.parametrize("entity", ENTITIES, ids=ids)
async def test_a_scope_is_asked_for_by_name(program, cast, entity):  # noqa: F811
    client = await program(cast.admin, scopes=["audit.read"])
    answer = await client.get(f"/{entity.slug}/")
    assert answer.status_code == 403 and answer.json()["details"] == {"permission": f"{entity.name}.read"}


async def test_traces_name_the_door(client, cast):  # noqa: F811

    made = (await post(client, "/accounts/", {"name": "By API"})).json()
    async with unit_of_work(cast.admin) as uow:
        entry = (
            await uow.rows(
                sa.select(AuditEntry.source, AuditEntry.user_id, AuditEntry.ip, AuditEntry.user_agent).where(
                    AuditEntry.record_id == made["id"]
                )
            )
        )[0]
    assert entry == ("api", cast.admin.user_id, "127.0.0.1", "Program/1.0")
