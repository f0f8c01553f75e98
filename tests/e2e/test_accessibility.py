"""axe-core finds nothing wrong on any page: light and dark, at a desk and on a phone; and none scrolls sideways."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import expect

from crm_app.core.clock import utcnow
from crm_app.core.context import Source
from crm_app.models.catalog.products import PRODUCT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.pages import add_pages
from crm_app.services.activities import activities, comments
from crm_app.services.activities.comments import Mention
from crm_app.services.people import actors
from crm_app.services.platform import failures, notifications, records
from crm_app.services.sales import pipelines
from crm_app.store.uow import unit_of_work
from tests.e2e.axe import ALL, AXE, RUN
from tests.e2e.browsing import DESK, PHONE
from tests.e2e.stops import STOPS, World
from tests.people import TestWorkspace, found
from tests.services.sales.deals import a_deal, stage_ids


@pytest.fixture(scope="module")
async def world(app_database: None) -> World:
    """A board with something of everything on it."""
    founded = await found("Acme Sales")
    admin = await actors.actor_for(founded.tenant_id, founded.admin_id, source=Source.ui)
    space = TestWorkspace(founded.tenant_id, admin, founded.admin_id, founded.team_id, founded.team_id, founded.roles)
    bob = await space.person("Bob")
    stages, now = await stage_ids(admin), utcnow()
    deal = await a_deal(admin, "Roll-out", amount_minor=123_456_00, tags=["pilot"], next_step="Send the offer")
    names = ("Qualify", "Discovery", "Proposal", "Negotiation", "Contract")
    for number, stage in enumerate(names * 2):
        each = await a_deal(admin, f"Deal {number}", account=f"Company {number}", stage_id=stages[stage])
        async with unit_of_work(admin) as uow:
            if number % 3:
                due = now + timedelta(days=number - 4, hours=1)
                planned = await activities.plan(
                    uow, kind="call", subject="Call back", due_at=due, opportunity_id=each.id
                )
    async with unit_of_work(admin) as uow:
        job = {"task": "run_tick_here", "args": {"tenant_id": str(admin.tenant_id), "name": "sweep"}}
        await failures.record(uow, "tick:sweep", **job, error="OSError: the disk is full")
        empty = await pipelines.create(uow, name="Partners")
        await comments.add(uow, OPPORTUNITY, deal.id, "Please ask @Bob", mentions=[Mention(bob.user_id, "Bob")])
        told = {"about": "opportunity", "about_id": deal.id, "text": "Please call before Friday"}
        await notifications.notify(uow, admin.user_id, notifications.ASSIGNED, by_id=bob.user_id, **told)
        await notifications.notify(uow, admin.user_id, notifications.JOB_DONE, title="Deals.csv: 47 made, 3 left out")
        person = {"last_name": "Berg", "account_id": deal.account_id, "email": "berg@kessler.example"}
        contact = await records.create(uow, CONTACT, person)
        await records.create(uow, CONTACT, {**person, "first_name": "Ida", "phone": "+4930123456"})  # its duplicate
        thrown = await records.create(uow, CONTACT, {"last_name": "Thrown away"})
        await records.delete(uow, CONTACT, thrown.id)
        product = await records.create(uow, PRODUCT, {"name": "Robots", "price_minor": 1_200_50, "currency": "EUR"})
    return World(
        admin, deal.id, deal.account_id, contact.id, product.id, empty.id, planned.id, founded.admin_id, founded.team_id
    )  # fmt: skip


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.name)
async def test_axe(visit, world, stop):
    who = world.admin if stop.signed_in else None
    if stop.name == "nowhere":
        visit.expect_noise("status of 404")
    page = await visit(who, stop.path.format(**vars(world)), reduced_motion="reduce")
    await expect(page.get_by_text(stop.ready).first).to_be_attached()
    if stop.does is not None:
        await stop.does(page)
    await page.evaluate(AXE)
    wrong: dict[str, list[str]] = {}
    for size in (DESK, PHONE):
        await page.set_viewport_size(size)
        if await page.evaluate("document.documentElement.scrollWidth") > size["width"]:
            wrong["the page scrolls sideways"] = [str(size["width"])]
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await expect(page.locator("html")).to_have_class(re.compile(scheme))
            # Only colours differ between the two.
            for line in await page.evaluate(RUN, ALL if scheme == "light" else ["color-contrast"]):
                wrong.setdefault(line, []).append(f"{scheme} {size['width']}")
    assert not wrong, "\n".join(f"{', '.join(looks)}: {line}" for line, looks in wrong.items())


def test_every_page_is_on_the_list():
    routes: list[str] = []

    class Routes:
        def add_page(self, _component, *, route: str, **_more) -> None:
            routes.append("/" + route.strip("/"))

    add_pages(Routes())
    paths = [re.sub(r"\{[^}]+\}", "x", stop.path.partition("?")[0]) for stop in STOPS]
    missing = [
        r for r in routes if r != "/404" and not any(re.fullmatch(re.sub(r"\[[^]]+\]", "[^/]+", r), p) for p in paths)
    ]
    assert not missing, f"add these pages to STOPS: {missing}"
