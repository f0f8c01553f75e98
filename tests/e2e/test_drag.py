"""A deal is dragged by mouse, by keyboard and by finger, and moved through its menu."""

import re

from playwright.async_api import Page, expect

from tests.e2e.board import BoardPage, open_board
from tests.e2e.browsing import PHONE
from tests.services.sales.deals import a_deal, read_deal, stage_ids


async def stage_of(actor, deal):
    names = {v: k for k, v in (await stage_ids(actor)).items()}
    return names[(await read_deal(actor, deal.id))["stage_id"]]


async def test_by_mouse_into_another_stage_and_back_with_undo(visit, alice):
    deal = await a_deal(alice, "Roll-out", amount_minor=2_000_000)
    board = await open_board(await visit(alice))
    await board.shows_figures("Qualify", 1, "€ 20 k")
    await board.drag("Roll-out", "Proposal")
    await board.shows("Qualify")
    await board.shows("Proposal", "Roll-out")
    await expect(board.notice("Roll-out moved to Proposal")).to_be_visible()
    await board.shows_figures("Proposal", 1, "€ 20 k")
    await board.shows_figures("Qualify", 0, "€ 0")
    assert await stage_of(alice, deal) == "Proposal"

    await board.notice("moved to Proposal").get_by_role("button", name="Undo").click()
    await board.shows("Qualify", "Roll-out")
    await board.shows_figures("Qualify", 1, "€ 20 k")
    assert await stage_of(alice, deal) == "Qualify"


async def test_a_dropped_card_is_seen_to_fly_to_its_place(visit, alice):
    await a_deal(alice, "Roll-out")
    page = await visit(alice)
    board = await open_board(page)
    await page.evaluate("""() => {
      window.flights = [];
      const animate = Element.prototype.animate;
      Element.prototype.animate = function (frames, options) {
        if (this.classList.contains("drag")) flights.push(options.duration);
        return animate.call(this, frames, options);
      };
    }""")
    await board.drag("Roll-out", "Proposal")
    await board.shows("Proposal", "Roll-out")
    assert await page.evaluate("flights") == [240]  # milliseconds, as --slow in tokens.css says


async def test_by_mouse_within_a_column_keeps_the_order(visit, alice):
    for name in ("Third", "Second", "First"):  # a new deal lies on top
        await a_deal(alice, name)
    page = await visit(alice)
    board = await open_board(page)
    await board.shows("Qualify", "First", "Second", "Third")
    await board.drag("First", "Qualify", 2)
    await board.shows("Qualify", "Second", "Third", "First")
    await expect(board.notice("First moved")).to_be_visible()
    await page.reload()
    await board.shows("Qualify", "Second", "Third", "First")


async def test_escape_and_a_drop_beside_the_board_leave_everything_as_it_was(visit, alice):
    deal = await a_deal(alice, "Roll-out")
    page = await visit(alice)
    board = await open_board(page)
    await board.lift("Roll-out")
    await board.carry("Proposal")
    await page.keyboard.press("Escape")
    await page.mouse.up()
    await board.shows("Qualify", "Roll-out")
    await expect(board.said).to_have_text("Roll-out, put back")
    await board.lift("Roll-out")
    await page.mouse.move(700, 20, steps=4)
    await page.mouse.up()
    await board.shows("Qualify", "Roll-out")
    assert (await read_deal(alice, deal.id))["version"] == deal.version
    await expect(page).to_have_url(re.compile("/pipeline"))  # the drag was no click on the deal


async def test_by_keyboard_with_announcements_and_focus(visit, alice):
    deal = await a_deal(alice, "Roll-out")
    await a_deal(alice, "Resting")
    page = await visit(alice)
    board = await open_board(page)
    card = board.card("Roll-out")
    await card.focus()
    await page.keyboard.press("Space")
    await expect(board.said).to_have_text("Roll-out picked up. Qualify, position 2 of 2")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await expect(board.said).to_have_text("Roll-out, Proposal, position 1 of 1")
    await board.shows("Proposal", "Roll-out")
    assert await stage_of(alice, deal) == "Qualify"  # carried, not dropped
    await page.keyboard.press("Enter")
    await expect(board.said).to_have_text("Roll-out, moved to Proposal, position 1 of 1")
    await expect(board.notice("Roll-out moved to Proposal")).to_be_visible()
    await expect(card).to_be_focused()
    assert await stage_of(alice, deal) == "Proposal"

    await page.keyboard.press("Space")
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Escape")
    await expect(board.said).to_have_text("Roll-out, put back")
    await board.shows("Proposal", "Roll-out")
    await expect(card).to_be_focused()


async def test_arrows_walk_between_the_cards(visit, alice):
    stages = await stage_ids(alice)
    await a_deal(alice, "Below")
    await a_deal(alice, "Above")
    await a_deal(alice, "Beside", stage_id=stages["Proposal"])
    page = await visit(alice)
    board = await open_board(page)
    await board.card("Above").focus()
    for key, title in (
        ("ArrowDown", "Below"), ("ArrowRight", "Beside"), ("ArrowLeft", "Above"), ("End", "Below"), ("Home", "Above"),
    ):  # fmt: skip
        await page.keyboard.press(key)
        await expect(board.card(title)).to_be_focused()


async def long_press_and_drag(page: Page, board: BoardPage, title: str, stage: str) -> None:
    line = await page.context.new_cdp_session(page)
    box = await board.card(title).bounding_box()
    at = {"x": box["x"] + 60, "y": box["y"] + box["height"] / 2}

    async def touch(kind: str, *points: dict[str, float]) -> None:
        await line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    await touch("touchStart", at)
    await expect(page.locator(".deal.drag")).to_have_count(1)
    target = await board.stage(stage).bounding_box()
    goal = {"x": target["x"] + target["width"] / 2, "y": target["y"] + 140}
    for part in range(1, 9):
        await touch("touchMove", {k: at[k] + (goal[k] - at[k]) * part / 8 for k in at})
    await expect(board.stage(stage).locator(".slot")).to_be_visible()
    await touch("touchEnd")


async def test_by_finger_after_a_long_press(visit, alice):
    deal = await a_deal(alice, "Roll-out")
    page = await visit(alice, has_touch=True, viewport={"width": 1024, "height": 768})
    board = await open_board(page)
    await long_press_and_drag(page, board, "Roll-out", "Discovery")
    await board.shows("Discovery", "Roll-out")
    await expect(board.notice("Roll-out moved to Discovery")).to_be_visible()
    assert await stage_of(alice, deal) == "Discovery"


async def test_through_the_menu_on_a_phone(visit, alice):
    deal = await a_deal(alice, "Roll-out")
    await a_deal(alice, "Staying")
    page = await visit(alice, viewport=PHONE, has_touch=True, is_mobile=True)
    board = await open_board(page)
    tabs = page.get_by_role("group", name="Stage", exact=True).get_by_role("button")
    await expect(tabs).to_have_count(5)
    await board.card("Roll-out").get_by_role("button", name="Actions for Roll-out").tap()
    await page.get_by_role("menuitem", name="Move to Proposal").tap()
    await expect(board.notice("Roll-out moved to Proposal")).to_be_visible()
    await board.shows("Qualify", "Staying")
    assert await stage_of(alice, deal) == "Proposal"
    await tabs.filter(has_text="Proposal").tap()
    await expect(tabs.filter(has_text="Proposal")).to_have_attribute("aria-current", "true")
    await expect(board.card("Roll-out")).to_be_in_viewport()
    await expect(board.card("Staying")).not_to_be_in_viewport()


async def test_several_at_once(visit, alice):
    stages = await stage_ids(alice)
    for name in ("Four", "Three", "Two", "One"):
        await a_deal(alice, name)
    await a_deal(alice, "There already", stage_id=stages["Negotiation"])
    page = await visit(alice)
    board = await open_board(page)
    await board.card("One").focus()
    await page.keyboard.press("x")
    await board.card("Three").click(modifiers=["Control"], position={"x": 10, "y": 40})
    await expect(page.get_by_role("toolbar", name="2 selected")).to_be_visible()
    await board.drag("One", "Negotiation", 1)
    await board.shows("Negotiation", "There already", "One", "Three")
    await expect(board.notice("2 deals moved to Negotiation")).to_be_visible()
    await expect(page.get_by_role("toolbar", name="2 selected")).to_have_count(0)
    await board.notice("2 deals moved").get_by_role("button", name="Undo").click()
    await board.shows("Qualify", "One", "Two", "Three", "Four")
    await expect(board.notice("2 deals: undone")).to_be_visible()
