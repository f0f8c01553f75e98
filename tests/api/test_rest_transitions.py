"""Deals to another stage over REST, as by a drop on the board."""

from datetime import timedelta

from crm_app.core import registry
from crm_app.models.sales.competitors import ReasonKind
from tests.services.sales.deals import a_deal, stage_ids


async def test_moved_won_reopened(program, admin):
    deal, stages = await a_deal(admin, "Roll-out"), await stage_ids(admin)
    client = await program(admin)
    path = f"/opportunities/{deal.id}/stage-transition/"
    moved = await client.post(path, json={"stage_id": str(stages["Proposal"]), "seen_stage_id": str(deal.stage_id)})
    assert moved.status_code == 200 and moved.json()["stage_id"] == str(stages["Proposal"]), moved.text
    overtaken = await client.post(
        path, json={"stage_id": str(stages["Discovery"]), "seen_stage_id": str(deal.stage_id)}
    )
    assert overtaken.status_code == 409 and overtaken.json()["details"]["current"]
    won = await client.post(path, json={"stage_id": str(stages["Won"])})
    assert won.status_code == 200 and won.json()["status"] == "won" and won.json()["actual_close_on"], won.text
    again = await client.post(path, json={"stage_id": str(stages["Won"])})
    assert again.status_code == 409
    blind = await client.post(path, json={"stage_id": str(stages["Discovery"])})
    assert blind.status_code == 409  # somebody closed it: whoever reopens it must have seen that
    back = await client.post(path, json={"stage_id": str(stages["Discovery"]), "seen_stage_id": str(stages["Won"])})
    assert back.status_code == 200 and back.json()["status"] == "open"


async def test_lost_wants_a_reason(program, admin):
    deal, stages = await a_deal(admin, "Roll-out"), await stage_ids(admin)
    client = await program(admin)
    path = f"/opportunities/{deal.id}/stage-transition/"
    lost = str(stages["Lost"])
    assert "win_loss_reason_id" in (await client.post(path, json={"stage_id": lost})).json()["details"]["fields"]
    slug = registry.get("win_loss_reason").slug
    listed = (await client.get(f"/{slug}/", params={"kind": ReasonKind.lost.value})).json()["data"]
    done = await client.post(path, json={"stage_id": lost, "reason_id": listed[0]["id"], "details": "Price"})
    assert done.status_code == 200 and done.json()["status"] == "lost" and done.json()["win_loss_details"] == "Price"


async def test_what_the_stage_asks_for_is_filled_in_on_the_way(program, admin, workspace):
    deal, stages = await a_deal(admin, "Roll-out"), await stage_ids(admin)
    client = await program(admin)
    stage = str(stages["Proposal"])
    assert (await client.patch(f"/stages/{stage}/", json={"required_fields": ["next_step"]})).status_code == 200
    path = f"/opportunities/{deal.id}/stage-transition/"
    missing = await client.post(path, json={"stage_id": stage})
    assert missing.status_code == 422 and missing.json()["error_code"] == "missing_fields"
    done = await client.post(path, json={"stage_id": stage, "values": {"next_step": "Send the offer"}})
    assert done.status_code == 200 and done.json()["next_step"] == "Send the offer", done.text


async def test_what_is_no_transition(program, admin, alice, mallory):
    deal, stages = await a_deal(admin, "Roll-out"), await stage_ids(admin)
    client, path = await program(admin), f"/opportunities/{deal.id}/stage-transition/"
    stage = str(stages["Proposal"])
    tomorrow = str(deal.created_at.date() + timedelta(days=9))
    for body in (
        {}, {"stage_id": "x"}, {"stage_id": stage, "stage": 1}, {"stage_id": stage, "values": []},
        {"stage_id": str(stages["Won"]), "closed_on": tomorrow}, {"stage_id": stage, "details": 1},
    ):  # fmt: skip
        assert (await client.post(path, json=body)).status_code == 422, body
    assert (await client.post(path, json={"stage_id": str(deal.id)})).status_code == 404
    assert (await (await program(mallory)).post(path, json={"stage_id": stage})).status_code == 404
    reading = await program(admin, scopes=["@read_only"])
    assert (await reading.post(path, json={"stage_id": stage})).status_code == 403


async def test_who_may_write_but_not_read_is_told_no_more_than_that_it_is_done(program, admin):
    deal = await a_deal(admin, "Roll-out", amount_minor=4_711_00)
    client = await program(admin, scopes=["opportunity.update", "account.create"])
    changed = await client.patch(f"/opportunities/{deal.id}/", json={})
    assert changed.status_code == 200 and set(changed.json()) == {"id", "version"}
    made = await client.post("/accounts/", json={"name": "Acme"})
    assert made.status_code == 201 and set(made.json()) == {"id", "version"}
