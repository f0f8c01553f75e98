"""Saved views in a browser: kept, changed, put back, deleted and brought back."""

import re

from playwright.async_api import expect

from tests.e2e.test_list_filters import some


async def test_a_view_is_kept_changed_and_put_back(visit, alice):
    await some(alice)
    page = await visit(alice, "/accounts")
    await expect(page.locator("tbody tr[data-id]")).to_have_count(3)
    await page.get_by_role("searchbox", name="Search accounts").fill("kes")
    await expect(page.locator("tbody tr[data-id]")).to_have_count(2)
    await page.get_by_role("button", name="Save view").click()
    dialog = page.get_by_role("dialog", name="Save view")
    await expect(dialog.get_by_role("textbox", name="Name")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_text("Is required")).to_be_visible()
    await page.keyboard.type("Kes and friends")
    await page.keyboard.press("Enter")
    tabs = page.get_by_role("navigation", name="Views of accounts")
    tab = tabs.get_by_role("link", name="Kes and friends")
    await expect(tab).to_have_attribute("aria-current", "page")
    await expect(page).to_have_url(re.compile(r"\?view=[0-9a-f-]{36}$"))
    await page.get_by_role("columnheader", name="Name").get_by_role("button").click()
    await expect(page).to_have_url(re.compile(r"view=.*&sort="))
    await page.get_by_role("button", name="Reset").click()
    await expect(page).to_have_url(re.compile(r"\?view=[0-9a-f-]{36}$"))
    await tabs.get_by_role("link", name="All").click()
    await expect(page.locator("tbody tr[data-id]")).to_have_count(3)
    await tab.click()
    await expect(page.locator("tbody tr[data-id]")).to_have_count(2)
    await page.get_by_role("button", name="Change the view Kes and friends").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(tab).to_be_hidden()
    await page.get_by_role("button", name="Undo").click()
    await expect(tab).to_have_attribute("aria-current", "page")
    await expect(page.locator("tbody tr[data-id]")).to_have_count(2)
