"""A contact's whole life without a mouse: made, found, edited, changed with others at once, thrown away, taken back."""

import inspect
import re
import sys
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.e2e.proxy import Proxy
from tests.e2e.server import Server, free_port


@pytest.fixture
async def far(server: Server) -> AsyncIterator[str]:
    """The address of the server at the end of a long line."""
    line = Proxy(free_port(), server.port, seconds=0.3)
    await line.start()
    yield line.url
    await line.stop()


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def make(page: Page, first: str, last: str) -> None:
    await press(page, "c")
    await expect(page.get_by_role("dialog", name="New contact").get_by_label("First name")).to_be_focused()
    await page.keyboard.type(first)
    await press(page, "Tab")
    await page.keyboard.type(last)
    await press(page, "Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"{first} {last}")


async def to_contacts(page: Page) -> None:
    await press(page, "g", "c")
    await expect(page.get_by_role("heading", name="Contacts", level=1)).to_be_visible()


async def test_a_contact_is_made_found_edited_and_deleted_by_keyboard(visit, admin):
    page = await visit(admin, "/pipeline")
    await expect(page.get_by_text("No deals in this pipeline yet")).to_be_visible()
    await to_contacts(page)
    await expect(page.get_by_text("No contacts yet")).to_be_visible()
    for first, last in (("Ute", "Berg"), ("Ida", "Falk"), ("Jo", "Kessler")):
        await make(page, first, last)
        await to_contacts(page)
        await expect(page.locator("tbody").get_by_text(f"{first} {last}")).to_be_visible()

    await press(page, "Control+k")
    await page.keyboard.type("bergg")  # with a typing error
    await expect(page.locator("[role=option][aria-selected=true]")).to_contain_text("Ute Berg")
    await press(page, "Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ute Berg")
    await press(page, "e")
    await expect(page.get_by_role("textbox", name="First name")).to_be_focused()
    await page.keyboard.type("Uta")
    await press(page, "Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Uta Berg")

    await to_contacts(page)
    await expect(page.locator("tbody").get_by_text("Uta Berg")).to_be_visible()
    await press(page, "j", "k", "x", "Shift+ArrowDown")
    await expect(page.get_by_role("group", name="Selection")).to_contain_text("2 selected")
    await press(page, "e")
    dialog = page.get_by_role("dialog", name="Edit 2 contacts")
    await expect(dialog.get_by_label("Field")).to_be_focused()
    await page.keyboard.type("City")
    await expect(dialog.get_by_label("City", exact=True)).to_be_visible()
    await press(page, "Shift+Tab", "Shift+Tab")
    await expect(dialog.get_by_label("City", exact=True)).to_be_focused()
    await page.keyboard.type("Linz")
    await press(page, "Enter")
    await expect(page.get_by_text("2 contacts changed")).to_be_visible()

    await press(page, "Control+k")
    await page.keyboard.type("falk")
    await expect(page.locator("[role=option][aria-selected=true]")).to_contain_text("Ida Falk")
    await press(page, "Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ida Falk")
    await press(page, "Control+k")
    await page.keyboard.type("delete")
    await expect(page.locator("[role=option][aria-selected=true]")).to_contain_text("Delete")
    await press(page, "Enter")
    await expect(page.get_by_role("dialog", name="Delete contact").get_by_role("button", name="Keep")).to_be_focused()
    await press(page, "Tab", "Enter")
    await expect(page.get_by_text("Ida Falk is in the trash")).to_be_visible()
    await expect(page.get_by_role("heading", name="Contacts", level=1)).to_be_visible()
    await press(page, "Control+z")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ida Falk")


async def test_fast_fingers_do_not_wait_for_the_form(visit, far, admin):
    """What is typed before a form is there goes into it, and not to the keys of the page; Esc takes the press back."""
    page = await visit(admin, "/contacts", base_url=far)
    dialog = page.get_by_role("dialog", name="New contact")
    await expect(page.get_by_text("No contacts yet")).to_be_visible()
    await page.keyboard.type("cUte")
    await press(page, "Tab")
    await page.keyboard.type("Berg")
    await expect(dialog.get_by_label("Last name")).to_have_value("Berg")
    await expect(dialog.get_by_label("First name")).to_have_value("Ute")
    await press(page, "Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ute Berg")

    await to_contacts(page)
    await expect(page.locator("tbody").get_by_text("Ute Berg")).to_be_visible()
    await press(page, "c", "Escape", "/")
    await page.keyboard.type("ut")
    await expect(page).to_have_url(re.compile("q=ut"))
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("searchbox", name="Search contacts")).to_be_focused()


def test_no_hand_is_on_a_mouse() -> None:
    """Nor does a script put the focus where keys would not."""
    told = inspect.getsource(sys.modules[__name__])
    used = re.findall(r"\.(click|dblclick|tap|check|fill|focus|hover|select_option|mouse|evaluate)\(", told)
    assert used == []
