"""Saved views of the board in a browser, and a colleague's tab meanwhile."""

import re

from playwright.async_api import expect

from tests.e2e.board import open_board
from tests.e2e.test_filters import narrow
from tests.services.sales.deals import a_deal


async def test_a_view_of_the_board_is_kept_changed_put_back_and_seen_by_a_colleague(visit, alice, bob):
    await a_deal(alice, "Pilot", tags=["pilot"])
    await a_deal(alice, "Pilot of a friend", tags=["pilot"])
    await a_deal(alice, "Something else")
    page, his = await visit(alice), await visit(bob)
    board, colleague = await open_board(page), await open_board(his)
    tabs = page.get_by_role("navigation", name="Views of the board")
    his_tabs = his.get_by_role("navigation", name="Views of the board")
    await narrow(page, Tag="pilot")
    await board.shows("Qualify", "Pilot of a friend", "Pilot")
    await page.get_by_role("button", name="Save view").click()
    await expect(page.get_by_role("dialog", name="Save view").get_by_role("textbox", name="Name")).to_be_focused()
    await page.keyboard.type("Pilots")
    await page.get_by_role("dialog").get_by_label("Share with everybody").check()
    await page.keyboard.press("Enter")
    tab, his_tab = tabs.get_by_role("link", name="Pilots"), his_tabs.get_by_role("link", name="Pilots")
    await expect(tab).to_have_attribute("aria-current", "page")
    await expect(page).to_have_url(re.compile(r"/pipeline\?view=[0-9a-f-]{36}$"))
    await expect(page.get_by_role("button", name="Reset")).to_be_hidden()

    await his_tab.click()  # it came without a reload
    await colleague.shows("Qualify", "Pilot of a friend", "Pilot")
    await narrow(his, Contains="friend")
    await colleague.shows("Qualify", "Pilot of a friend")
    await expect(his.get_by_role("button", name="Save", exact=True)).to_be_hidden()
    await expect(his.get_by_role("button", name="Change the view Pilots")).to_be_hidden()

    await page.get_by_role("button", name=re.compile("^Remove.*Tag")).click()
    await board.shows("Qualify", "Something else", "Pilot of a friend", "Pilot")
    await page.reload()
    await board.shows("Qualify", "Something else", "Pilot of a friend", "Pilot")
    await page.get_by_role("button", name="Reset").click()
    await board.shows("Qualify", "Pilot of a friend", "Pilot")
    await page.get_by_role("button", name="Filter", exact=True).click()
    await page.get_by_role("dialog", name="Filter the board").get_by_role("checkbox", name="Me", exact=True).check()
    await page.get_by_role("dialog", name="Filter the board").get_by_role("button", name="Show").click()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("button", name="Reset")).to_be_hidden()

    await expect(his.get_by_text("was changed meanwhile")).to_be_visible()
    await colleague.shows("Qualify", "Pilot of a friend")  # what he changed stays
    await his.get_by_role("button", name="Reset").click()
    await colleague.shows("Qualify")  # "me" is whoever looks

    await page.get_by_role("button", name="Change the view Pilots").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(tab).to_be_hidden()
    await expect(his_tab).to_be_hidden()
    await expect(his.get_by_text("not there for you any more")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(tab).to_have_attribute("aria-current", "page")
    await expect(his_tab).to_be_visible()
    await page.get_by_role("group", name="Layout").get_by_role("link", name="List").click()
    await expect(page).to_have_url(re.compile("/opportunities.filter="))
    await expect(page.locator("tbody tr[data-id]")).to_have_count(2)
    await page.get_by_role("group", name="Layout").get_by_role("link", name="Board").click()
    await board.shows("Qualify", "Pilot of a friend", "Pilot")
