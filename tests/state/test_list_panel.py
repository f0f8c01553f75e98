"""A record beside its list, without a browser."""

from uuid import uuid4

from crm_app.state.list_panel import ListPanel
from crm_app.state.lists import RecordList
from crm_app.state.record import RecordState
from tests.state.test_lists import accounts, address, opened


async def beside(tab):
    """What the browser does with the event that is chained from the panel's."""
    record = tab[RecordState]
    await tab.run(RecordState.reread)
    return record


async def test_a_row_opens_beside_the_list_and_the_address_names_it(alice):
    kessler, zeta = await accounts(alice, "Kessler", "Zeta")
    async with opened(alice, "/accounts", RecordList) as tab:
        shown = tab[RecordList]
        assert await tab.run(ListPanel.open, str(kessler.id)) and shown.open_id == str(kessler.id)
        await tab.run(RecordState.open, "account", str(kessler.id))
        assert (await beside(tab)).head.name == "Kessler"
        (there,) = await tab.run(RecordList.sort_by, "city")
        assert address(there)[1] == {"open": str(kessler.id), "sort": "city"}
        await tab.run(ListPanel.open, str(zeta.id))
        await tab.run(RecordState.open, "account", str(zeta.id))
        assert (await beside(tab)).head.name == "Zeta"
        await tab.run(RecordState.save, "city", "Graz", "")
        assert tab[RecordState].statuses["city"]["state"] == "saved"
        await tab.run(ListPanel.close)
        assert shown.open_id == ""


async def test_an_address_with_a_record_opens_it(alice):
    (kessler,) = await accounts(alice, "Kessler")
    async with opened(alice, f"/accounts?open={kessler.id}", RecordList) as tab:
        (chained,) = await tab.run(ListPanel.load)
        assert tab[RecordList].open_id == str(kessler.id) and "open" in str(chained.handler.fn)
    async with opened(alice, "/accounts?open=nonsense", RecordList) as tab:
        await tab.run(ListPanel.load)
        assert tab[RecordList].open_id == ""
        await tab.run(ListPanel.open, "../users")
        assert tab[RecordList].open_id == ""


async def test_what_is_not_for_one_is_not_beside_it_either(alice, mallory):
    (kessler,) = await accounts(alice, "Kessler")
    async with opened(mallory, "/accounts", RecordList) as tab:
        for record_id in (kessler.id, uuid4()):
            await tab.run(ListPanel.open, str(record_id))
            await tab.run(RecordState.open, "account", str(record_id))
            await beside(tab)
            assert tab[RecordState].is_missing and "Kessler" not in tab.sent()
