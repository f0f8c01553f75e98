"""People who join and who are signed out, and the stages of a pipeline."""

import re

from playwright.async_api import expect

from crm_app.models.base import new_id
from tests.e2e.board import open_board
from tests.people import PASSWORD
from tests.services.people.test_sessions import address_of
from tests.services.sales.deals import a_deal


async def test_an_invitation_is_accepted_in_another_browser(visit, admin, alice):
    await a_deal(alice, "Roll-out")
    page = await visit(admin, "/settings/people")
    await page.get_by_role("button", name="Invite").click()
    dialog = page.get_by_role("dialog", name="Invite a person")
    email = f"nina.{new_id().hex[-10:]}@example.com"
    await dialog.get_by_label("E-mail").fill(email)
    await dialog.get_by_label("Name (optional)").fill("Nina New")
    await dialog.get_by_role("button", name="Invite").click()
    await expect(dialog.get_by_label("Role")).to_have_attribute("aria-invalid", "true")
    await dialog.get_by_label("Role").select_option(label="Sales rep")
    await dialog.get_by_label("Team").select_option(label="Sales")
    await dialog.get_by_role("button", name="Invite").click()
    link = page.locator("input[value*='/invite/'], code:has-text('/invite/')").first
    await expect(link).to_be_visible()  # no mail server is set up: the admin passes it on
    address = await link.evaluate("e => e.value || e.textContent")

    path = re.sub(r"^https?://[^/]+", "", address)
    new = await visit(None, path)
    await expect(new.get_by_text(re.compile(r"You are invited to Northwind"))).to_be_visible()
    await expect(new.get_by_label("Your name")).to_have_value("Nina New")
    await new.get_by_label("Choose a password").fill(PASSWORD)
    await new.get_by_role("button", name="Join").click()
    await (await open_board(new)).shows("Qualify", "Roll-out")
    await expect(new.get_by_role("button", name="Nina New")).to_be_visible()
    late = await visit(None, path)
    await expect(late.get_by_text("This link is used up or too old")).to_be_visible()


async def test_a_place_is_signed_out_from_another(visit, alice):
    visit.expect_noise()
    await a_deal(alice, "Roll-out")
    other = await visit(alice)
    await open_board(other)
    page = await visit(alice, "/settings/places")
    await page.get_by_role("button", name=re.compile("^Sign out: ")).first.click()
    await expect(page.get_by_role("button", name=re.compile("^Sign out: "))).to_have_count(0)
    await other.keyboard.press("c")
    await expect(other).to_have_url(re.compile("/sign-in"))
    await expect(other.get_by_text("Your session has ended")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("This one")).to_be_visible()


async def test_a_forgotten_password_without_mail(visit, admin, alice):
    """The admin sees who asked, makes the link and passes it on."""
    email = await address_of(alice)
    asking = await visit(None, "/forgot")
    await asking.get_by_label("E-mail").fill(email)
    await asking.get_by_role("button", name="Send link").click()
    await expect(asking.get_by_text("Your administrator now sees that you asked")).to_be_visible()
    page = await visit(admin, "/settings/people")
    waiting = page.get_by_role("row").filter(has_text="Alice")
    await expect(waiting).to_contain_text(re.compile("password", re.IGNORECASE))


async def test_a_new_stage_and_a_field_it_needs_are_on_the_board_at_once(visit, admin, alice):
    await a_deal(alice, "Roll-out")
    board = await open_board(await visit(alice, viewport={"width": 1800, "height": 900}))
    page = await visit(admin, "/settings/pipelines")
    await page.get_by_role("button", name="Stage", exact=True).click()
    panel = page.get_by_role("dialog").or_(page.locator("aside, .panel")).first
    await panel.get_by_label("Name").fill("Pilot")
    await panel.get_by_role("button", name=re.compile("^(Add|Save|Create)")).first.click()
    await expect(board.stage("Pilot")).to_be_visible()
    await board.drag("Roll-out", "Pilot")
    await expect(board.notice("Roll-out moved to Pilot")).to_be_visible()


async def test_search_finds_a_deal_and_opens_it_by_keys(visit, alice):
    await a_deal(alice, "Roll-out")
    await a_deal(alice, "Something else")
    page = await visit(alice)
    await open_board(page)
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name=re.compile("^Search"))).to_be_focused()
    await page.keyboard.type("rol")
    await expect(page.get_by_role("option").filter(has_text="Roll-out")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Roll-out", level=1)).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("zzzz")
    await expect(page.get_by_role("status").filter(has_text=re.compile("Nothing|0 found")).first).to_be_attached()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Search")).to_have_count(0)
