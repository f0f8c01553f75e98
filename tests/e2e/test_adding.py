"""A new deal from a column, and from the head of the board."""

from playwright.async_api import expect

from tests.e2e.board import open_board
from tests.services.sales.deals import a_deal


async def test_quick_add_asks_for_the_rest_and_starts_afresh(visit, alice):
    page = await visit(alice)
    board = await open_board(page)
    await page.get_by_role("button", name="Add deal to Discovery").click()
    form = page.get_by_role("form", name="Add deal to Discovery")
    await expect(form.get_by_label("Title")).to_be_focused()
    await form.get_by_label("Title").fill("Quick one")
    await form.get_by_label("Amount").fill("1250,50")
    await page.keyboard.press("Enter")
    dialog = board.dialog
    await expect(dialog.get_by_label("Name")).to_have_value("Quick one")
    await expect(dialog.get_by_label("Amount")).to_have_value("1250,50")
    await dialog.get_by_role("combobox", name="Account").fill("Globex")
    await dialog.get_by_role("option", name="Create “Globex”").click()
    await dialog.get_by_role("button", name="Create deal").click()
    await board.shows("Discovery", "Quick one")
    await board.shows_figures("Discovery", 1, "€ 1 k")
    await expect(form.get_by_label("Title")).to_have_value("")
    await expect(form.get_by_label("Title")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(form).to_have_count(0)
    await expect(page.get_by_role("button", name="Add deal to Discovery")).to_be_focused()


async def test_cancelling_keeps_what_was_typed_in_the_column(visit, alice):
    page = await visit(alice)
    board = await open_board(page)
    await page.get_by_role("button", name="Add deal to Qualify").click()
    form = page.get_by_role("form", name="Add deal to Qualify")
    await form.get_by_role("button", name="Add deal").click()
    await expect(form.get_by_text("Give the deal a title")).to_be_visible()
    await form.get_by_label("Title").fill("Quick one")
    await form.get_by_label("Amount").fill("ten")
    await page.keyboard.press("Enter")
    await board.dialog.get_by_role("combobox", name="Account").fill("Globex")
    await board.dialog.get_by_role("option", name="Create “Globex”").click()
    await board.dialog.get_by_role("button", name="Create deal").click()
    await expect(board.dialog.get_by_label("Amount")).to_have_attribute("aria-invalid", "true")
    await expect(board.dialog.get_by_label("Name")).to_have_value("Quick one")
    await expect(board.dialog.get_by_role("combobox", name="Account")).to_have_value("Globex")
    await board.dialog.get_by_role("button", name="Cancel").click()
    await expect(form.get_by_label("Title")).to_have_value("Quick one")
    await expect(form.get_by_label("Amount")).to_have_value("ten")
    await board.shows("Qualify")


async def test_without_a_connection_the_text_is_kept(visit, alice):
    visit.expect_noise()
    page = await visit(alice)
    await open_board(page)
    await page.get_by_role("button", name="Add deal to Qualify").click()
    form = page.get_by_role("form", name="Add deal to Qualify")
    await form.get_by_label("Title").fill("Quick one")
    await page.context.set_offline(True)
    await page.keyboard.press("Enter")
    await expect(form.get_by_text("You are offline. Nothing was saved; your text is kept")).to_be_visible()
    await expect(form.get_by_label("Title")).to_have_value("Quick one")
    await page.context.set_offline(False)
    await expect(page.locator(".connection")).to_have_text("")
    await form.get_by_role("button", name="Add deal").click()
    await expect(page.get_by_role("dialog", name="New deal").get_by_label("Name")).to_have_value("Quick one")


async def test_the_key_c_opens_the_form_and_an_account_is_found_while_typing(visit, alice):
    await a_deal(alice, "Known", account="Kessler & Wohlgemuth")
    page = await visit(alice)
    board = await open_board(page)
    await page.keyboard.press("c")
    await expect(board.dialog.get_by_label("Name")).to_be_focused()
    await page.keyboard.type("Second")
    await board.dialog.get_by_role("combobox", name="Account").fill("wohlg")
    await board.dialog.get_by_role("option", name="Kessler & Wohlgemuth").click()
    await board.dialog.get_by_label("Amount").fill("300")
    await page.keyboard.press("Enter")
    await board.shows("Qualify", "Second", "Known")
    await expect(board.card("Second")).to_contain_text("Kessler & Wohlgemuth")
