"""Records chosen in a list and changed together, by mouse, keyboard and finger."""

import re

import sqlalchemy as sa
from playwright.async_api import expect

from crm_app.models.base import new_id
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.platform import exporting, records
from crm_app.store.uow import unit_of_work
from tests.e2e.browsing import PHONE
from tests.e2e.test_lists import many


def bar(page):
    return page.get_by_role("group", name="Selection")


async def test_chosen_by_click_and_shift_edited_and_undone(visit, alice):
    await many(alice, 12, city="Graz")
    page = await visit(alice, "/accounts?cols=name,city")
    await page.get_by_role("checkbox", name="Select Company 001").click()
    await page.get_by_role("checkbox", name="Select Company 004").click(modifiers=["Shift"])
    await expect(bar(page)).to_contain_text("4 selected")
    await bar(page).get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Edit 4 accounts")
    await dialog.get_by_label("Field").select_option("City")
    await dialog.get_by_label("City", exact=True).fill("Linz")
    await dialog.get_by_role("button", name="Edit 4 accounts").click()
    await expect(page.locator("[data-field=city]", has_text="Linz")).to_have_count(4)
    await expect(bar(page)).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_text("4 accounts put back")).to_be_visible()
    await expect(page.locator("[data-field=city]", has_text="Linz")).to_have_count(0)


async def test_by_keyboard_alone_all_that_match_but_one_are_deleted(visit, manager, alice):
    await many(alice, 70)
    page = await visit(manager, "/accounts")
    await page.locator("[data-row='0'] [data-col='0']").focus()
    await page.keyboard.press("x")
    await page.keyboard.press("Shift+ArrowDown")
    await page.keyboard.press("Shift+ArrowDown")
    await expect(bar(page)).to_contain_text("3 selected")
    await page.keyboard.press("Escape")
    await expect(bar(page)).to_have_count(0)
    await page.locator("[data-row='2'] [data-col='0']").focus()
    await page.keyboard.press("Control+a")
    await expect(bar(page)).to_contain_text("70 selected")
    await page.keyboard.press("x")
    await expect(bar(page)).to_contain_text("69 of 70 selected")
    await expect(page.locator("[data-row='2']")).to_have_attribute("aria-selected", "false")
    await expect(page.locator("[data-row='3']")).to_have_attribute("aria-selected", "true")
    await bar(page).get_by_role("button", name="All 70").press("Enter")
    await expect(bar(page)).to_contain_text("70 selected")
    await page.locator("[data-row='4'] [data-col='0']").focus()
    await page.keyboard.press("x")
    await expect(bar(page)).to_contain_text("69 of 70 selected")
    await bar(page).get_by_role("button", name="Delete").press("Enter")
    dialog = page.get_by_role("dialog", name="Delete 69 accounts")
    await dialog.get_by_role("button", name="Delete 69 accounts").press("Enter")
    await expect(page.get_by_text("69 accounts deleted")).to_be_visible()
    await expect(page.locator("[data-row]")).to_have_count(1)
    await expect(page.locator("[data-row='0']")).to_contain_text("Company 004")


async def crowd(actor, count):
    """More accounts than one chunk holds, without the seconds that making each would take."""
    await many(actor, 1)
    table = ACCOUNT.table
    columns = [c for c in table.c if c.computed is None and c.name not in ("id", "name", "sort_key")]
    rows = sa.func.generate_series(1, count - 1).table_valued("n").render_derived()
    name = sa.func.concat("Company ", rows.c.n)
    more = sa.select(sa.func.gen_random_uuid(), name, sa.func.lower(name), *columns).where(
        table.c.name == "Company 000"
    )
    names = ["id", "name", "sort_key", *(c.name for c in columns)]
    async with unit_of_work(actor) as uow:
        await uow.execute(sa.insert(table).from_select(names, more.select_from(table.join(rows, sa.true()))))


async def test_many_go_on_in_the_background_and_are_told(visit, alice):
    await crowd(alice, 2_600)
    page = await visit(alice, "/accounts?cols=name,city")
    await page.locator("[data-row='0'] [data-col='0']").focus()
    await page.keyboard.press("Control+a")
    await expect(bar(page)).to_contain_text("2\u202f600 selected")
    await bar(page).get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Field").select_option("City")
    await dialog.get_by_label("City", exact=True).fill("Linz")
    await dialog.get_by_role("button", name="Edit 2").click()
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await expect(page.get_by_text("2\u202f600 accounts changed")).to_be_visible(timeout=60_000)
    await expect(page.get_by_role("progressbar")).to_have_count(0)
    await expect(page.locator("[data-row='0'] [data-field=city]")).to_have_text("Linz")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_text("2\u202f600 accounts put back")).to_be_visible(timeout=60_000)


async def test_what_is_blocked_is_told_with_its_reason_and_its_link(visit, manager, alice):
    await many(alice, 3)
    async with unit_of_work(alice) as uow:
        found = await records.find(uow, ACCOUNT)
        deal = {
            "name": "Roll-out",
            "account_id": found.rows[0]["id"],
            "amount_minor": 1,
            "expected_close_on": uow.today,
        }
        await records.create(uow, OPPORTUNITY, deal)
    page = await visit(manager, "/accounts")
    await expect(page.locator("tbody tr[data-id]")).to_have_count(3)
    await page.get_by_role("checkbox", name="Select what is shown").click()
    await expect(bar(page)).to_contain_text("3 selected")
    await bar(page).get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Delete 3 accounts").click()
    result = page.get_by_role("dialog", name="2 accounts deleted, 1 blocked")
    await expect(result).to_contain_text("1 opportunity still belongs to this account")
    await expect(result.get_by_role("link", name="Company 000")).to_be_visible()
    async with page.expect_download() as download:
        await result.get_by_role("link", name="Download the list").click()
    text = (await (await download.value).path()).read_text("utf-8-sig")
    assert re.search(r"Company 000,.*/accounts/.*still belong", text)
    await result.get_by_role("button", name="Undo").click()
    await expect(page.get_by_text("2 accounts put back")).to_be_visible()


async def test_on_a_phone_tags_are_added(visit, alice):
    await many(alice, 3)
    page = await visit(alice, "/accounts", viewport=PHONE, has_touch=True, is_mobile=True)
    await page.get_by_role("checkbox", name="Select Company 001").tap()
    await bar(page).get_by_role("button", name="Edit").tap()
    dialog = page.get_by_role("dialog", name="Edit 1 account")
    await dialog.get_by_label("Field").select_option("Tags")
    await dialog.get_by_label("Tags", exact=True).fill("vip")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await dialog.get_by_role("button", name="Edit 1 account").tap()
    await expect(page.get_by_text("1 account changed")).to_be_visible()


async def test_a_list_is_exported_as_it_is_shown(visit, manager, alice):
    await many(alice, 3, city="Graz")
    page = await visit(manager, "/accounts?cols=name,city&sort=-name")
    await expect(page.locator("tbody tr[data-id]")).to_have_count(3)
    await page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export 3 accounts")
    await dialog.get_by_text("CSV, for programs").click()
    async with page.expect_download() as download:
        await dialog.get_by_role("button", name="Export 3 accounts").click()
    found = await download.value
    assert found.suggested_filename.startswith("accounts-")
    text = (await found.path()).read_text("utf-8-sig")
    assert text.splitlines() == ["Name,City", *(f"Company 00{n},Graz" for n in (2, 1, 0))]
    await page.goto("/exports")
    await expect(page.get_by_text(found.suggested_filename)).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download").click()
    assert (await (await download.value).path()).read_text("utf-8-sig") == text
    await page.get_by_role("button", name=f"Delete {found.suggested_filename}").click()
    await expect(page.get_by_text("No exports yet")).to_be_visible()


async def test_an_export_is_cancelled_and_the_audit_log_is_taken_along(visit, admin):
    async with unit_of_work(admin) as uow:  # as one that a worker has not begun
        name = "accounts-long.csv"
        await exporting.ask(uow, "account", "csv", name=name, view={}, total=100, operation_id=new_id())
    page = await visit(admin, "/exports")
    await expect(page.get_by_role("progressbar", name="accounts-long.csv is being written")).to_be_visible()
    await page.get_by_role("button", name="Cancel accounts-long.csv").click()
    await expect(page.get_by_text("The export is cancelled")).to_be_visible()
    await expect(page.get_by_text("No exports yet")).to_be_visible()
    await many(admin, 2, city="Graz")
    await page.goto("/settings/audit?what=account&act=create")
    await expect(page.get_by_role("button", name="Company 001")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export").click()
    text = (await (await download.value).path()).read_text("utf-8-sig")
    assert text.startswith("When (UTC),Who,Kind,Record,") and "Company 001" in text and "Graz" in text
