"""Who sees a record and why: shared with a person and taken back, and everything seen as another person sees it."""

import re

from playwright.async_api import Page, expect

from tests.e2e.board import open_board
from tests.e2e.test_deal_page import open_deal
from tests.services.sales.deals import a_deal, read_deal


async def ask_access(page: Page):
    await page.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Share and access").click()
    dialog = page.get_by_role("dialog", name="Share and access")
    await expect(dialog.get_by_role("heading", name="Why")).to_be_visible()
    return dialog


async def test_a_deal_is_shown_to_a_colleague_of_another_team_and_no_more(visit, admin, alice, carol):
    deal = await a_deal(alice, "Roll-out")
    theirs = await visit(carol, f"/opportunities/{deal.id}")
    await expect(theirs.get_by_role("heading", name="This deal is not here")).to_be_visible()

    page = await open_deal(visit, admin, deal)
    dialog = await ask_access(page)
    verdict = dialog.get_by_role("status")
    await expect(verdict).to_have_text("Ada Admin sees, may change and may delete this opportunity.")
    await dialog.get_by_label("Whose access").select_option(label="Carol")
    await expect(verdict).to_have_text("Carol does not see this opportunity.")
    why = dialog.locator(".access-why li")
    await expect(why.filter(has_text="No: Team")).to_contain_text(
        "It belongs to Alice, who is not in the team of Carol"
    )
    await expect(why.filter(has_text="No: Share")).to_contain_text("It is not shared with Carol")

    await dialog.get_by_label("Share with").select_option(label="Carol")
    await dialog.get_by_role("button", name="Share", exact=True).click()
    shares = dialog.get_by_role("listitem").filter(has=page.get_by_role("button", name="Share no more with Carol"))
    await expect(shares).to_contain_text("Carol reads")
    await expect(verdict).to_have_text("Carol sees this opportunity.")
    await expect(why.filter(has_text="Yes: Share")).to_be_visible()

    await theirs.locator(".app [data-bell]").click()
    told = theirs.get_by_role("complementary", name="Notifications")
    await told.get_by_role("link", name=re.compile("Ada Admin shares with you Roll-out")).click()
    await expect(theirs.get_by_role("heading", level=1)).to_have_text("Roll-out")
    await (await ask_access(theirs)).get_by_role("button", name="Close").click()  # she may ask why, too

    await dialog.get_by_role("button", name="Share no more with Carol").click()
    await expect(dialog.get_by_text("Shared with nobody.")).to_be_visible()
    await expect(theirs.get_by_role("heading", name="This deal is not here")).to_be_visible()  # at once
    assert "Roll-out" not in await theirs.locator("main").inner_text()


async def test_an_admin_sees_what_a_rep_sees_changes_nothing_and_is_back(visit, admin, alice, carol):
    deal = await a_deal(alice, "Hers")
    await a_deal(carol, "Of another team")
    page = await visit(admin, "/settings/people")
    await page.get_by_role("button", name="Alice").click()
    await page.get_by_role("button", name="View as Alice").click()
    banner = page.get_by_role("complementary", name="Looking as another person")
    await expect(banner).to_contain_text("You see what Alice sees, and change nothing.")
    await (await open_board(page)).shows("Qualify", "Hers")
    await expect(page.get_by_role("button", name="New deal")).to_have_count(0)

    await page.goto(f"/opportunities/{deal.id}")
    await expect(page.locator("#timeline")).to_contain_text("Created in")
    await expect(banner).to_be_visible()
    await expect(page.locator("button.val, .composer")).to_have_count(0)
    await page.goto("/settings/people")
    await expect(page.get_by_role("button", name="Carol")).to_be_visible()
    await expect(page.get_by_role("button", name="Invite")).to_have_count(0)

    await banner.get_by_role("button", name="End").click()
    await expect(page.get_by_role("button", name="Invite")).to_be_visible()
    await expect(banner).to_have_count(0)
    await page.goto("/pipeline")
    await (await open_board(page)).shows("Qualify", "Of another team", "Hers")
    assert (await read_deal(alice, deal.id))["version"] == deal.version
