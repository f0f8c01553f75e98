"""A contact's whole life without a mouse: made, found, edited, changed with others at once, thrown away, taken back."""

import inspect
import re
import sys

from playwright.async_api import Page, expect


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
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
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


def test_no_hand_is_on_a_mouse() -> None:
    """Nor does a script put the focus where keys would not."""
    told = inspect.getsource(sys.modules[__name__])
    used = re.findall(r"\.(click|dblclick|tap|check|fill|focus|hover|select_option|mouse|evaluate)\(", told)
    assert used == []
