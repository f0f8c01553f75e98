"""The notification centre in the browser: it counts by itself, leads to the record, and knows what was read."""

import re

from playwright.async_api import expect

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import notifications, records
from crm_app.store.uow import unit_of_work
from tests.e2e.browsing import PHONE


async def give(actor, to, name):
    async with unit_of_work(actor) as uow:
        return (await records.create(uow, ACCOUNT, {"name": name, "owner_id": to.user_id})).id


async def test_told_without_a_reload_and_led_to_the_record(visit, manager, alice):
    page = await visit(alice, "/pipeline")
    bell = page.locator(".app [data-bell]")
    await expect(bell).to_have_text("Notifications")
    record_id = await give(manager, alice, "Kessler")
    await give(manager, alice, "Globex")
    await expect(bell).to_have_text(re.compile("Notifications\\s*2"))
    await bell.focus()
    await page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="Notifications")
    await expect(panel.get_by_role("heading", name="Today")).to_be_visible()
    await expect(panel.get_by_role("link")).to_have_count(3)  # the third leads to the choices
    await panel.get_by_role("link", name="Kessler").click()
    await expect(page).to_have_url(re.compile(f"/accounts/{record_id}"))
    await expect(panel).to_have_count(0)
    await expect(page.locator(".app [data-bell]")).to_have_text(re.compile("Notifications\\s*1"))

    await page.locator(".app [data-bell]").click()
    await panel.get_by_role("button", name="Mark all read").click()
    await expect(page.locator(".app [data-bell]")).to_have_text("Notifications")
    await panel.get_by_role("button", name="Mark as unread").first.click()
    await expect(page.locator(".app [data-bell]")).to_have_text(re.compile("Notifications\\s*1"))
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)


async def test_on_a_phone_the_bell_stands_in_the_top_bar(visit, manager, alice):
    page = await visit(alice, "/pipeline", viewport=PHONE)
    await give(manager, alice, "Kessler")
    await page.get_by_role("button", name="Notifications, 1 unread").click()
    panel = page.get_by_role("complementary", name="Notifications")
    await expect(panel.get_by_text("Maria gave you")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_what_is_told_is_chosen_on_the_profile_page(visit, manager, alice):
    page = await visit(alice, "/settings/profile")
    tick = page.get_by_role("checkbox", name="Somebody gives you a record: here")
    await expect(tick).to_be_checked()
    await tick.uncheck()
    await page.reload()
    await expect(tick).not_to_be_checked()
    await give(manager, alice, "Kessler")
    async with unit_of_work(alice) as uow:
        assert await notifications.unread(uow) == 0
