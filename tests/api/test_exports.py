"""A file of an export is fetched by who asked for it, in the session that asked."""

import pytest

from crm_app.core import registry
from crm_app.core.views import View
from crm_app.integrations.files import exported, key_of
from crm_app.models.base import new_id
from crm_app.services.people import sessions
from crm_app.services.platform import export_keeping, exporting
from crm_app.store.uow import unit_of_work
from tests.services.platform.test_bulk import people


@pytest.fixture
async def made(admin):
    await people(admin, 2)
    async with unit_of_work(admin) as uow:
        begun = await exporting.start(uow, registry.get("contact"), View(), "csv", operation_id=new_id())
    return await export_keeping.keep_now(admin, begun.id)


async def address(tab, made):
    """As the page of this session tells it."""
    actor = await sessions.actor_of(tab.cookie)
    return export_keeping.address_of(actor, made.id)


async def test_it_is_fetched_as_a_file(browser, admin, made):
    tab = await browser(admin)
    answer = await tab.http.get(await address(tab, made))
    assert answer.status_code == 200 and "Person 0001" in answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="{made.name}"'
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["content-length"]) == made.size


async def test_what_is_not_written_yet_or_lost_is_told(browser, admin, made):
    tab = await browser(admin)
    async with unit_of_work(admin) as uow:
        begun = await exporting.start(uow, registry.get("contact"), View(), "csv", operation_id=new_id())
    answer = await tab.http.get(await address(tab, begun))
    assert answer.status_code == 404 and "not written yet" in answer.json()["message"]
    await exported().delete([key_of(admin.tenant_id, made.id)])
    answer = await tab.http.get(await address(tab, made))
    assert answer.status_code == 503 and "missing on the server" in answer.json()["message"]


async def test_nobody_else_fetches_it(browser, admin, manager, mallory, made):
    tab = await browser(admin)
    there = await address(tab, made)
    for other in (manager, mallory):
        tab = await browser(other)
        assert (await tab.http.get(there)).status_code == 404
        assert (await tab.http.get(await address(tab, made))).status_code == 404
    assert (await (await browser()).http.get(there)).status_code == 401
    another = await browser(admin)
    assert (await another.http.get(there)).status_code == 404  # another session of the same person
    assert (await another.http.get(f"/api/exports/{made.id}/x")).status_code == 404
