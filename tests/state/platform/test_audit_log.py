"""The page of the audit log in a tab: the address narrows it, a value is put back after a look at what stands there."""

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import exporting, records
from crm_app.state.base import AppState
from crm_app.state.list_export import Exports
from crm_app.state.platform.audit_log import AuditLogState
from crm_app.store.uow import unit_of_work
from tests.state.tabs import tab_of


async def kessler(admin):
    async with unit_of_work(admin) as uow:
        account = await records.create(uow, ACCOUNT, {"name": "Kessler", "annual_revenue_minor": 5_000_00})
    async with unit_of_work(admin) as uow:
        await records.update(uow, ACCOUNT, account.id, {"city": "Berlin", "annual_revenue_minor": 7_000_00})
    return account


async def test_it_tells_old_and_new_in_words_and_puts_back(admin):
    account = await kessler(admin)
    tab = await tab_of(admin, f"/settings/audit?record={account.id}&act=update")
    await tab.run(AuditLogState.load)
    (line,) = tab[AuditLogState].entries
    assert (line.title, line.act, line.kind, line.who, line.more) == ("Kessler", "Changed", "Account", admin.name, 1)
    revenue = next(c for c in line.changes if c.name == "annual_revenue_minor")
    assert revenue.back and ("5" in revenue.old, "7" in revenue.new) == (True, True)
    await tab.run(AuditLogState.ask_back, line.key, "city")
    back = tab[AuditLogState].back
    assert (back["now"], back["old"], back["label"]) == ("Berlin", "", "City")
    await tab.run(AuditLogState.put_back, {"back": f"{back['key']} city {back['seen']}"})
    assert "is what it was" in tab[AppState].notices[-1]["text"]
    async with unit_of_work(admin) as uow:
        assert (await uow.get(ACCOUNT.model, account.id)).city == ""


async def test_what_nobody_can_read_is_left_out(admin):
    await kessler(admin)
    tab = await tab_of(admin, "/settings/audit?who=x&record=y&act=boom&by=z&from=soon&until=2020-01-01")
    await tab.run(AuditLogState.load)
    assert tab[AuditLogState].entries == [] and tab[AuditLogState].is_loaded
    tab.go("/settings/audit?who=x&from=soon")
    await tab.run(AuditLogState.load)
    assert tab[AuditLogState].entries != []
    for forged in ("", "x y z", "2020-01-01T00:00:00_0 city x"):
        await tab.run(AuditLogState.put_back, {"back": forged})
        assert tab[AppState].notices[-1]["kind"] == "error"


async def test_without_the_right_nothing_of_it_reaches_the_tab(admin, alice):
    account = await kessler(admin)
    tab = await tab_of(alice, "/settings/audit")
    for handler, *given in ((AuditLogState.load,), (AuditLogState.older,), (AuditLogState.newest,)):
        await tab.run(handler, *given)
    await tab.run(AuditLogState.ask_back, f"2026-01-01T00:00:00+00:00_{account.id}", "city")
    assert "Berlin" not in tab.sent() and "does not let you" in tab[AuditLogState].refused


async def test_pages_are_turned_both_ways(admin):
    account = await kessler(admin)
    for n in range(60):
        async with unit_of_work(admin) as uow:
            await records.update(uow, ACCOUNT, account.id, {"city": f"City {n}"})
    tab = await tab_of(admin, f"/settings/audit?record={account.id}")
    await tab.run(AuditLogState.load)
    first = [e.key for e in tab[AuditLogState].entries]
    assert len(first) == 50 and tab[AuditLogState].has_older and not tab[AuditLogState].has_newer
    await tab.run(AuditLogState.older)
    second = [e.key for e in tab[AuditLogState].entries]
    assert len(second) == 12 and not set(first) & set(second) and not tab[AuditLogState].has_older
    await tab.run(AuditLogState.newer)
    assert [e.key for e in tab[AuditLogState].entries] == first


async def test_it_exports_what_it_shows(admin, alice):
    account = await kessler(admin)
    tab = await tab_of(admin, f"/settings/audit?record={account.id}&act=update")
    await tab.run(AuditLogState.load)
    assert tab[AuditLogState].may_export
    (event,) = await tab.run(AuditLogState.export)
    async with unit_of_work(admin) as uow:
        (made,) = await exporting.listed(uow)
    assert f"/api/exports/{made.id}/" in str(event.args) and (made.rows, made.form) == (1, "csv")
    await tab.run(Exports.load)
    assert tab[Exports].files[0]["about"].startswith("1 entry,")
    other = await tab_of(alice, "/settings/audit")
    await other.run(AuditLogState.export)
    assert "does not let you" in other[AppState].notices[-1]["text"]
