"""The page of a deal: fields in place, stages, people, products, the log; alone and with a colleague."""

import re

from playwright.async_api import Locator, Page, expect

from crm_app.models.customers.contacts import CONTACT
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.models.sales.pipelines import STAGE
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.e2e.board import open_board
from tests.e2e.browsing import PHONE
from tests.services.sales.deals import a_deal, read_deal, stage_ids


async def open_deal(visit, who, deal, query: str = "", **options) -> Page:
    page = await visit(who, f"/opportunities/{deal.id}{query}", **options)
    await expect(page.get_by_role("heading", level=1)).to_have_text(deal.name)
    await expect(page.locator("#timeline")).to_contain_text("Created in")  # all parts of the page are there
    return page


def field(page: Page, name: str) -> Locator:
    return page.locator(f"[data-field={name}]")


def value(page: Page, name: str) -> Locator:
    """What is saved: while a field is being saved it shows what was typed already."""
    return field(page, name).locator(".val:not([aria-busy]) .shown")


async def edit(page: Page, name: str, text: str, *, key: str = "Enter") -> None:
    await field(page, name).locator(".val").click()
    await field(page, name).locator("input, textarea").fill(text)
    if key:
        await page.keyboard.press(key)


async def test_a_field_is_edited_where_it_stands(visit, alice):
    deal = await a_deal(alice)
    page = await open_deal(visit, alice, deal)
    await edit(page, "next_step", "Send the prices")
    await expect(value(page, "next_step")).to_have_text("Send the prices")
    await expect(field(page, "next_step").get_by_role("status").last).to_have_text("Next step saved")
    await expect(field(page, "next_step").locator("button.val")).to_be_focused()  # the keyboard goes on from here

    await edit(page, "amount_minor", "12k")
    await expect(value(page, "amount_minor")).to_have_text("€ 12 000")
    await expect(page.locator(".kpis")).to_contain_text("€ 1 200")  # weighted follows

    await edit(page, "next_step", "Never mind", key="Escape")
    await expect(value(page, "next_step")).to_have_text("Send the prices")
    assert (await read_deal(alice, deal.id))["amount_minor"] == 1_200_000


async def test_what_was_typed_survives_a_refusal(visit, alice):
    deal = await a_deal(alice)
    page = await open_deal(visit, alice, deal)
    await edit(page, "amount_minor", "a lot")
    await expect(field(page, "amount_minor").get_by_role("alert")).to_contain_text("is not an amount")
    box = field(page, "amount_minor").locator("input")
    await expect(box).to_have_value("a lot")
    await box.fill("900")
    await field(page, "amount_minor").get_by_role("button", name="Retry").click()
    await expect(value(page, "amount_minor")).to_have_text("€ 900")


async def test_two_in_the_same_field_and_in_different_ones(visit, alice, bob):
    deal = await a_deal(alice)
    hers, his = await open_deal(visit, alice, deal), await open_deal(visit, bob, deal)
    await expect(hers.get_by_role("img", name="Here now: Bob")).to_be_visible()
    await edit(hers, "next_step", "Hers", key="")
    await edit(his, "campaign", "Spring")
    await edit(his, "next_step", "His")
    await expect(field(hers, "next_step")).to_contain_text("Meanwhile: His")
    await expect(value(hers, "campaign")).to_have_text("Spring")
    await expect(field(hers, "next_step").locator("input")).to_have_value("Hers")
    await hers.keyboard.press("Enter")
    await expect(field(hers, "next_step").get_by_role("alert")).to_contain_text("Bob changed this in the meantime.")
    dialog = hers.get_by_role("dialog", name="Which value shall stand?")
    await expect(dialog.get_by_role("radio", name="Now, by Bob")).to_be_visible()
    await dialog.get_by_role("button", name="Save choice").click()
    await expect(value(his, "next_step")).to_have_text("Hers")
    row = await read_deal(alice, deal.id)
    assert (row["next_step"], row["campaign"]) == ("Hers", "Spring")


async def test_taking_the_other_value(visit, alice, bob):
    deal = await a_deal(alice)
    page = await open_deal(visit, alice, deal)
    await edit(page, "next_step", "Hers", key="")
    async with unit_of_work(bob) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"next_step": "His"})
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Which value shall stand?")
    await dialog.get_by_role("radio", name="Now, by Bob").check()
    await dialog.get_by_role("button", name="Save choice").click()
    await expect(value(page, "next_step")).to_have_text("His")


async def test_the_history_of_a_field_by_pointer_and_by_keyboard(visit, alice, bob):
    deal = await a_deal(alice)
    async with unit_of_work(bob) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"amount_minor": 300_00})
    page = await open_deal(visit, alice, deal)
    label, card = field(page, "amount_minor").locator(".was"), field(page, "amount_minor").locator(".history")
    await label.hover()
    await expect(card).to_contain_text("Bob")
    await expect(card.locator("li").first).to_contain_text("€ 10 000")
    await page.mouse.move(5, 5)
    await expect(card).to_be_hidden()
    await label.focus()
    await page.keyboard.press("Enter")
    await expect(card).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(card).to_be_hidden()
    await expect(label).to_be_focused()


async def test_a_stage_is_pressed_and_the_step_taken_back(visit, alice):
    deal = await a_deal(alice)
    page = await open_deal(visit, alice, deal)
    bar = page.get_by_role("list", name="Stages with days spent")
    await bar.get_by_role("button", name="Qualify").focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await expect(bar.get_by_role("button", name="Proposal")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(bar.locator("[aria-current=step]")).to_contain_text("Proposal")
    await page.locator(".notice").get_by_role("button", name="Undo").click()
    await expect(bar.locator("[aria-current=step]")).to_contain_text("Qualify")


async def test_the_gate_leads_to_its_fields_and_the_dialog_asks_for_the_rest(visit, admin, alice):
    deal, stages = await a_deal(alice), await stage_ids(alice)
    async with unit_of_work(admin) as uow:
        await records.update(uow, STAGE, stages["Discovery"], {"required_fields": ["next_step", "campaign"]})
    page = await open_deal(visit, alice, deal)
    await page.get_by_role("button", name="Add next step").click()
    await expect(field(page, "next_step").locator("input")).to_be_focused()
    await page.keyboard.type("Call them")
    await page.keyboard.press("Enter")
    await expect(page.locator("#details").get_by_text("1 of 2")).to_be_visible()
    await page.get_by_role("button", name="Discovery").click()
    dialog = page.get_by_role("dialog", name="Move to Discovery")
    await expect(dialog.get_by_role("textbox")).to_have_count(1)
    await dialog.get_by_label("Campaign").fill("Spring")
    await dialog.get_by_role("button", name="Move to Discovery").click()
    await expect(page.locator("[aria-current=step]")).to_contain_text("Discovery")


async def test_winning_and_opening_again(visit, alice):
    deal = await a_deal(alice)
    page = await open_deal(visit, alice, deal)
    await page.locator(".opp-acts").get_by_role("button", name="Won").click()
    await page.get_by_role("dialog", name="Mark as won").get_by_role("button", name="Mark as won").click()
    await expect(page.locator(".opp-head")).to_contain_text("Won on")
    await page.get_by_role("button", name="Reopen").click()
    await expect(page.locator("[aria-current=step]")).to_contain_text("Qualify")


async def test_the_log_keeps_a_draft_and_reaches_the_colleague(visit, alice, bob):
    deal = await a_deal(alice)
    async with unit_of_work(alice) as uow:
        person = {"first_name": "Ida", "last_name": "Berg", "account_id": deal.account_id}
        await records.create(uow, CONTACT, person)
    hers, his = await open_deal(visit, alice, deal), await open_deal(visit, bob, deal)
    await expect(hers.get_by_label("With whom")).to_be_visible()
    await hers.keyboard.press("l")
    box = hers.get_by_role("textbox", name="What was said?")
    await expect(box).to_be_focused()
    await box.fill("Budget is fine")
    await hers.get_by_label("With whom").select_option(label="Ida Berg")
    await hers.get_by_label("Minutes").fill("14")
    await hers.reload()
    await expect(box).to_have_value("Budget is fine")
    await expect(hers.get_by_label("Minutes")).to_have_value("14")
    await box.focus()
    await hers.keyboard.press("Control+Enter")
    for page in (hers, his):
        entry = page.locator(".tl li").filter(has_text="Call with Ida Berg, 14 min")
        await expect(entry).to_contain_text("Budget is fine")
    await expect(box).to_have_value("")
    await hers.reload()
    await expect(box).to_have_value("")


async def test_a_task_is_planned_done_and_seen_as_the_next_activity(visit, alice):
    deal = await a_deal(alice)
    page = await open_deal(visit, alice, deal)
    await expect(page.locator(".nba")).to_contain_text("No next step: plan one")
    await page.get_by_role("button", name="Plan a task").click()
    await page.get_by_role("textbox", name="What is to be done?").fill("Send prices")
    await page.get_by_role("button", name="Plan task").click()
    await expect(page.locator(".nba")).to_contain_text("Send prices")
    await page.locator(".nba").get_by_role("button", name="Done").click()
    await expect(page.locator(".nba")).to_contain_text("No next step: plan one")
    await expect(page.locator(".tl").first).to_contain_text("Send prices")


async def test_people_and_products(visit, admin, alice):
    deal = await a_deal(alice, amount_minor=1_00)
    page = await open_deal(visit, alice, deal)
    await page.get_by_role("button", name="Add person").click()
    dialog = page.get_by_role("dialog", name="Add person")
    await dialog.get_by_role("combobox", name="Person").fill("Ida Berg")
    await dialog.get_by_role("option", name="Create “Ida Berg”").click()
    await dialog.get_by_label("Part in the deal").select_option(label="Decides")
    await dialog.get_by_role("button", name="Add person").click()
    await expect(page.locator(".item").filter(has_text="Ida Berg")).to_contain_text("Decides")

    await page.get_by_role("button", name="Add product").click()
    dialog = page.get_by_role("dialog", name="Add product")
    await dialog.get_by_role("combobox", name="Product").fill("Robots")
    await dialog.get_by_role("option", name="Create “Robots”").click()
    await dialog.get_by_label("Quantity").fill("3")
    await dialog.get_by_label("Price of one").fill("1200.50")
    await dialog.get_by_role("button", name="Add product").click()
    await page.get_by_role("button", name="Set amount to € 3 601.50").click()
    await expect(value(page, "amount_minor")).to_have_text("€ 3 601.50")
    await page.get_by_role("button", name="Remove Robots").click()
    await page.locator(".notice").get_by_role("button", name="Undo").click()
    await expect(page.locator(".deal-lines")).to_contain_text("Robots")


async def test_next_and_previous_through_the_filtered_column(visit, alice):
    for number in (1, 2, 3):
        await a_deal(alice, f"Deal {number}", amount_minor=number * 100_00)
    page = await visit(alice, "/pipeline?min=150")
    board = await open_board(page)
    await board.card("Deal 3").get_by_role("link", name="Deal 3").click()
    heading = page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("Deal 3")
    await expect(page.locator(".opp-acts")).to_contain_text("1 of 2")
    await page.keyboard.press("j")
    await expect(heading).to_have_text("Deal 2")
    await expect(page.locator(".opp-acts")).to_contain_text("2 of 2")
    await page.keyboard.press("k")
    await expect(heading).to_have_text("Deal 3")
    await page.get_by_role("navigation", name="Path").get_by_role("link", name="Qualify").click()
    await expect(page).to_have_url(re.compile("min=150"))


async def test_on_a_phone_one_panel_at_a_time(visit, alice):
    deal = await a_deal(alice, "A deal with a rather long name that does not fit into one line of a phone")
    page = await open_deal(visit, alice, deal, viewport=PHONE, has_touch=True, is_mobile=True)
    tabs = page.get_by_role("navigation", name="Parts of the deal")
    for tab, panel in (("Details", "#details"), ("Timeline", "#timeline"), ("Deal", "#deal")):
        await tabs.get_by_role("link", name=tab).tap()
        await expect(page.locator(panel)).to_be_visible()
        await expect(page.locator(".three > :visible")).to_have_count(1)
        await expect(page).to_have_url(re.compile(f"{panel}$"))
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await tabs.get_by_role("link", name="Timeline").tap()
    await page.reload()
    await expect(page.locator("#timeline")).to_be_visible()
    await expect(tabs.locator("[aria-current]")).to_contain_text("Timeline")


async def test_a_reader_sees_plain_values(visit, alice, reader):
    deal = await a_deal(alice, next_step="Call them")
    page = await open_deal(visit, reader, deal)
    await expect(field(page, "next_step")).to_contain_text("Call them")
    await expect(page.locator("button.val, .composer")).to_have_count(0)
    for name in ("Won", "Lost", "Add person", "Add product"):
        await expect(page.locator("main").get_by_role("button", name=name, exact=True)).to_have_count(
            1 if name == "Won" else 0  # the stage of that name, which tells
        )


async def test_strangers_find_nothing(visit, alice, carol, mallory):
    deal = await a_deal(alice)
    for stranger in (carol, mallory):
        page = await visit(stranger, f"/opportunities/{deal.id}")
        await expect(page.get_by_role("heading", name="This deal is not here")).to_be_visible()
        assert "Roll-out" not in await page.content()


async def test_the_number_is_copied(visit, alice):
    deal = await a_deal(alice)
    page = await open_deal(visit, alice, deal, permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Copy number").click()
    await expect(page.get_by_role("button", name="Copy number")).to_have_attribute("data-done", "")
    assert await page.evaluate("navigator.clipboard.readText()") == deal.number


async def test_a_deleted_deal_comes_back(visit, admin):
    deal = await a_deal(admin)
    page = await open_deal(visit, admin, deal)
    await page.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete deal")
    await dialog.get_by_role("textbox").fill("Entered twice")
    await dialog.get_by_role("button", name="Delete deal").click()
    await expect(page).to_have_url(re.compile("/pipeline"))
    await page.locator(".notice").get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(deal.name)
    assert (await read_deal(admin, deal.id))["deleted_at"] is None
