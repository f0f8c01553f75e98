"""Narrowing the board: the address holds it, so a reload and a link show the same."""

import re
from datetime import timedelta

from playwright.async_api import Page, expect

from crm_app.core.clock import utcnow
from crm_app.services.sales.board import WINDOW
from tests.e2e.board import open_board
from tests.services.sales.deals import a_deal, stage_ids


async def narrow(page: Page, **given: str) -> None:
    await page.get_by_role("button", name="Filter", exact=True).click()
    form = page.get_by_role("dialog", name="Filter the board")
    for label, value in given.items():
        await form.get_by_label(label.replace("_", " ")).fill(value)
    await form.get_by_role("button", name="Show").click()


async def test_by_text_value_close_date_and_tag(visit, alice):
    today = alice.day_of(utcnow())
    await a_deal(alice, "Small", amount_minor=100_000, tags=["pilot"])
    await a_deal(alice, "Large", amount_minor=5_000_000, account="Globex")
    await a_deal(alice, "Far", amount_minor=900_000, expected_close_on=today + timedelta(days=200))
    page = await visit(alice)
    board = await open_board(page)
    await board.shows("Qualify", "Far", "Large", "Small")
    await narrow(page, Contains="globex")
    await board.shows("Qualify", "Large")
    await board.shows_figures("Qualify", 1, "€ 50 k")
    await page.get_by_role("button", name=re.compile("^Remove.*Contains")).click()
    await board.shows("Qualify", "Far", "Large", "Small")
    await narrow(page, Value_from="5 000", Value_until="10000")
    await board.shows("Qualify", "Far")
    await narrow(page, Value_from="", Value_until="", Close_date_until=(today + timedelta(days=60)).isoformat())
    await board.shows("Qualify", "Large", "Small")
    await narrow(page, Tag="pilot")
    await board.shows("Qualify", "Small")
    await page.reload()
    await board.shows("Qualify", "Small")
    await page.go_back()
    await board.shows("Qualify", "Large", "Small")


async def test_by_owner_and_health_and_a_shared_link(visit, alice, bob, manager):
    await a_deal(alice, "Hers")
    await a_deal(bob, "His")
    page = await visit(manager)
    board = await open_board(page)
    await board.shows("Qualify", "His", "Hers")
    await page.get_by_role("button", name="Filter", exact=True).click()
    form = page.get_by_role("dialog", name="Filter the board")
    await form.get_by_label("Bob").check()
    await form.get_by_label("No next step").check()
    await form.get_by_role("button", name="Show").click()
    await board.shows("Qualify", "His")
    await expect(page.get_by_text("Bob").first).to_be_visible()

    colleague = await open_board(await visit(bob, page.url))
    await colleague.shows("Qualify", "His")

    await page.get_by_role("button", name="Filter", exact=True).click()
    await form.get_by_role("button", name="Clear all").click()
    await board.shows("Qualify", "His", "Hers")


async def test_nothing_fits(visit, alice):
    await a_deal(alice, "Roll-out")
    page = await visit(alice, "/pipeline?q=zzz")
    await expect(page.get_by_text("No deal fits these filters")).to_be_visible()
    await page.get_by_role("button", name="Clear all filters").click()
    await (await open_board(page)).shows("Qualify", "Roll-out")


async def test_a_move_out_of_the_filter_and_a_colleagues_new_deal_respect_it(visit, alice, bob):
    await a_deal(alice, "Roll-out")
    board = await open_board(await visit(alice, "/pipeline?q=roll"))
    await board.shows("Qualify", "Roll-out")
    await a_deal(bob, "Something else")
    await a_deal(bob, "Rolling on")
    await board.shows("Qualify", "Rolling on", "Roll-out")
    await board.shows_figures("Qualify", 2, "€ 20 k")


async def test_a_long_column_comes_in_pages_without_duplicates(visit, alice, bob):
    stages = await stage_ids(alice)
    names = [f"Deal {n:02}" for n in range(40)]
    for name in reversed(names):
        await a_deal(alice, name)
    moved = await a_deal(alice, "On top", stage_id=stages["Proposal"])
    page = await visit(alice)
    board = await open_board(page)
    await expect(board.titles("Qualify")).to_have_count(WINDOW)
    await expect(board.stage("Qualify").locator("header .pill")).to_have_text("40")
    await board.drag("Deal 00", "Proposal")  # a card fewer above, before the next page comes
    await expect(board.notice("Deal 00 moved")).to_be_visible()
    await board.titles("Qualify").last.scroll_into_view_if_needed()
    await expect(board.titles("Qualify")).to_have_count(39)
    await board.shows("Qualify", *names[1:])
    await expect(board.stage("Qualify").locator("header .pill")).to_have_text("39")
    assert moved
