"""Search, acts and places from every page, by keyboard; the keys of a page; single letters that can be turned off."""

import contextlib
import re

import pytest
from playwright.async_api import Page, expect

from crm_app.models.customers.contacts import CONTACT
from crm_app.services.platform import records, spelling
from crm_app.store.uow import unit_of_work
from tests.e2e.browsing import PHONE, listening
from tests.services.sales.deals import a_deal


@pytest.fixture
async def deal(alice):
    spelling.forget(alice.tenant_id)
    made = await a_deal(alice, "Roll-out", account="Kessler & Sohn")
    async with unit_of_work(alice) as uow:
        person = {"first_name": "Ute", "last_name": "Kesselring", "account_id": made.account_id}
        await records.create(uow, CONTACT, person)
    return made


def palette(page: Page):
    return page.get_by_role("dialog", name="Search and commands")


def lit(page: Page):
    return palette(page).locator("[role=option][aria-selected=true]")


async def summon(page: Page) -> None:
    """On a busy machine a page may be seen before it listens to keys: pressed once more then, as people do."""
    for _ in range(2):
        await page.keyboard.press("Control+k")
        with contextlib.suppress(AssertionError):
            await expect(palette(page)).to_be_visible(timeout=3_000)
            return
    await page.keyboard.press("Control+k")
    await expect(palette(page)).to_be_visible()


async def ask(page: Page, text: str) -> None:
    await summon(page)
    await page.keyboard.type(text)


async def test_a_record_is_found_by_keyboard_alone(visit, alice, deal):
    page = await visit(alice, "/pipeline")
    await expect(page.get_by_text("Roll-out").first).to_be_visible()
    await ask(page, "késsel")
    await expect(palette(page).get_by_role("group", name="Contacts")).to_contain_text("Ute Kesselring")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Ute Kesselring", level=1)).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.press("Escape")
    await expect(palette(page)).to_be_hidden()


async def test_enter_waits_for_the_answer(visit, alice, deal):
    """What was lit while somebody was still typing is not what they mean."""
    page = await visit(alice, "/accounts")
    await expect(page.get_by_text("Kessler").first).to_be_visible()
    await ask(page, "ute kes")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Ute Kesselring", level=1)).to_be_visible()


async def test_a_typing_error_is_mended_and_nothing_is_said_to_be_nothing(visit, alice, deal):
    page = await visit(alice, "/accounts")
    await expect(page.get_by_text("Kessler").first).to_be_visible()
    await ask(page, "kesslerign")
    await expect(palette(page).get_by_role("group", name=re.compile("spelled"))).to_contain_text("Ute")
    await palette(page).get_by_role("combobox").fill("zzzz")
    await expect(palette(page).get_by_text("Nothing found for “zzzz”")).to_be_visible()


async def test_on_a_deal_its_own_acts_come_first(visit, alice, deal):
    page = await visit(alice, f"/opportunities/{deal.id}")
    await expect(page.get_by_role("heading", name="Roll-out")).to_be_visible()
    await summon(page)
    acts = palette(page).get_by_role("group", name="For this deal")
    await expect(acts.get_by_role("option").first).to_have_text(re.compile("Move to Discovery"))
    await page.keyboard.type("write")
    await expect(lit(page)).to_contain_text("Write a note")
    await page.keyboard.press("Enter")
    await expect(page.get_by_placeholder("What is worth knowing?")).to_be_focused()
    await ask(page, "move to")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Roll-out moved to Discovery")).to_be_visible()
    await page.get_by_role("heading", name="Roll-out").click()
    await page.keyboard.press("Control+z")
    await expect(page.locator(".stagebar [aria-current=step]")).to_contain_text("Qualify")


async def test_the_records_opened_last_come_first(visit, alice, deal):
    page = await visit(alice, f"/opportunities/{deal.id}")
    await expect(page.get_by_role("heading", name="Roll-out")).to_be_visible()
    elsewhere = await visit(alice, "/products")
    await expect(elsewhere.get_by_text("No products yet")).to_be_visible()
    await summon(elsewhere)
    await expect(palette(elsewhere).get_by_role("group", name="Opened last")).to_contain_text("Roll-out")
    await elsewhere.keyboard.type(">")
    await expect(palette(elsewhere).get_by_role("option").filter(has_text="Roll-out")).to_have_count(0)
    await elsewhere.keyboard.type("new contact")
    await elsewhere.keyboard.press("Enter")
    await expect(elsewhere.get_by_role("dialog", name="New contact")).to_be_visible()


async def test_keys_do_what_they_say_and_rest_while_one_types(visit, admin, deal):
    page = await visit(admin, f"/opportunities/{deal.id}")
    await expect(page.locator("#timeline")).to_contain_text("Created in")
    for key, focused in (
        ("l", ".composer textarea"), ("t", ".composer textarea"), ("s", ".stagebar [aria-current=step]"),
        ("e", ".props .editing :focus"), ("a", "[data-field=owner_id] input"),
    ):  # fmt: skip
        await page.evaluate("document.activeElement?.blur()")
        await page.keyboard.press(key)
        await expect(page.locator(focused)).to_be_focused()
        await page.keyboard.press("Escape")
    await page.evaluate("document.activeElement?.blur()")
    await page.keyboard.press("n")
    await expect(page.get_by_placeholder("What is worth knowing?")).to_be_focused()
    await page.keyboard.type("gca?")
    await expect(page.get_by_placeholder("What is worth knowing?")).to_have_value("gca?")
    await page.evaluate("document.activeElement?.blur()")
    await page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys of this page")
    await expect(keys.get_by_text("Change the stage")).to_be_visible()
    await expect(keys.get_by_text("Next deal")).to_have_count(0)  # it came from no list
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("c")
    await expect(page).to_have_url(re.compile("/contacts$"))
    await expect(page.get_by_text("Kesselring").first).to_be_visible()
    await page.keyboard.press("?")
    await expect(keys.get_by_text("Next and previous record")).to_be_visible()
    await expect(keys.get_by_text("Change the stage")).to_have_count(0)


async def test_single_letters_can_be_turned_off(visit, alice, deal):
    page = await visit(alice, "/settings/profile")
    await page.get_by_role("switch", name="Single letters are shortcuts").click()
    await expect(page.get_by_role("switch")).not_to_be_checked()
    await page.goto("/contacts")
    await expect(page.get_by_text("Kesselring").first).to_be_visible()
    for key in ("c", "?"):
        await page.keyboard.press(key)
    await page.keyboard.press("Control+k")
    await expect(palette(page)).to_be_visible()
    await expect(page.locator("dialog[open]")).to_have_count(1)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Keys of this page").click()
    await expect(page.get_by_text("Single letters are off.")).to_be_visible()


async def test_on_a_phone_the_button_above_opens_it(visit, alice, deal):
    page = await visit(alice, "/accounts", viewport=PHONE, has_touch=True, is_mobile=True)
    await listening(page)
    await page.get_by_role("banner").get_by_role("button", name="Search").tap()
    box = palette(page)
    await box.get_by_role("button", name="people").tap()
    await page.keyboard.type("kess")
    await expect(box.get_by_role("option")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await box.get_by_role("option").tap()
    await expect(page.get_by_role("heading", name="Ute Kesselring", level=1)).to_be_visible()
