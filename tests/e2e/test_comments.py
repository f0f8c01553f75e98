"""Comments in the browser: a colleague is named while typing, is told at once, and comes by the link."""

import re

from playwright.async_api import expect

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.activities import comments
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal


async def test_a_colleague_is_named_by_keyboard_and_comes_by_the_bell(visit, alice, bob, carol):
    deal = await a_deal(alice, "Roll-out")
    hers = await visit(alice, f"/opportunities/{deal.id}")
    his = await visit(bob, "/pipeline")
    await hers.locator(".composer [data-kind=comment]").click()
    box = hers.locator(".composer textarea")
    await box.focus()
    await hers.keyboard.type("@car")  # sells in another team
    await expect(hers.get_by_role("option")).to_have_count(0)
    await hers.keyboard.press("Control+a")
    await hers.keyboard.type("Thanks. @b")
    await expect(hers.get_by_role("option", name="Bob")).to_be_visible()
    await hers.keyboard.press("Enter")
    await expect(box).to_have_value("Thanks. @Bob ")
    await hers.keyboard.type("<b>please</b> look")
    await hers.keyboard.press("Control+Enter")
    mine = hers.locator(".tl .remark")
    await expect(mine).to_contain_text("Thanks. @Bob <b>please</b> look")
    await expect(box).to_have_value("")
    await expect(mine.get_by_role("link", name="@Bob")).to_have_attribute("href", f"/users/{bob.user_id}")

    await expect(his.locator(".app [data-bell]")).to_have_text(re.compile("1"))
    await his.locator(".app [data-bell]").click()
    panel = his.get_by_role("complementary", name="Notifications")
    await panel.get_by_role("link", name=re.compile("Alice mentioned you on Roll-out")).click()
    await expect(his).to_have_url(re.compile(f"/opportunities/{deal.id}"))
    theirs = his.locator(".tl .remark")
    await expect(theirs).to_contain_text("please")
    await expect(theirs.get_by_role("button")).to_have_count(0)

    await mine.get_by_role("button", name="Edit the comment").click()
    await hers.get_by_role("textbox", name="The comment").fill("Done")
    await hers.keyboard.press("Control+Enter")
    await expect(theirs).to_contain_text("Done")  # live
    await expect(mine).to_contain_text("edited")
    await mine.get_by_role("button", name="Delete the comment").click()
    await expect(theirs).to_have_count(0)
    await hers.get_by_role("button", name="Undo").click()
    await expect(theirs).to_contain_text("Done")


async def test_on_the_page_of_an_account_with_its_files_beside(visit, alice):
    async with unit_of_work(alice) as uow:
        account = await records.create(uow, ACCOUNT, {"name": "Kessler"})
        await comments.add(uow, ACCOUNT, account.id, "Pays late")
    page = await visit(alice, f"/accounts/{account.id}#timeline")
    await expect(page.locator(".tl .remark")).to_contain_text("Pays late")
    await page.get_by_role("navigation", name="Parts of the account").get_by_role("link", name="Files").click()
    await expect(page.get_by_role("group", name="Files").get_by_text("No files yet")).to_be_visible()
