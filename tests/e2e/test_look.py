"""On a phone, in the dark, without motion, and by keyboard alone."""

import re

from playwright.async_api import expect

from tests.e2e.board import open_board
from tests.e2e.browsing import PHONE
from tests.services.sales.deals import a_deal, stage_ids

FIRST_COLORS = "document.documentElement.className + ' ' + getComputedStyle(document.body).backgroundColor"


async def test_dark_mode_is_remembered_and_does_not_flash(visit, alice):
    page = await visit(alice)
    await open_board(page)
    light = await page.evaluate(FIRST_COLORS)
    await page.get_by_role("button", name="Alice").click()
    await page.get_by_role("menuitem", name="Dark mode").click()
    await expect(page.locator("html")).to_have_class(re.compile("dark"))
    dark = await page.evaluate(FIRST_COLORS)
    assert light != dark

    await page.add_init_script("""
        window.colors = [];
        const look = () => {
          if (document.body) window.colors.push(getComputedStyle(document.body).backgroundColor);
          if (window.colors.length < 40) requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    """)
    await page.reload()
    await open_board(page)
    await page.evaluate("""() => new Promise(done => {
        const look = () => (window.colors.length >= 10 ? done() : requestAnimationFrame(look));
        look();
    })""")
    shown = set(await page.evaluate("window.colors"))
    assert shown == {dark.split(" ", 1)[1]}, shown
    await page.get_by_role("button", name="Alice").click()
    await page.get_by_role("menuitem", name="Light mode").click()
    await expect(page.locator("html")).not_to_have_class(re.compile("dark"))


async def test_a_dark_system_gets_the_dark_board_at_once(visit, alice):
    page = await visit(alice, color_scheme="dark")
    await open_board(page)
    await expect(page.locator("html")).to_have_class(re.compile("dark"))


async def test_nothing_is_wider_than_a_phone(visit, alice):
    long = "Rahmenvertrag über Hochregallagerkomponentenlieferungsvereinbarungsverlängerungen und mehr"
    await a_deal(alice, long, account="Donaudampfschifffahrt" * 5, amount_minor=123_456_789_00)
    page = await visit(alice, viewport=PHONE, has_touch=True, is_mobile=True)
    board = await open_board(page)
    await expect(board.card(long)).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await board.card(long).get_by_role("link").tap()
    await expect(page.get_by_role("heading", level=1)).to_have_text(long)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await expect(page.get_by_role("navigation", name="Places")).to_be_visible()
    await expect(page.get_by_role("navigation", name="Main")).to_have_count(0)
    await page.get_by_role("button", name="Open menu").tap()
    await page.get_by_role("link", name="Import").click()
    await expect(page).to_have_url(re.compile("/import"))


async def test_a_new_deal_on_a_phone(visit, alice):
    page = await visit(alice, viewport=PHONE, has_touch=True, is_mobile=True)
    board = await open_board(page)
    await page.get_by_role("navigation", name="Places").get_by_role("button", name="New deal").tap()
    await board.dialog.get_by_label("Name").fill("From the train")
    await board.dialog.get_by_role("combobox", name="Account").fill("Globex")
    await board.dialog.get_by_role("option", name="Create “Globex”").tap()
    await board.dialog.get_by_label("Amount").fill("900")
    await board.dialog.get_by_role("button", name="Create deal").tap()
    await board.shows("Qualify", "From the train")


async def test_without_motion_a_dropped_card_is_there_at_once(visit, alice):
    await a_deal(alice, "Roll-out")
    page = await visit(alice, reduced_motion="reduce")
    board = await open_board(page)
    await board.drag("Roll-out", "Proposal")
    assert await page.locator(".deal.drag").count() == 0  # no copy flies to its place
    await board.shows("Proposal", "Roll-out")
    durations = "document.getAnimations().filter(a => a.effect.getTiming().iterations === Infinity).length"
    assert await page.evaluate(durations) == 0


async def test_by_keyboard_alone_from_the_first_tab_to_a_moved_deal(visit, alice):
    stages = await stage_ids(alice)
    await a_deal(alice, "Roll-out")
    await a_deal(alice, "There", stage_id=stages["Contract"])
    page = await visit(alice)
    board = await open_board(page)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    card = board.card("Roll-out")
    for _ in range(12):
        await page.keyboard.press("Tab")
        if await card.evaluate("card => card === document.activeElement"):
            break
    await expect(card).to_be_focused()
    await page.keyboard.press("m")
    menu = page.get_by_role("menu", name="Actions for Roll-out")
    await expect(menu.get_by_role("menuitem", name="Open")).to_be_focused()
    await page.keyboard.type("Move to Con"[:1])
    await page.keyboard.press("End")
    await expect(menu.get_by_role("menuitem", name="Lost")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(card).to_be_focused()
    await page.keyboard.press("m")
    await menu.get_by_role("menuitem", name="Move to Contract").focus()
    await page.keyboard.press("Enter")
    await board.shows("Contract", "Roll-out", "There")
    await expect(card).to_be_focused()


async def test_go_to_places_and_help_by_keys(visit, alice):
    page = await visit(alice)
    await open_board(page)
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys of this page")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Keys of this page")).to_be_hidden()
    await page.keyboard.press("g")
    await page.keyboard.press("i")
    await expect(page).to_have_url(re.compile("/import"))
