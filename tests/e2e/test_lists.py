"""Lists of records in a browser: long ones, by keyboard, in place."""

import re

from playwright.async_api import expect

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.e2e.browsing import PHONE


async def many(actor, count, **values):
    async with unit_of_work(actor) as uow:
        for n in range(count):
            await records.create(uow, ACCOUNT, {"name": f"Company {n:03}", **values})


async def test_a_long_list_is_read_as_it_comes_into_sight(visit, alice):
    await many(alice, 260)
    page = await visit(alice, "/accounts")
    await expect(page.get_by_role("status").filter(has_text="260 accounts")).to_be_visible()
    assert await page.locator("tbody tr").count() < 80
    await page.locator("[data-row='0'] [data-col='0']").focus()
    await page.keyboard.press("Control+End")
    await expect(page.locator("[data-row='259']")).to_contain_text("Company 259")
    await page.keyboard.press("Control+Home")
    await expect(page.locator("[data-row='0'] [data-col='0']")).to_be_focused()
    row = page.locator("tr[data-row]").first
    # as high as those that wait: else a jump far down goes to and fro between the two
    assert await row.evaluate("e => `${e.offsetHeight}px` === getComputedStyle(e).getPropertyValue('--row-h').trim()")
    await page.evaluate("document.querySelector('.table-wrap').scrollTop = 130 * 36")
    await expect(page.locator("[data-row='135']")).to_contain_text("Company 135")


async def test_a_cell_is_edited_under_the_keyboard(visit, alice, bob):
    await many(alice, 3)
    page = await visit(alice, "/accounts")
    cell = page.locator("[data-row='1'] [data-field=industry]")
    await page.locator("[data-row='1'] [data-col='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        await page.keyboard.press(key)
    await page.keyboard.type("Machines")
    await page.keyboard.press("Enter")
    await expect(cell).to_have_text("Machines")
    await expect(cell).to_be_focused()
    other = await visit(bob, "/accounts")
    await expect(other.locator("[data-row='1'] [data-field=industry]")).to_have_text("Machines")
    await page.keyboard.press("Enter")
    await page.keyboard.type("Tools")
    await page.keyboard.press("Escape")
    await expect(cell).to_have_text("Machines")


async def test_a_record_opens_beside_the_list_and_the_next_one(visit, alice):
    await many(alice, 3, city="Linz")
    page = await visit(alice, "/accounts")
    await page.locator("[data-row='1']").get_by_role("link", name="Company 001").click()
    panel = page.get_by_role("complementary", name="Company 001")
    await expect(panel.get_by_role("heading", name="Company 001")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"\?open=[0-9a-f-]{36}$"))
    await page.keyboard.press("j")
    await expect(page.get_by_role("complementary", name="Company 002")).to_be_visible()
    await page.get_by_role("button", name="Previous record").click()
    await expect(panel).to_be_visible()
    await page.reload()
    await expect(panel.get_by_role("heading", name="Company 001")).to_be_visible()
    await panel.press("Escape")
    await expect(panel).to_be_hidden()
    await expect(page).to_have_url(re.compile("/accounts/?$"))
    await page.locator("[data-row='0'] [data-col='0']").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("complementary", name="Company 000")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("complementary", name="Company 000")).to_be_hidden()
    await expect(page.locator("[data-row='0'] [data-col='0']")).to_be_focused()
    async with page.context.expect_page() as opened:
        await page.locator("[data-row='2']").get_by_role("link", name="Company 002").click(modifiers=["Control"])
    await expect((await opened.value).get_by_role("heading", name="Company 002", level=1)).to_be_visible()


async def test_columns_and_their_widths_stay_as_they_were_made(visit, alice):
    await many(alice, 2, city="Linz")
    page = await visit(alice, "/accounts")
    await expect(page.locator("tbody tr[data-id]")).to_have_count(2)
    await page.get_by_role("button", name="Columns and density").click()
    await page.get_by_role("checkbox", name="City").click()
    await page.get_by_role("button", name="Move City up").click()
    await expect(page).to_have_url(re.compile("cols=.*city"))
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Columns and density")).to_be_hidden()
    edge = page.get_by_role("separator", name="Width of Name")
    await edge.focus()
    await page.keyboard.press("ArrowRight")
    await expect(edge).to_have_attribute("aria-valuenow", "296")
    await page.reload()
    await expect(page.get_by_role("columnheader", name="City")).to_be_visible()
    await expect(edge).to_have_attribute("aria-valuenow", "296")


async def test_on_a_phone_a_name_and_one_more_fit(visit, alice):
    await many(alice, 60)
    page = await visit(alice, "/accounts", viewport=PHONE, has_touch=True, is_mobile=True)
    await expect(page.locator("[data-row='0'] td:visible")).to_have_count(3)  # the box, the name, one more
    await page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    await expect(page.locator("[data-row='59']")).to_contain_text("Company 059")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


async def test_a_record_in_a_tab_of_its_own_keeps_the_way_through_the_list(visit, alice):
    await many(alice, 3)
    page = await visit(alice, "/accounts?sort=-name")
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="Company 001").click(modifiers=["ControlOrMeta"])
    mine = await opened.value
    await expect(mine.get_by_role("heading", name="Company 001", level=1)).to_be_visible()
    await expect(mine.get_by_text("2 of 3")).to_be_visible()
    await mine.get_by_role("link", name="Next account").click()
    await expect(mine.get_by_role("heading", name="Company 000", level=1)).to_be_visible()
    await expect(mine.get_by_text("3 of 3")).to_be_visible()
