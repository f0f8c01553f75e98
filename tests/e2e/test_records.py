"""Pages of accounts, contacts and products, and the way to them."""

import re

from playwright.async_api import expect

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.e2e.browsing import PHONE
from tests.services.sales.deals import a_deal


async def accounts(actor, *names):
    async with unit_of_work(actor) as uow:
        return [await records.create(uow, ACCOUNT, {"name": n, "industry": "Machines"}) for n in names]


async def test_from_an_empty_list_to_a_company_with_a_person(visit, alice):
    page = await visit(alice, "/accounts")
    await expect(page.get_by_role("heading", name="No accounts yet")).to_be_visible()
    await page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="New account")
    await dialog.get_by_role("button", name="Create").click()
    await expect(dialog.get_by_text("Name is required.")).to_be_visible()
    await dialog.get_by_label("Name").fill("Kessler")
    await dialog.get_by_text("More fields").click()
    await dialog.get_by_label("Annual revenue").fill("12M")
    await dialog.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Kessler")
    await expect(page.locator("[data-field=annual_revenue_minor]")).to_contain_text("€ 12 000 000")

    await page.locator(".card").filter(has_text="People").get_by_role("button", name="Add").click()
    dialog = page.get_by_role("dialog", name="New contact")
    await dialog.get_by_label("Last name").fill("Berg")
    await dialog.get_by_role("button", name="Create").click()
    await page.locator(".card").filter(has_text="People").get_by_role("link", name="Berg").click()
    await expect(page).to_have_url(re.compile("/contacts/"))
    await expect(page.locator("[data-field=account_id]")).to_contain_text("Kessler")
    await page.locator(".record-title").get_by_role("link", name="Kessler").click()
    tabs = page.get_by_role("navigation", name="Parts of the account")
    await tabs.get_by_role("link", name="People 1").click()
    await expect(page.get_by_role("region", name="All people")).to_contain_text("Berg")
    await page.locator("[data-field=city] .val").click()
    await page.keyboard.type("Linz")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-field=city]").get_by_role("status").last).to_have_text("City saved")
    await tabs.get_by_role("link", name="History").click()
    await expect(page.get_by_role("row").filter(has_text="Linz")).to_contain_text("Alice")
    await page.reload()
    await expect(page.get_by_role("row").filter(has_text="Linz")).to_be_visible()  # the address holds the tab


async def test_search_and_sort_live_in_the_address(visit, alice):
    await accounts(alice, "Kessler", "Kestrel", "Zeta")
    page = await visit(alice, "/accounts")
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(3)
    await page.keyboard.press("/")
    await page.keyboard.type("kes")
    await expect(rows).to_have_count(2)
    await expect(page).to_have_url(re.compile(r"\?q=kes"))
    await page.get_by_role("columnheader", name="Name").get_by_role("button").click()
    await expect(rows.first).to_contain_text("Kestrel")
    await page.reload()
    await expect(rows.first).to_contain_text("Kestrel")
    await expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "descending")


async def test_a_colleagues_account_appears_by_itself(visit, alice, bob):
    page = await visit(alice, "/accounts")
    await expect(page.get_by_role("heading", name="No accounts yet")).to_be_visible()
    await accounts(bob, "Kessler")
    await expect(page.locator("tbody tr")).to_contain_text("Kessler")


async def test_an_account_shows_its_deals_and_keeps_its_log(visit, alice):
    deal = await a_deal(alice, account="Kessler")
    page = await visit(alice, f"/accounts/{deal.account_id}")
    await expect(page.locator(".card").filter(has_text="Open deals")).to_contain_text("Roll-out")
    await page.get_by_role("tab", name="Note").click()
    await page.get_by_role("textbox", name="What is worth knowing?").fill("They moved to Linz")
    await page.get_by_role("button", name="Log note").click()
    await expect(page.locator(".tl")).to_contain_text("They moved to Linz")
    await page.locator(".kpis").get_by_role("link", name="€ 10 000").click()
    await expect(page).to_have_url(re.compile("/opportunities[?]filter="))
    await expect(page.locator("tbody tr")).to_contain_text("Roll-out")
    await page.go_back()
    await page.locator(".card").filter(has_text="Open deals").get_by_role("link", name="Roll-out").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Roll-out")


async def test_two_people_change_one_record_and_nothing_is_lost(visit, alice, bob):
    (kessler,) = await accounts(alice, "Kessler")
    hers, his = await visit(alice, f"/accounts/{kessler.id}"), await visit(bob, f"/accounts/{kessler.id}")

    async def type_into(page, name, text, *, key="Enter"):
        await page.locator(f"[data-field={name}] .val").click()
        await page.locator(f"[data-field={name}] :is(input, textarea)").fill(text)
        if key:
            await page.keyboard.press(key)

    async def stands(page, name, text):
        await expect(page.locator(f"[data-field={name}] .val .shown")).to_have_text(text)

    # in different fields: both stand, without a word
    await type_into(hers, "city", "Linz", key="")
    await type_into(his, "country", "Austria")
    await stands(hers, "country", "Austria")
    await expect(hers.locator("[data-field=city] input")).to_have_value("Linz")
    await hers.keyboard.press("Enter")
    await stands(his, "city", "Linz")

    # in the same field: she is asked, and takes what was there before
    await type_into(hers, "city", "Graz", key="")
    await type_into(his, "city", "Wien")
    await expect(hers.locator("[data-field=city]")).to_contain_text("Meanwhile: Wien")
    await hers.keyboard.press("Enter")
    dialog = hers.get_by_role("dialog", name="Which value shall stand?")
    for choice, text in (("Yours", "Graz"), ("Now, by Bob", "Wien"), ("Before, as you saw it", "Linz")):
        await expect(dialog.get_by_role("radio", name=choice)).to_be_visible()
        await expect(dialog.locator(".reason", has_text=choice)).to_contain_text(text)
    await dialog.get_by_role("button", name="Decide later").click()
    await expect(hers.locator("[data-field=city] input")).to_have_value("Graz")
    await hers.locator("[data-field=city]").get_by_role("button", name="Compare").click()
    await dialog.get_by_role("radio", name="Before").check()
    await dialog.get_by_role("button", name="Save choice").click()
    await stands(his, "city", "Linz")
    await stands(hers, "city", "Linz")

    # in a long text both may stand
    await type_into(hers, "description", "She was there", key="")
    await type_into(his, "description", "He called", key="Control+Enter")
    await expect(hers.locator("[data-field=description]")).to_contain_text("Meanwhile: He called")
    await hers.keyboard.press("Control+Enter")
    await dialog.get_by_role("radio", name="Both").check()
    await dialog.get_by_role("button", name="Save choice").click()
    await stands(his, "description", "He called\nShe was there")
    await hers.get_by_role("navigation", name="Parts of the account").get_by_role("link", name="History").click()
    for told in ("Wien", "Linz", "Austria", "He called"):
        await expect(hers.get_by_role("row").filter(has_text=told).first).to_be_visible()


async def test_two_people_change_one_cell_of_a_list(visit, alice, bob):
    (kessler,) = await accounts(alice, "Kessler")
    page = await visit(alice, "/accounts")
    cell = page.locator("[data-row='0'] [data-field=industry]")
    await cell.focus()
    await page.keyboard.press("Enter")
    await page.locator(".cell-edit input").fill("Paper")
    async with unit_of_work(bob) as uow:
        await records.update(uow, ACCOUNT, kessler.id, {"industry": "Steel"})
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Which value shall stand?")
    await expect(dialog.locator(".reason", has_text="Before")).to_contain_text("Machines")
    await dialog.get_by_role("button", name="Save choice").click()
    await expect(cell).to_contain_text("Paper")


async def test_a_record_is_deleted_restored_and_deleted_for_good(visit, admin):
    deal = await a_deal(admin, account="Kessler")
    async with unit_of_work(admin) as uow:
        berg = await records.create(uow, CONTACT, {"last_name": "Berg", "account_id": deal.account_id})
        await records.update(uow, OPPORTUNITY, deal.id, {"primary_contact_id": berg.id})
    page = await visit(admin, f"/accounts/{deal.account_id}")

    async def ask():
        await page.get_by_role("button", name="More actions").click()
        await page.get_by_role("menuitem", name="Delete").click()

    await ask()
    dialog = page.get_by_role("dialog", name="Delete account")
    await expect(dialog).to_contain_text("1 opportunity needs this account. Move or delete it first.")
    await expect(dialog.get_by_role("button", name="Delete account")).to_have_count(0)
    await dialog.get_by_role("button", name="Keep").click()

    await page.goto(f"/contacts/{berg.id}")
    await ask()
    dialog = page.get_by_role("dialog", name="Delete contact")
    await expect(dialog).to_contain_text("1 opportunity lets go of it, and gets it back when it returns.")
    await dialog.get_by_role("button", name="Delete contact").click()
    await expect(page).to_have_url(re.compile("/contacts$"))
    await page.locator(".notice").get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Berg")
    await ask()
    await dialog.get_by_role("button", name="Delete contact").click()
    await expect(page).to_have_url(re.compile("/contacts$"))

    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Trash").click()
    row = page.get_by_role("row").filter(has_text="Berg")
    await expect(row).to_contain_text("30 days")
    await page.get_by_label("Kind of record").select_option(label="Accounts")
    await expect(page.get_by_text("Nothing here")).to_be_visible()
    await page.get_by_label("Kind of record").select_option(label="Contacts")
    await row.get_by_role("button", name="Restore Berg").click()
    await expect(page.get_by_text("Nothing here")).to_be_visible()
    async with unit_of_work(admin) as uow:
        assert (await records.read(uow, OPPORTUNITY, deal.id)).primary_contact_id == berg.id
        await records.delete(uow, CONTACT, berg.id)
    await row.get_by_role("button", name="Delete for good: Berg").click()
    dialog = page.get_by_role("dialog", name="Delete for good")
    await dialog.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_text("Berg is gone for good")).to_be_visible()
    await expect(row).to_have_count(0)


async def test_keys_lead_through_the_list_one_came_from(visit, alice):
    first, _, last = await accounts(alice, "Alpha", "Beta", "Gamma")
    page = await visit(alice, "/accounts?sort=-name")
    await expect(page.locator("tbody tr")).to_have_count(3)
    await page.goto(f"/accounts/{last.id}")  # the tab remembers the list
    heading = page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("Gamma")
    await expect(page.get_by_text("1 of 3")).to_be_visible()
    await page.keyboard.press("j")
    await expect(heading).to_have_text("Beta")
    await page.reload()
    await expect(page.get_by_text("2 of 3")).to_be_visible()
    await page.keyboard.press("j")
    await expect(page).to_have_url(re.compile(str(first.id)))
    await expect(page.get_by_text("3 of 3")).to_be_visible()
    await page.get_by_role("link", name="Previous account").click()
    await expect(heading).to_have_text("Beta")


async def test_on_a_phone(visit, alice):
    (kessler,) = await accounts(alice, "Kessler & Wohlgemuth Maschinenbau Gesellschaft mit beschränkter Haftung")
    page = await visit(alice, "/accounts", viewport=PHONE, has_touch=True, is_mobile=True)
    await expect(page.locator("tbody tr")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.goto(f"/accounts/{kessler.id}")
    tabs = page.get_by_role("navigation", name="Parts of the account")
    for tab in ("Timeline", "Opportunities", "People", "Details", "History", "Overview"):
        await tabs.get_by_role("link", name=tab).tap()
        await expect(page.locator(".record > :visible")).to_have_count(1)
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
