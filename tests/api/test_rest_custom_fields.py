"""Fields of a workspace's own over REST: described, written, read, asked for, exported; not to those they are hidden
from."""

from crm_app.core.context import Actor
from crm_app.models.people.users import Role
from crm_app.services.platform import custom_fields
from crm_app.store.uow import unit_of_work


async def make(admin: Actor, **given) -> str:
    async with unit_of_work(admin) as uow:
        return f"custom.{(await custom_fields.create(uow, 'account', **given)).key}"


async def test_it_is_a_field_like_any_other(program, workspace):
    admin = workspace.admin
    seats = await make(admin, label="Seats", kind="number")
    tier = await make(admin, label="Tier", kind="choice", choices=[{"label": "Gold"}, {"label": "Silver"}])
    await make(admin, label="Per seat", kind="formula", formula="{Employees} / {Seats}")
    client = await program(admin)
    made = await client.post("/accounts/", json={"name": "Kessler", "employees": 30, seats: 12, tier: "gold"})
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body[seats], body[tier], body["custom.per_seat"]) == (12, "gold", "2.5")
    one = f"/accounts/{body['id']}/"
    changed = await client.patch(one, json={seats: 15, "version": body["version"]})
    assert changed.json()[seats] == 15 and changed.json()[tier] == "gold"
    whole = (await client.get(one)).json()
    again = await client.patch(one, json={**whole, seats: 16})  # all that was read is sent back
    assert again.status_code == 200 and again.json()["custom.per_seat"] == "1.875", again.text
    for query, count in ((f"{seats}[gt]=10", 1), (f"{seats}[gt]=20", 0), (f"{tier}=gold", 1), (f"sort=-{seats}", 1)):
        answer = await client.get(f"/accounts/?{query}&fields=name,{seats}")
        assert answer.status_code == 200 and len(answer.json()["data"]) == count, (query, answer.text)
    refused = await client.post("/accounts/", json={"name": "Acme", tier: "bronze"})
    assert refused.status_code == 422 and tier in refused.json()["details"]["fields"]
    for query, count in (("custom.per_seat[gt]=1", 1), ("custom.per_seat[gt]=2", 0), ("sort=-custom.per_seat", 1)):
        answer = await client.get(f"/accounts/?{query}")
        assert answer.status_code == 200 and len(answer.json()["data"]) == count, (query, answer.text)
    await client.post("/accounts/", json={"name": "Acme", "employees": 4, seats: 16})
    first = (await client.get("/accounts/?sort=custom.per_seat&page_size=1")).json()
    then = (await client.get(f"/accounts/?sort=custom.per_seat&page_size=1&after={first['paging']['after']}")).json()
    assert [r["name"] for r in (*first["data"], *then["data"])] == ["Acme", "Kessler"]
    exported = (await client.get(f"/accounts/export/?format=csv&fields=name,{seats},custom.per_seat")).text
    assert "Seats" in exported and "16" in exported
    properties = (await client.get("/openapi.json")).json()["components"]["schemas"]["Account"]["properties"]
    assert properties[tier]["enum"] == ["gold", "silver", None] and properties["custom.per_seat"]["readOnly"]


async def test_a_role_without_the_right_never_gets_it(program, workspace):
    seats = await make(workspace.admin, label="Seats", kind="number")
    async with unit_of_work(workspace.admin) as uow:
        (await uow.get(Role, workspace.roles["rep"])).field_rights = {f"account.{seats}": "hidden"}
    rep = await workspace.person("Rosa")
    admin = await program(workspace.admin)
    made = await admin.post("/accounts/", json={"name": "Kessler", seats: 4711, "owner_id": str(rep.user_id)})
    client = await program(rep)
    for path in ("/accounts/?fields=*", f"/accounts/{made.json()['id']}/", "/openapi.json"):
        answer = await client.get(path)
        assert answer.status_code == 200 and "4711" not in answer.text and seats not in answer.text
    assert (await client.get(f"/accounts/?{seats}[gt]=1")).status_code == 422
    assert (await client.get(f"/accounts/?sort={seats}")).status_code == 422
