"""In, out, and a first workspace."""

import re

from playwright.async_api import Page, expect

from crm_app.models.base import new_id
from crm_app.services.people import sessions
from tests.people import PASSWORD
from tests.services.people.test_sessions import address_of


async def fill(page: Page, email: str, password: str) -> None:
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def test_wrong_password_then_the_right_one_then_out(visit, alice):
    email = await address_of(alice)
    page = await visit(None, "/")
    await expect(page).to_have_url(re.compile("/sign-in"))
    await fill(page, email, "not the password")
    await expect(page.get_by_text("E-mail and password do not match")).to_be_visible()
    await expect(page.get_by_label("E-mail")).to_have_value(email)
    await expect(page.get_by_label("Password", exact=True)).to_have_value("")
    await fill(page, email, PASSWORD)
    await expect(page).to_have_url(re.compile("/pipeline"))
    await expect(page.get_by_role("heading", name="Qualify")).to_be_visible()
    assert not await page.evaluate("document.cookie")  # no script reads the session

    await page.get_by_role("button", name="Alice").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_text("You are signed out")).to_be_visible()
    await page.goto("/pipeline")
    await expect(page).to_have_url(re.compile(r"/sign-in/?\?next=%2Fpipeline"))
    assert not [c for c in await page.context.cookies() if c["name"] == sessions.cookie_name()]
    await page.go_back()
    await expect(page.get_by_text("Qualify")).to_have_count(0)


async def test_after_signing_in_one_is_where_one_wanted_to_be(visit, alice):
    page = await visit(None, "/pipeline?q=roll%20out&health=risk")
    await expect(page).to_have_url(re.compile("/sign-in"))
    await fill(page, await address_of(alice), PASSWORD)
    await expect(page).to_have_url(re.compile(r"/pipeline/?\?.*q=roll"))
    await expect(page.get_by_text("roll out")).to_be_visible()


async def test_too_many_tries(visit, bob):
    email = await address_of(bob)
    page = await visit(None, "/sign-in")
    for _ in range(sessions.MOST_BY_EMAIL):
        await fill(page, email, "guess guess")
        await expect(page.get_by_text("E-mail and password do not match")).to_be_visible()
        await page.goto("/sign-in")
    await fill(page, email, PASSWORD)  # the right one, too late
    await expect(page.get_by_text(re.compile(r"Too many tries\. Wait \d+ min"))).to_be_visible()


async def test_a_new_workspace_and_its_first_deal(visit, app_database):
    page = await visit(None, "/sign-up")
    mark = new_id().hex[-10:]
    await page.get_by_label("Company or team").fill("Acme Sales")
    await page.get_by_label("Your name").fill("Ada Founder")
    await page.get_by_label("E-mail").fill(f"ada.{mark}@example.com")
    await page.get_by_label("Password", exact=True).fill("short")
    await page.get_by_role("button", name="Create workspace").click()
    await expect(page).to_have_url(re.compile("/sign-up"))  # the browser says what is wrong
    await page.get_by_label("Password", exact=True).fill("a sentence is easy to keep")
    await page.get_by_role("button", name="Create workspace").click()
    await expect(page.get_by_text("No deals in this pipeline yet")).to_be_visible()
    await expect(page.get_by_text("Acme Sales")).to_be_visible()

    await page.get_by_role("main").get_by_role("button", name="New deal").last.click()
    dialog = page.get_by_role("dialog", name="New deal")
    await dialog.get_by_label("Name").fill("First of many")
    await dialog.get_by_label("Amount").fill("12 500")
    await dialog.get_by_role("combobox", name="Account").fill("Globex")
    await dialog.get_by_role("option", name="Create “Globex”").click()
    await dialog.get_by_role("button", name="Create deal").click()
    await expect(page.get_by_role("heading", name="First of many")).to_be_visible()
    await expect(page.locator("[data-deal]")).to_contain_text("Globex")
    await expect(page.get_by_text("No deals in this pipeline yet")).to_have_count(0)
