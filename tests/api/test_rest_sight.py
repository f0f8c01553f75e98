"""What is shared with a person, and no more, answers their programs: from the moment it is shared to when it is not."""

from crm_app.core.registry import get
from crm_app.services.platform import sharing
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal

DEAL = get("opportunity")


async def test_a_program_sees_and_writes_what_its_person_does(program, alice, carol):
    deal = await a_deal(alice, "Geheimnis")
    client, path = await program(carol), f"/opportunities/{deal.id}/"

    async def statuses() -> tuple[int, int, bool]:
        listed = await client.get("/opportunities/", params={"q": "Geheim"})
        read = await client.get(path)
        written = await client.patch(path, json={"next_step": "Call"})
        assert ("Geheimnis" in listed.text) == ("Geheimnis" in read.text)
        return read.status_code, written.status_code, str(deal.id) in listed.text

    assert await statuses() == (404, 404, False)
    async with unit_of_work(alice) as uow:
        await sharing.share(uow, DEAL, deal.id, carol.user_id)
    api_seen = await statuses()
    assert api_seen == (200, 403, True)
    async with unit_of_work(alice) as uow:
        await sharing.share(uow, DEAL, deal.id, carol.user_id, can_write=True)
    assert await statuses() == (200, 200, True)
    exported = await client.get("/opportunities/export/")
    assert exported.status_code == 403 or "Geheimnis" in exported.text
    async with unit_of_work(alice) as uow:
        await sharing.unshare(uow, DEAL, deal.id, carol.user_id)
    assert await statuses() == (404, 404, False)
