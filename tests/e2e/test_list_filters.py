"""Filtering a list in a browser: built by mouse and keyboard, counted while it is built, told in chips."""

import re

from playwright.async_api import expect

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.e2e.browsing import PHONE


async def some(actor):
    rows = (("Kessler", "Machines", 640), ("Kestrel", "Glass", 12), ("Zeta", "Machines", 3))
    async with unit_of_work(actor) as uow:
        for name, industry, employees in rows:
            await records.create(uow, ACCOUNT, {"name": name, "industry": industry, "employees": employees})


async def test_a_filter_is_built_by_keyboard_and_edited_at_its_chip(visit, alice):
    await some(alice)
    page = await visit(alice, "/accounts")
    await expect(page.get_by_role("status").filter(has_text="3 accounts")).to_be_visible()
    await page.keyboard.press("f")
    panel = page.get_by_role("dialog", name="Filter accounts")
    await expect(panel.get_by_role("textbox", name="Name: value")).to_be_focused()
    await panel.get_by_role("combobox", name="Field").click()
    await page.keyboard.type("indus")
    await page.keyboard.press("Enter")
    await panel.get_by_role("textbox", name="Industry: value").fill("machines")
    await expect(panel.get_by_role("status")).to_have_text("2 accounts")
    await panel.get_by_role("button", name="Condition", exact=True).click()
    row = panel.locator("[data-cond='1'].cond-row")
    await expect(row.get_by_role("textbox")).to_be_focused()
    await row.get_by_role("combobox", name="Field").fill("employ")
    await page.keyboard.press("Enter")
    await panel.get_by_role("button", name="Apply").click()
    await expect(panel.get_by_text("Enter a number")).to_be_visible()
    await row.get_by_role("textbox", name="Employees: value").fill("100")
    await panel.get_by_role("button", name="Apply").click()
    await expect(panel).to_be_hidden()
    await expect(page).to_have_url(re.compile("filter="))
    await expect(page.get_by_role("status").filter(has_text="1 account")).to_be_visible()
    await page.get_by_role("button", name="Employees is at least 100").click()
    await expect(panel.get_by_role("textbox", name="Employees: value")).to_be_focused()
    await page.keyboard.press("Control+a")
    await page.keyboard.type("3")
    await panel.get_by_role("button", name="Apply").click()
    await expect(page.locator("tbody tr[data-id]")).to_have_count(2)
    await page.get_by_role("button", name="Employees is at least 3").click()
    await expect(panel.get_by_role("textbox", name="Employees: value")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()
    await expect(page.get_by_role("button", name="Employees is at least 3")).to_be_focused()


async def test_on_a_phone_the_builder_comes_from_below(visit, alice):
    await some(alice)
    page = await visit(alice, "/accounts", viewport=PHONE, has_touch=True, is_mobile=True)
    await expect(page.locator("tbody tr[data-id]")).to_have_count(3)
    await page.get_by_role("button", name="Filter", exact=True).click()
    panel = page.get_by_role("dialog", name="Filter accounts")
    await panel.get_by_role("textbox", name="Name: value").fill("kes")
    await expect(panel.get_by_role("status")).to_have_text("2 accounts")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await panel.get_by_role("button", name="Apply").click()
    await expect(page.locator("tbody tr[data-id]")).to_have_count(2)
