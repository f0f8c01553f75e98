"""The dialog that shares a record and says why."""

from crm_app.state.base import AppState
from crm_app.state.people.access import AccessState
from tests.services.sales.deals import a_deal
from tests.state.tabs import tab_of


async def test_a_deal_is_shared_explained_and_shared_no_more(alice, carol):
    deal = await a_deal(alice, "Roll-out")
    tab = await tab_of(alice, f"/opportunities/{deal.id}")
    await tab.run(AccessState.ask, "opportunity", str(deal.id))
    state = tab[AccessState]
    assert state.is_open and state.can_share and state.shares == [] and state.verdict.startswith("Alice sees")
    await tab.run(AccessState.look_at, str(carol.user_id))
    assert "does not see" in state.verdict
    form = {"access_of": f"opportunity {deal.id}", "share_with": str(carol.user_id), "share_how": "read"}
    await tab.run(AccessState.share, form)
    assert [s["name"] for s in state.shares] == ["Carol"] and state.verdict.startswith("Carol sees")
    hers = await tab_of(carol, f"/opportunities/{deal.id}")
    await hers.run(AccessState.ask, "opportunity", str(deal.id))
    assert not hers[AccessState].can_share and hers[AccessState].shares[0]["may_end"]
    await tab.run(AccessState.unshare, str(carol.user_id))
    assert state.shares == []


async def test_what_is_not_seen_stays_so(alice, carol, mallory):
    deal = await a_deal(alice, "Geheimnis")
    for person in (carol, mallory):
        tab = await tab_of(person, "/pipeline")
        for kind, record_id in (("opportunity", str(deal.id)), ("boom", str(deal.id)), ("opportunity", "x")):
            await tab.run(AccessState.ask, kind, record_id)
            await tab.run(AccessState.share, {"access_of": f"{kind} {record_id}", "share_with": str(person.user_id)})
            await tab.run(AccessState.unshare, str(alice.user_id))
        assert "Geheimnis" not in tab.sent() and "Alice" not in tab[AccessState].verdict
        assert tab[AppState].notices[-1]["kind"] == "error" or tab[AccessState].errors
