"""The pages in their states: where, when each is drawn, and what a person does there."""

import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from playwright.async_api import Error, Page, expect

from crm_app.core.context import Actor
from tests.e2e.board import BoardPage
from tests.e2e.browsing import PHONE, listening
from tests.e2e.test_attachments import PIXEL, a_file
from tests.e2e.test_deal_page import edit
from tests.e2e.test_import_page import FILE, csv


@dataclass(frozen=True)
class World:
    admin: Actor
    deal_id: UUID
    account_id: UUID
    contact_id: UUID
    product_id: UUID
    empty_pipeline_id: UUID
    activity_id: UUID
    user_id: UUID
    team_id: UUID


@dataclass(frozen=True)
class Stop:
    """A page in one of its states. `path` may name parts of the world; `ready` is seen when it is drawn."""

    name: str
    path: str
    ready: str
    does: Callable[[Page], Awaitable[Any]] | None = None
    signed_in: bool = True


OPEN = "dialog[open], :popover-open, aside.panel"


def press(name: str, role: Any = "button", opens: str = OPEN) -> Callable[[Page], Awaitable[Any]]:
    """`opens` is seen once the server has answered."""

    async def pressed(page: Page) -> None:
        await page.get_by_role(role, name=name, exact=True).first.click()
        await expect(page.locator(opens).first).to_be_visible()

    return pressed


async def ask_lost(page: Page) -> None:
    await page.locator("[data-deal]").first.focus()
    await page.keyboard.press("m")
    await page.get_by_role("menuitem", name="Lost").click()
    dialog = page.get_by_role("dialog", name="Mark as lost")
    await dialog.get_by_role("button", name="Mark as lost").click()
    await expect(dialog.get_by_text("Reason is required")).to_be_visible()


async def card_menu(page: Page) -> None:
    await page.locator("[data-deal]").first.focus()
    await page.keyboard.press("m")
    await expect(page.get_by_role("menuitem", name="Lost")).to_be_visible()


async def select_two(page: Page) -> None:
    await page.locator("[data-deal]").first.focus()
    await page.keyboard.press("x")
    await page.keyboard.press("Shift+ArrowDown")
    await expect(page.get_by_role("toolbar")).to_be_visible()


async def new_twin(page: Page) -> None:
    await page.keyboard.press("c")
    await page.get_by_role("dialog", name="New contact").get_by_label("Last name").fill("Berg")
    await expect(page.get_by_text("Is it there already?")).to_be_visible()


async def moved(page: Page) -> None:
    """Two notices, one of them bad."""
    await page.locator("[data-deal]").first.focus()
    for key in ("Space", "ArrowDown", "Enter"):
        await page.keyboard.press(key)
    await expect(BoardPage(page).notice("moved to")).to_be_visible()


async def new_deal(page: Page) -> None:
    await page.keyboard.press("c")
    await expect(page.get_by_role("dialog", name="New deal")).to_be_visible()


async def both_at_once(page: Page) -> None:
    """The same field in two tabs: which value shall stand?"""
    other = await page.context.new_page()
    await other.goto(page.url)
    await edit(page, "campaign", "Spring", key="")
    await edit(other, "campaign", "Summer")
    await expect(page.locator("[data-field=campaign]")).to_contain_text("Meanwhile: Summer")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Which value shall stand?")).to_be_visible()


async def access_of(page: Page) -> None:
    await page.get_by_role("button", name="More actions").first.click()
    await page.get_by_role("menuitem", name="Share and access").click()
    await expect(page.get_by_role("dialog").get_by_text("The role Admin lets").first).to_be_visible()


async def one_person(page: Page) -> None:
    await page.get_by_role("button", name="Bob").click()
    await expect(page.get_by_role("button", name="View as Bob")).to_be_visible()


async def first_entry(page: Page) -> None:
    await page.locator(".log-what button").first.click()
    await expect(page.get_by_role("heading", name="Values")).to_be_visible()


async def new_key(page: Page) -> None:
    await page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog", name="New key")
    await dialog.get_by_label("May").select_option(label="Chosen rights")
    await dialog.get_by_role("button", name="Make key").click()
    await expect(dialog.get_by_text("is required").first).to_be_visible()


async def quick_add(page: Page) -> None:
    await page.get_by_role("button", name="Add deal to Qualify").click()
    await page.get_by_role("form").get_by_role("button", name="Add deal").click()
    await expect(page.get_by_text("Give the deal a title")).to_be_visible()


async def bad_amount(page: Page) -> None:
    """A field that was refused, in its place."""
    await page.set_viewport_size(PHONE)
    await page.locator("[data-field=amount_minor] .val").click()
    await page.keyboard.type("a lot")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").first).to_contain_text("is not an amount")


async def search(page: Page) -> None:
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox", name=re.compile("^Search")).fill("comp")
    await expect(page.get_by_role("option").filter(has_text="Company 1").first).to_be_visible()


async def commands(page: Page) -> None:
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("option", name=re.compile("^Move to"))).to_be_visible()


async def search_in_vain(page: Page) -> None:
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox", name=re.compile("^Search")).fill("zzzz")
    await expect(page.get_by_role("status").filter(has_text=re.compile("Nothing|0 found")).first).to_be_attached()


async def bad_stage(page: Page) -> None:
    """The panel of a stage, with a box that was refused."""
    await page.get_by_role("button", name="Proposal", exact=True).click()
    panel = page.get_by_role("complementary", name="Stage Proposal")
    await panel.get_by_label("Limit in days").fill("never")
    await panel.get_by_role("button", name="Save stage").click()
    await expect(panel.get_by_text("Must be a whole number")).to_be_visible()


async def fresh_import(page: Page) -> None:
    """Without the import of the stop before, which is kept."""
    await listening(page)
    with contextlib.suppress(Error):  # there is none, or it came before
        await page.get_by_role("button", name="Cancel", exact=True).click(timeout=3_000)
    await expect(page.get_by_text("Choose files")).to_be_visible()


async def match_file(page: Page) -> None:
    await fresh_import(page)
    await page.locator("input[type=file]").set_input_files(csv(FILE))
    await expect(page.get_by_text("5 of 5 matched")).to_be_visible()


async def check_file(page: Page) -> None:
    """With rows that can be imported, and one that cannot."""
    await match_file(page)
    await expect(page.get_by_role("button", name="Import 2 rows")).to_be_visible(timeout=15_000)


async def make_field(page: Page) -> None:
    await check_file(page)
    await page.get_by_role("combobox", name="Where Stage goes").select_option(label="Make a field for it…")
    await expect(page.get_by_role("dialog", name="Make a field")).to_be_visible()


async def match_values(page: Page) -> None:
    await check_file(page)
    await page.get_by_role("button", name="Match the values of Stage").click()
    await expect(page.get_by_role("dialog", name="Match values")).to_be_visible()


async def choose(page):
    await page.get_by_role("checkbox", name="Select what is shown").click()
    await expect(page.get_by_role("group", name="Selection")).to_be_visible()


async def edit_chosen(page):
    await choose(page)
    await page.get_by_role("group", name="Selection").get_by_role("button", name="Tags").click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def edit_cell(page: Page) -> None:
    """Under the arrows and Enter: a box in a cell, which refuses."""
    await page.locator("[data-row='0'] [data-field=employees]").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.type("many")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").first).to_contain_text("is not a number")


async def build_filter(page: Page) -> None:
    """The whole builder, with a group in a group and a comparison that waits for its value."""
    await page.get_by_role("button", name="Filter", exact=True).click()
    panel = page.get_by_role("dialog", name="Filter accounts")
    await panel.get_by_role("button", name="Group", exact=True).last.click()
    await panel.get_by_role("button", name="Apply").click()
    await expect(panel.get_by_text("Enter a text")).to_be_visible()


async def type_name(page: Page) -> None:
    """The list of colleagues is open under the box."""
    await page.locator(".composer [data-kind=comment]").click()
    await page.locator(".composer textarea").press_sequentially("Ask @bo")
    await expect(page.get_by_role("option", name="Bob")).to_be_visible()


async def edit_comment(page: Page) -> None:
    await page.get_by_role("button", name="Edit the comment").first.click()
    await expect(page.get_by_role("textbox", name="The comment")).to_be_visible()


async def open_bell(page: Page) -> None:
    await page.locator("[data-bell]").first.click()
    await expect(page.get_by_role("complementary", name="Notifications").get_by_text("gave you")).to_be_visible()


async def look_at_file(page: Page) -> None:
    """One refused, one there, one looked at."""
    box = page.locator(".card.files input[type=file]")
    pixel = a_file("plan.png", PIXEL)
    await box.set_input_files([pixel, a_file("empty.txt", b"")])
    await expect(page.get_by_role("alert").first).to_contain_text("is empty")
    await page.get_by_role("button", name="plan.png", exact=True).first.click()
    await expect(page.get_by_role("dialog", name="plan.png")).to_be_visible()


async def delete_record(page: Page) -> None:
    await page.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(page.get_by_text("needs this account").or_(page.get_by_text("need this account"))).to_be_visible()


FILTER = '{"all":[{"field":"name","op":"contains","value":"kess"},{"related":"opportunities","some":{"all":[]}}]}'
STOPS = (
    Stop("sign-in", "/sign-in", "Welcome back.", signed_in=False),
    Stop("sign-in, refused", "/sign-in?error=credentials&left=2&email=a@b.example", "2 tries left", signed_in=False),
    Stop("sign-in, throttled", "/sign-in?error=throttled&minutes=3", "Wait 3 min", signed_in=False),
    Stop("sign-up", "/sign-up", "Create workspace", signed_in=False),
    Stop("forgot", "/forgot", "Send link", signed_in=False),
    Stop("forgot, sent", "/forgot?done=sent", "a link is on its way", signed_in=False),
    Stop("reset", "/reset/abcdefghijklmnopqrstuvwxyz", "Save password", signed_in=False),
    Stop("invitation", "/invite/abcdefghijklmnopqrstuvwxyz", "Choose a password", signed_in=False),
    Stop("nowhere", "/nowhere", "Nothing here"),
    Stop("board", "/pipeline", "Roll-out"),
    Stop("board, ends shown", "/pipeline?ends=1", "Lost"),
    Stop("board, filtered", "/pipeline?q=roll&tag=pilot", "Roll-out"),
    Stop("board, nothing fits", "/pipeline?q=zzz", "No deal fits these filters"),
    Stop("board, empty", "/pipeline?p={empty_pipeline_id}", "No deals in this pipeline yet"),
    Stop("board, card menu", "/pipeline", "Roll-out", card_menu),
    Stop("board, lost", "/pipeline", "Roll-out", ask_lost),
    Stop("board, selection", "/pipeline", "Roll-out", select_two),
    Stop("board, notice", "/pipeline", "Roll-out", moved),
    Stop("board, new deal", "/pipeline", "Roll-out", new_deal),
    Stop("board, quick add", "/pipeline", "Roll-out", quick_add),
    Stop("board, filter form", "/pipeline", "Roll-out", press("Filter")),
    Stop("board, save view", "/pipeline?q=roll", "Roll-out", press("Save view")),
    Stop("board, own menu", "/pipeline", "Roll-out", press("Account of Ada Admin")),
    Stop("board, keys", "/pipeline", "Roll-out", press("Keys of this page")),
    Stop("duplicates, none", "/duplicates", "No duplicates here"),
    Stop("duplicates, side by side", "/duplicates?entity=contact&ids={contact_id}", "same e-mail"),
    Stop("form, there already", "/contacts", "berg@kessler.example", new_twin),
    Stop("deal", "/opportunities/{deal_id}", "Send the offer"),
    Stop("deal, timeline", "/opportunities/{deal_id}#timeline", "Created in Qualify"),
    Stop("deal, details", "/opportunities/{deal_id}#details", "Send the offer", bad_amount),
    Stop("deal, two at once", "/opportunities/{deal_id}#details", "Send the offer", both_at_once),
    Stop("deal, history of a field", "/opportunities/{deal_id}#details", "Send the offer", press("Amount, history")),
    Stop("deal, add person", "/opportunities/{deal_id}", "Send the offer", press("Add person")),
    Stop("deal, add product", "/opportunities/{deal_id}", "Send the offer", press("Add product")),
    Stop("deal, a file", "/opportunities/{deal_id}", "Send the offer", look_at_file),
    Stop("deal, access", "/opportunities/{deal_id}", "Send the offer", access_of),
    Stop("account, access", "/accounts/{account_id}", "Open deals", access_of),
    Stop("people, one of them", "/settings/people", "Bob", one_person),
    Stop("deal, a name after @", "/opportunities/{deal_id}#timeline", "Created in Qualify", type_name),
    Stop("deal, comments", "/opportunities/{deal_id}#timeline", "Please ask", edit_comment),
    Stop("contact, files", "/contacts/{contact_id}#files", "No files yet"),
    Stop("product, comments", "/products/{product_id}#comments", "Nothing happened yet"),
    Stop("deal, not here", "/opportunities/00000000-0000-0000-0000-000000000000", "This deal is not here"),
    Stop("fields", "/settings/fields?e=account", "Your own fields"),
    Stop("fields, a new one", "/settings/fields", "Your own fields", press("Field")),
    Stop("accounts", "/accounts", "Kessler"),
    Stop("accounts, nothing found", "/accounts?q=zzz", "No accounts found"),
    Stop("accounts, new", "/accounts", "Kessler", press("New account")),
    Stop("accounts, filtered", f"/accounts?filter={quote(FILTER)}", "Kessler"),
    Stop("accounts, one beside", "/accounts?open={account_id}", "Open deals"),
    Stop("accounts, save view", "/accounts?q=kess", "Kessler", press("Save view")),
    Stop("accounts, filter builder", f"/accounts?filter={quote(FILTER)}", "Kessler", build_filter),
    Stop("accounts, columns", "/accounts", "Kessler", press("Columns and density")),
    Stop("exports, none", "/exports", "No exports yet"),
    Stop("accounts, export", "/accounts", "Kessler", press("Export")),
    Stop("accounts, chosen", "/accounts", "Kessler", choose),
    Stop("accounts, edit chosen", "/accounts", "Kessler", edit_chosen),
    Stop("accounts, a cell", "/accounts", "Kessler", edit_cell),
    Stop("opportunities", "/opportunities", "Roll-out"),
    Stop("activities", "/activities", "Call back"),
    Stop("users", "/users", "Bob"),
    Stop("teams", "/teams", "Region"),
    Stop("account", "/accounts/{account_id}", "Open deals"),
    Stop("account, deals", "/accounts/{account_id}#opportunities", "Roll-out"),
    Stop(
        "account, people",
        "/accounts/{account_id}#people",
        "Berg",
        press("People 2", "link", "[role=region][aria-label='All people']"),
    ),
    Stop("account, history", "/accounts/{account_id}#history", "No field was changed"),
    Stop("contacts", "/contacts", "Berg"),
    Stop("contact", "/contacts/{contact_id}", "berg@kessler.example"),
    Stop("products", "/products", "Robots"),
    Stop("product", "/products/{product_id}", "List price"),
    Stop("account, delete", "/accounts/{account_id}", "Open deals", delete_record),
    Stop("trash", "/trash", "Thrown away"),
    Stop("trash, for good", "/trash", "Thrown away", press("Delete for good: Thrown away")),
    Stop("activity", "/activities/{activity_id}", "Call back"),
    Stop("user", "/users/{user_id}", "Ada Admin"),
    Stop("team", "/teams/{team_id}", "Sales"),
    Stop("search", "/pipeline", "Roll-out", search),
    Stop("search, acts of a deal", "/opportunities/{deal_id}", "Send the offer", commands),
    Stop("search, nothing found", "/pipeline", "Roll-out", search_in_vain),
    Stop("import", "/import", "Import", fresh_import),
    Stop("import, checked", "/import", "Import", check_file),
    Stop("import, values", "/import", "Import", match_values),
    Stop("import, a field", "/import", "Import", make_field),
    Stop("pipelines", "/settings/pipelines", "Stages of New business"),
    Stop("settings", "/settings", "Where you are signed in"),
    Stop("profile", "/settings/profile", "What you are told of"),
    Stop("notifications", "/pipeline", "Roll-out", open_bell),
    Stop("places", "/settings/places", "This one"),
    Stop("workspace", "/settings/workspace", "Acme Sales"),
    Stop("people", "/settings/people", "Bob"),
    Stop("roles", "/settings/roles", "Sales rep"),
    Stop("pipelines, a stage with an error", "/settings/pipelines", "Stages of New business", bad_stage),
    Stop("pipelines, new", "/settings/pipelines", "Stages of New business", press("Pipeline")),
    Stop("teams", "/settings/teams", "Sales"),
    Stop("API keys", "/settings/api-keys", "No keys yet"),
    Stop("API keys, a new one", "/settings/api-keys", "No keys yet", new_key),
    Stop("tags", "/settings/tags", "pilot"),
    Stop("tags, renamed", "/settings/tags", "pilot", press("Rename pilot")),
    Stop("territories, new", "/settings/territories", "No territories", press("Territory")),
    Stop("sessions", "/settings/sessions", "Signed in now"),
    Stop("audit log", "/settings/audit", "By hand"),
    Stop("audit log, an entry", "/settings/audit?act=create&what=account", "Company 1", first_entry),
    Stop("failed jobs", "/settings/jobs", "the disk is full"),
)
