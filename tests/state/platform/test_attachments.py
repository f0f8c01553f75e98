"""Files on the page of a deal: shown, sent by a colleague meanwhile, deleted and brought back."""

import pytest

from crm_app.models.base import new_id
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.platform import attachments
from crm_app.state.base import AppState
from crm_app.state.platform.attachments import Attachments, show_size
from crm_app.state.sales.deal import DealState
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal
from tests.state.sales.test_deal import listening, opened, until

PAPER = {"kind": "pdf", "size": 421_888, "sha256": "a" * 64}


@pytest.fixture
async def deal(alice):
    return await a_deal(alice, "Roll-out")


async def attach(actor, deal, name, **other):
    async with unit_of_work(actor) as uow:
        return await attachments.add(uow, OPPORTUNITY, deal.id, new_id(), name=name, **(PAPER | other))


async def test_a_deal_shows_its_files(alice, deal):
    kept = await attach(alice, deal, "Quote.pdf")
    await attach(alice, deal, "Plan.xlsx", kind="ooxml", size=1_887_437)
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        state = tab[Attachments]
        assert [(f.name, f.icon, f.preview, f.may_remove) for f in state.files] == [
            ("Plan.xlsx", "table", "", True),
            ("Quote.pdf", "pdf", "pdf", True),
        ]
        assert state.files[1].detail.startswith("412\u00a0KB, ") and state.files[0].detail.startswith("1.8\u00a0MB")
        assert state.file_url == f"/api/files/opportunities/{deal.id}" and state.may_attach
        await tab.run(Attachments.look, str(kept.id))
        assert state.looked_at.href == f"/api/files/{kept.id}"
        await tab.run(Attachments.look, state.files[0].id)  # nothing a browser could show
        assert state.looked_at.id == ""


async def test_what_a_colleague_sends_comes_by_itself(alice, bob, deal):
    async with listening(), opened(alice, f"/opportunities/{deal.id}") as tab:
        await attach(bob, deal, "Offer.pdf")
        await until(lambda: [f.name for f in tab[Attachments].files] == ["Offer.pdf"])
        assert not tab[Attachments].files[0].may_remove  # it is bob's


async def test_deleted_and_undone(alice, deal):
    kept = await attach(alice, deal, "Quote.pdf")
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        await tab.run(Attachments.look, str(kept.id))
        await tab.run(Attachments.remove, str(kept.id))
        assert tab[Attachments].files == [] and tab[Attachments].looked_at.id == ""
        notice = tab[AppState].notices[-1]
        assert notice["text"] == "Quote.pdf is in the trash" and notice["payload"] == f"file-back:{kept.id}"
        await tab.run(Attachments.put_back, str(kept.id))
        assert [f.name for f in tab[Attachments].files] == ["Quote.pdf"]


async def test_a_reader_gets_no_button(reader, alice, deal):
    await attach(alice, deal, "Quote.pdf")
    async with opened(reader, f"/opportunities/{deal.id}") as tab:
        state = tab[Attachments]
        assert (state.may_attach, state.files[0].may_remove) == (False, False)
        assert tab[DealState].is_loaded


@pytest.mark.parametrize(("size", "said"), [(0, "0 bytes"), (1025, "2 KB"), (1024**2, "1.0 MB"), (52_428_800, "50 MB")])
def test_sizes_as_people_say_them(size, said):
    assert show_size(size) == said.replace(" ", "\u00a0")
