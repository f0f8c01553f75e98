"""What a bulk operation left as it was, as a file."""

import csv
import io

import pytest

from crm_app.core import registry
from crm_app.models.base import new_id
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.services.platform.test_bulk import delete


@pytest.fixture
async def half_done(admin):
    """An account that a deal needs, with a name that a spreadsheet would run."""
    async with unit_of_work(admin) as uow:
        account = await records.create(uow, registry.get("account"), {"name": "=cmd|'/c calc'!A1"})
        deal = {"name": "x", "account_id": account.id, "amount_minor": 1, "expected_close_on": uow.today}
        await records.create(uow, registry.get("opportunity"), deal)
    return await delete(admin, "account", [account.id, new_id()])


async def test_the_list_of_reasons_harms_nobody(browser, admin, half_done):
    answer = await (await browser(admin)).http.get(f"/api/bulk/{half_done.id}/blocked")
    assert answer.headers["content-type"].startswith("text/csv")
    head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head == ["Account", "Address", "Reason"]
    assert sorted(r[0] for r in rows) == ["", "'=cmd|'/c calc'!A1"]
    assert {r[2][:1] for r in rows} == {"1", "T"}


async def test_it_is_for_whoever_did_it(browser, manager, mallory, half_done):
    for other in (manager, mallory):
        answer = await (await browser(other)).http.get(f"/api/bulk/{half_done.id}/blocked")
        assert answer.status_code == 404
    assert (await (await browser(manager)).http.get("/api/bulk/nonsense/blocked")).status_code == 404
    assert (await (await browser()).http.get(f"/api/bulk/{half_done.id}/blocked")).status_code == 401
