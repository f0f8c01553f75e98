"""Fields of one's own in the browser: several choices as chips, moments where one lives, formulas that sort and sum."""

import re

from playwright.async_api import expect

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import custom_fields, records
from crm_app.store.uow import unit_of_work
from tests.e2e.axe import ALL, AXE, RUN
from tests.e2e.browsing import DESK, PHONE


async def prepared(admin):
    async with unit_of_work(admin) as uow:
        colors = [{"label": "Gold", "color": "3"}, {"label": "Silver"}, {"label": "Tin"}]
        await custom_fields.create(uow, "account", label="Likes", kind="choices", choices=colors)
        await custom_fields.create(uow, "account", label="Visit", kind="datetime", required=True)
        await custom_fields.create(uow, "account", label="Seats", kind="number")
    async with unit_of_work(admin) as uow:
        await custom_fields.create(uow, "account", label="Per seat", kind="formula", formula="{Employees} / {Seats}")
    async with unit_of_work(admin) as uow:
        for name, employees, seats in (("Acme", 30, 4), ("Berg", 7, 7), ("Cobb", 9, None)):
            values = {"name": name, "employees": employees, "custom.seats": seats, "tags": ["vip"]}
            await records.create(uow, ACCOUNT, {**values, "custom.visit": uow.now})


async def clean(page):
    """axe finds nothing, light and dark, at a desk and on a phone; nothing sticks out."""
    await page.evaluate(AXE)
    for size in (PHONE, DESK):
        await page.set_viewport_size(size)
        assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            await expect(page.locator("html")).to_have_class(re.compile(scheme))
            assert await page.evaluate(RUN, ALL) == []
    await page.emulate_media(color_scheme="light")


async def test_chips_moments_and_formulas(visit, admin, manager):
    await prepared(admin)
    page = await visit(manager, "/accounts?cols=name,custom.per_seat,custom.likes,custom.visit,tags")
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(3)
    head = page.get_by_role("columnheader", name="Per seat")
    await head.get_by_role("button").first.click()
    await expect(head).to_have_attribute("aria-sort", "ascending")
    await expect(rows.first).to_contain_text("Berg")
    await head.get_by_role("button").first.click()
    await expect(rows.first).to_contain_text("Acme")
    await expect(rows.last).to_contain_text("Cobb")
    await expect(page.locator("tfoot")).to_contain_text("8.5")

    await page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="New account")
    await dialog.get_by_label("Name", exact=True).fill("Dorn")
    await dialog.get_by_label("Visit").fill("2027-03-01T09:30")
    await dialog.get_by_text("More fields").click()
    likes = dialog.get_by_role("combobox", name="Likes")
    await likes.focus()
    await page.keyboard.type("si")
    await expect(page.get_by_role("option", name="Silver")).to_be_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")  # what is left
    await page.keyboard.press("Enter")
    await page.keyboard.type("tin")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("button", name="Remove Tin")).to_be_visible()
    await page.keyboard.press("Backspace")
    await expect(dialog.get_by_role("button", name="Remove Tin")).to_have_count(0)
    tags = dialog.get_by_role("combobox", name="Tags")
    await tags.focus()
    await page.keyboard.type("v")
    await expect(page.get_by_role("option", name=re.compile("vip"))).to_contain_text("3")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.type("brand new;")
    await expect(dialog.get_by_role("button", name="Remove brand new")).to_be_visible()
    await clean(page)
    await dialog.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dorn")
    shown = page.locator("[data-field='custom.likes']")
    await expect(shown.locator(".badge")).to_have_text(["Silver", "Gold"])
    await expect(page.locator("[data-field='custom.visit']")).to_contain_text("09:30")
    await expect(page.locator("[data-field=tags] .badge")).to_have_text(["vip", "brand new"])

    await shown.locator(".val").click()
    await expect(shown.get_by_role("combobox")).to_be_focused()
    await page.evaluate(AXE)
    assert await page.evaluate(RUN, ALL) == []
    await shown.get_by_role("button", name="Remove Silver").click()
    await page.keyboard.type("ti")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(shown.locator(".val .badge")).to_have_text(["Gold", "Tin"])
    moment = page.locator("[data-field='custom.visit']")
    await moment.locator(".val").click()
    await moment.get_by_label("Visit", exact=True).fill("2027-03-02T18:05")
    await page.keyboard.press("Enter")
    await expect(moment.locator(".val")).to_contain_text("18:05")

    await page.set_viewport_size(PHONE)
    await page.emulate_media(color_scheme="dark")
    await page.get_by_role("navigation", name="Parts of the account").get_by_role("link", name="Details").click()
    await shown.locator(".val").click()
    await expect(shown.get_by_role("combobox")).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert await page.evaluate(RUN, ALL) == []
    await page.keyboard.press("Escape")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(DESK)

    await page.goto(page.url.partition("/accounts")[0] + "/accounts?cols=name,custom.likes,custom.visit,tags")
    row = rows.filter(has_text="Dorn")
    await expect(row).to_contain_text("18:05")
    await row.locator("[data-field='custom.likes']").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Enter")
    await expect(row.locator("[data-field='custom.likes'] .badge")).to_have_text(["Gold"])

    page = await visit(admin, "/settings/tags")
    line = page.get_by_role("row").filter(has_text="brand new")
    await line.get_by_role("button", name="Rename brand new").click()
    dialog = page.get_by_role("dialog", name="Rename “brand new”")
    await dialog.get_by_label("New name").fill("key")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("“brand new” is “key” now: 1 record changed")).to_be_visible()
    await page.get_by_role("button", name="Rename key").click()
    dialog = page.get_by_role("dialog", name="Rename “key”")
    await dialog.get_by_label("New name").fill("vip")
    await dialog.get_by_role("button", name="Rename").click()
    await expect(dialog.get_by_role("status")).to_contain_text("“vip” is there already, on 4.")
    await clean(page)
    await dialog.get_by_role("button", name="Join the two").click()
    await expect(page.get_by_role("row")).to_have_count(2)
