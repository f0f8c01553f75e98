"""Duplicates before they are made, and merged when they are there."""

import re

import pytest
from playwright.async_api import expect

from crm_app.jobs.duplicates import scan_duplicates
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.services.customers import duplicates_pairs
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.e2e.browsing import PHONE
from tests.services.sales.deals import a_deal


async def make(actor, entity, **values):
    async with unit_of_work(actor) as uow:
        return await records.create(uow, entity, values)


@pytest.fixture
async def twins(alice, bob, manager):
    """Two Janas of one e-mail and two companies of one name, found by a run."""
    acme = await make(alice, ACCOUNT, name="Acme GmbH", website="https://acme.com", city="Köln")
    await make(alice, ACCOUNT, name="ACME", website="https://www.acme.com")
    one = await make(
        alice, CONTACT, first_name="Jana", last_name="Weber", email="jana@acme.com", title="Buyer", tags=["fair"]
    )
    values = {"email": "jana@acme.com", "title": "Head of purchasing", "phone": "+492211234567", "account_id": acme.id}
    two = await make(bob, CONTACT, first_name="Jana", last_name="Wéber", tags=["vip"], **values)
    for entity in (CONTACT, ACCOUNT):
        async with unit_of_work(manager) as uow:
            run = await duplicates_pairs.start(uow, entity)
        await scan_duplicates.func(str(manager.tenant_id), str(run.id))
    return one, two


async def test_a_form_says_what_is_there_already(visit, alice, carol, twins):
    page = await visit(alice, "/contacts")
    await expect(page.locator("tbody tr")).to_have_count(2)
    await page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="New contact")
    await dialog.get_by_label("First name").fill("Jana")
    await dialog.get_by_label("Last name").fill("Weber")
    hint = dialog.get_by_role("status").filter(has_text="Is it there already?")
    await expect(hint.get_by_role("link")).to_have_count(2)
    await expect(hint).to_contain_text("Looks like Jana Weber")
    await dialog.get_by_label("Last name").fill("Xylander")
    await expect(dialog.get_by_text("Is it there already?")).to_have_count(0)
    await dialog.get_by_label("Last name").fill("Weber")
    await expect(hint).to_be_visible()
    await dialog.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Jana Weber")

    page = await visit(carol, "/contacts")  # of another team: she learns no more than that the address is taken
    await expect(page.get_by_role("heading", name="No contacts yet")).to_be_visible()
    await page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="New contact")
    await dialog.get_by_label("Last name").fill("Weber")
    await dialog.get_by_text("More fields").click()
    await dialog.get_by_label("E-mail").fill("JANA@acme.com")
    await expect(dialog.get_by_text("A contact with this e-mail exists")).to_be_visible()
    await expect(dialog.get_by_text("Jana")).to_have_count(0)


async def test_merged_by_mouse_and_parted_by_undo(visit, manager, twins):
    one, two = twins
    page = await visit(manager, "/duplicates")
    await expect(page.locator(".dup-pairs li")).to_have_count(1)
    title = page.locator("[data-field=title]")
    await expect(title).to_have_class(re.compile("differs"))
    await expect(page.locator("[data-field=email]")).not_to_have_class(re.compile("differs"))
    await title.get_by_label("Head of purchasing").check()
    await expect(title.get_by_label("Head of purchasing")).to_be_checked()
    await page.get_by_role("button", name="Merge", exact=True).click()
    await expect(page.get_by_text("2 contacts are now Jana Weber")).to_be_visible()
    await expect(page.get_by_role("heading", name="No duplicates here")).to_be_visible()

    other = await visit(manager, f"/contacts/{two.id}")
    await expect(other).to_have_url(re.compile(str(one.id)))
    await expect(other.locator("[data-field=title]")).to_contain_text("Head of purchasing")
    await expect(other.locator("[data-field=account_id]")).to_contain_text("Acme GmbH")

    await page.get_by_role("button", name="Undo", exact=True).click()
    await expect(page.locator(".dup-pairs li")).to_have_count(1)
    other = await visit(manager, f"/contacts/{two.id}")
    await expect(other.get_by_role("heading", level=1)).to_have_text("Jana Wéber")


async def test_by_keyboard_alone(visit, manager, twins):
    page = await visit(manager, "/duplicates?entity=account")
    heads = page.get_by_role("radiogroup", name="Keep").get_by_role("radio")
    await expect(heads).to_have_count(2)
    await page.keyboard.press("2")
    await expect(heads.nth(1)).to_be_checked()
    await page.keyboard.press("n")
    await expect(page.get_by_role("heading", name="No duplicates here")).to_be_visible()
    await page.goto("/duplicates")
    await expect(heads).to_have_count(2)
    await page.keyboard.press("m")
    await expect(page.get_by_text("2 contacts are now Jana")).to_be_visible()


async def test_from_a_record_to_what_looks_like_it(visit, manager, twins):
    one, _ = twins
    page = await visit(manager, f"/contacts/{one.id}")
    await page.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Find duplicates").click()
    await expect(page.get_by_text("Looks like Jana Weber")).to_be_visible()
    await page.get_by_role("button", name="Merge", exact=True).click()
    await expect(page).to_have_url(re.compile(f"/contacts/{one.id}"))
    await expect(page.locator("[data-field=phone]")).to_contain_text("+49 221 1234567")


async def test_a_run_is_started_and_a_rep_may_only_look(visit, manager, alice, twins):
    page = await visit(manager, "/duplicates")
    await expect(page.get_by_text(re.compile("Looked through"))).to_be_visible()
    await page.get_by_role("button", name="Look for duplicates").click()
    await expect(page.locator(".dup-pairs li")).to_have_count(1)
    page = await visit(alice, "/duplicates")
    await expect(page.get_by_text("Your role may look but not merge")).to_be_visible()
    await expect(page.get_by_role("button", name="Merge", exact=True)).to_have_count(0)
    await page.keyboard.press("m")
    await expect(page.locator(".dup-pairs li")).to_have_count(1)


async def test_on_a_phone(visit, manager, twins):
    page = await visit(manager, "/duplicates", viewport=PHONE, has_touch=True, is_mobile=True)
    await expect(page.get_by_role("radiogroup", name="Keep")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.get_by_role("button", name="Merge", exact=True).tap()
    await expect(page.get_by_text("2 contacts are now Jana Weber")).to_be_visible()


async def test_a_name_typed_into_a_deal_is_looked_up_too(visit, alice, twins):
    deal = await a_deal(alice, account="Kessler")
    page = await visit(alice, f"/opportunities/{deal.id}")
    await page.get_by_role("button", name="Add person").first.click()
    dialog = page.get_by_role("dialog", name="Add person")
    await dialog.get_by_role("combobox", name="Person").press_sequentially("jana weber")
    await page.keyboard.press("Tab")  # a typed name is taken when the box is left
    await expect(dialog.get_by_text("Looks like Jana W")).to_have_count(2)
