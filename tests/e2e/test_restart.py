"""What a person typed, chose or sent outlives the server: it is killed, starts anew, and the page goes on."""

import re

import pytest
import sqlalchemy as sa
from playwright.async_api import Page, expect

from crm_app.models.activities.activities import Activity
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import Account
from crm_app.models.customers.contacts import Contact
from crm_app.models.people.users import User
from crm_app.models.sales.opportunities import Opportunity
from crm_app.models.sales.pipelines import Stage
from crm_app.services.people import sessions
from crm_app.store.uow import unit_of_work
from tests.e2e.board import open_board
from tests.e2e.browsing import sign_in
from tests.e2e.server import Server
from tests.e2e.test_deal_page import edit, field, open_deal, value
from tests.e2e.test_import_page import FILE, choose, csv, living
from tests.e2e.test_live import frames_of
from tests.services.sales.deals import a_deal, read_deal

_WATCH = """() => {
  window.stayed = true;
  window.fellBack = 0;
  const shown = () => [...document.querySelectorAll(".sk")].some((grey) => grey.checkVisibility());
  const seen = () => shown() && window.fellBack++;
  new MutationObserver(seen).observe(document.body, {childList: true, subtree: true});
}"""


class Outage:
    """The server falls over under pages and comes back; they are neither loaded anew nor fall back to grey."""

    def __init__(self, server: Server, *pages: Page) -> None:
        self.server, self.pages = server, pages

    async def begins(self) -> None:
        for page in self.pages:
            await page.evaluate(_WATCH)
        self.server.kill()
        for page in self.pages:
            await expect(page.locator(".connection")).to_have_text(re.compile("Reconnecting"))

    async def ends(self) -> None:
        await self.server.start()
        for page in self.pages:
            await expect(page.locator(".connection")).to_have_text("", timeout=15_000)
            await expect(page.locator("html")).not_to_have_attribute("data-disconnected", "")

    async def left_no_trace(self) -> None:
        for page in self.pages:
            assert await page.evaluate("[window.stayed, window.fellBack]") == [True, 0]


@pytest.fixture(autouse=True)
def outages_are_noisy(visit):
    visit.expect_noise()


async def count(actor, model, **values) -> int:
    table = table_of(model)
    where = [table.c[name] == wanted for name, wanted in values.items()]
    async with unit_of_work(actor) as uow:
        return await uow.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0


async def test_the_form_of_a_new_deal_goes_on(visit, server, alice):
    await a_deal(alice, "Roll-out")
    page = await visit(alice)
    board = await open_board(page)
    await page.keyboard.press("c")
    await board.dialog.get_by_label("Name").fill("Second roll-out")
    await board.dialog.get_by_label("Amount").fill("12k")
    outage = Outage(server, page)
    await outage.begins()
    await board.dialog.get_by_label("Account").fill("Kess")  # is searched once the server is back
    await board.dialog.get_by_label("Name").fill("Third roll-out")  # typing goes on meanwhile
    await outage.ends()
    await expect(board.dialog.get_by_label("Name")).to_have_value("Third roll-out")
    await expect(board.dialog.get_by_label("Amount")).to_have_value("12k")
    account = board.dialog.get_by_role("combobox", name="Account")
    await expect(account).to_have_value("Kess")
    await account.press("End")
    await account.press_sequentially("ler")  # and the server answers what is searched
    await board.dialog.get_by_role("option", name="Kessler").first.click()
    await board.dialog.get_by_label("Amount").fill("a lot")
    await board.dialog.get_by_role("button", name="Create deal").click()
    await expect(board.dialog.get_by_text("is not an amount")).to_be_visible()
    await expect(board.dialog.get_by_label("Name")).to_have_value("Third roll-out")  # a refusal keeps it as well
    await board.dialog.get_by_label("Amount").fill("12k")
    await board.dialog.get_by_role("button", name="Create deal").click()
    await board.shows("Qualify", "Third roll-out", "Roll-out")
    await outage.left_no_trace()
    assert await count(alice, Opportunity, name="Third roll-out", amount_minor=1_200_000) == 1
    assert await count(alice, Account) == 1


async def test_quick_add_goes_on_and_makes_one_deal(visit, server, alice):
    page = await visit(alice)
    board = await open_board(page)
    await page.get_by_role("button", name="Add deal to Discovery").click()
    form = page.get_by_role("form", name="Add deal to Discovery")
    await form.get_by_label("Title").fill("Half a thought")
    await form.get_by_label("Amount").fill("500")
    outage = Outage(server, page)
    await outage.begins()
    await page.keyboard.press("Enter")  # nobody is there to take it
    await expect(form.get_by_role("alert")).to_contain_text("your text is kept")
    await outage.ends()
    await expect(form.get_by_label("Title")).to_have_value("Half a thought")
    await form.get_by_role("button", name="Add deal").click()
    await expect(board.dialog.get_by_label("Name")).to_have_value("Half a thought")
    await expect(board.dialog.get_by_label("Amount")).to_have_value("500")
    await board.dialog.get_by_label("Account").fill("Kessler")
    await board.dialog.get_by_role("button", name="Create deal").click()
    await board.shows("Discovery", "Half a thought")
    await expect(form.get_by_label("Title")).to_have_value("")
    await outage.left_no_trace()
    assert await count(alice, Opportunity) == 1


async def test_a_question_about_a_deal_goes_on(visit, server, alice):
    deal = await a_deal(alice, "Roll-out")
    page = await open_deal(visit, alice, deal)
    await page.locator(".opp-acts").get_by_role("button", name="Lost").click()
    dialog = page.get_by_role("dialog", name="Mark as lost")
    await dialog.get_by_label("Reason").select_option(label="Too expensive")
    await dialog.get_by_label("Note (optional)").fill("Half the price next door")
    outage = Outage(server, page)
    await outage.begins()
    await outage.ends()
    await expect(dialog.get_by_label("Note (optional)")).to_have_value("Half the price next door")
    await dialog.get_by_role("button", name="Mark as lost").click()
    await expect(page.locator(".opp-head")).to_contain_text("Lost on")
    await outage.left_no_trace()
    assert (await read_deal(alice, deal.id))["win_loss_details"] == "Half the price next door"


async def test_what_was_sent_to_a_dying_server_is_saved_once_by_the_next(visit, server, alice):
    """The server hangs, so that what is sent lies unread, and dies with it."""
    deal = await a_deal(alice)
    page = await open_deal(visit, alice, deal)
    await page.evaluate(_WATCH)
    server.freeze()
    await edit(page, "next_step", "Send the prices")
    box = page.get_by_role("textbox", name="What was said?")
    await box.fill("They want it by May")
    await page.keyboard.press("Control+Enter")
    await expect(field(page, "next_step").locator("[aria-busy=true]")).to_have_text("Send the prices")
    await expect(page.locator("[data-log]")).to_have_attribute("aria-busy", "true")
    server.kill()
    await server.start()
    await expect(value(page, "next_step")).to_have_text("Send the prices", timeout=15_000)
    await expect(page.locator(".tl li").filter(has_text="They want it by May")).to_have_count(1)
    await expect(box).to_have_value("")
    assert (await read_deal(alice, deal.id))["next_step"] == "Send the prices"
    assert await count(alice, Activity, opportunity_id=deal.id) == 1
    await Outage(server, page).left_no_trace()


async def test_what_was_typed_and_saved_while_the_server_was_away_stands_once(visit, server, alice):
    deal = await a_deal(alice)
    page = await open_deal(visit, alice, deal)
    await edit(page, "next_step", "Half a", key="")
    outage = Outage(server, page)
    await outage.begins()
    await page.keyboard.type(" thought")
    await edit(page, "amount_minor", "12k")  # which leaves the other field, too
    box = page.get_by_role("textbox", name="What was said?")
    await box.fill("They want it by May")
    await page.keyboard.press("Control+Enter")
    await outage.ends()
    await expect(page.locator(".tl li").filter(has_text="They want it by May")).to_have_count(1)
    await expect(box).to_have_value("")
    await expect(value(page, "amount_minor")).to_have_text("€ 12 000")
    await expect(value(page, "next_step")).to_have_text("Half a thought")
    row = await read_deal(alice, deal.id)
    assert (row["next_step"], row["amount_minor"]) == ("Half a thought", 1_200_000)
    assert await count(alice, Activity, opportunity_id=deal.id) == 1
    await outage.left_no_trace()


async def test_a_list_and_a_record_stay_as_they_are_and_live_on(visit, server, alice):
    deal = await a_deal(alice, account="Kessler")
    listed = await visit(alice, "/accounts")
    record = await visit(alice, f"/accounts/{deal.account_id}")
    for page in (listed, record):
        await expect(page.get_by_role("main").get_by_text("Kessler").first).to_be_visible()
    outage = Outage(server, listed, record)
    await outage.begins()
    await outage.ends()
    await a_deal(alice, account="Globex")
    await expect(listed.locator("tbody tr")).to_have_count(2)
    await edit(record, "city", "Linz")
    await expect(value(record, "city")).to_have_text("Linz")
    await outage.left_no_trace()


async def test_the_form_of_a_record_goes_on(visit, server, alice):
    deal = await a_deal(alice, account="Kessler")
    page = await visit(alice, f"/accounts/{deal.account_id}")
    people = page.locator("section.card").filter(has_text="People")
    await people.get_by_role("button", name="Add").click()
    dialog = page.get_by_role("dialog", name="New contact")
    await dialog.get_by_label("Last name").fill("Berg")
    outage = Outage(server, page)
    await outage.begins()
    await dialog.get_by_label("First name").fill("Ida")
    await outage.ends()
    await expect(dialog.get_by_label("Last name")).to_have_value("Berg")
    await dialog.get_by_text("More fields").click()
    await dialog.get_by_label("E-mail").fill("nonsense")
    await dialog.get_by_role("button", name="Create").click()
    await expect(dialog.get_by_role("alert").or_(dialog.locator(".error")).first).to_be_visible()
    await expect(dialog.get_by_label("First name")).to_have_value("Ida")
    await dialog.get_by_label("E-mail").fill("ida@kessler.example")
    await dialog.get_by_role("button", name="Create").click()
    await expect(people).to_contain_text("Ida Berg")
    await outage.left_no_trace()
    assert await count(alice, Contact, last_name="Berg", account_id=deal.account_id) == 1


async def test_what_was_half_filled_under_settings_goes_on(visit, server, admin, alice):
    """A page, a panel and a dialog, over one outage."""
    page, stages, people = [
        await visit(who, f"/settings/{name}")
        for who, name in ((alice, "profile"), (admin, "pipelines"), (admin, "people"))
    ]
    title = page.get_by_label("Job title")
    await title.fill("Chief of all")
    await stages.get_by_role("button", name="Proposal", exact=True).click()
    panel = stages.get_by_role("complementary", name="Stage Proposal")
    await panel.get_by_label("Limit in days").fill("12")
    await people.get_by_role("button", name="Invite").click()
    dialog = people.get_by_role("dialog", name="Invite a person")
    email = f"nina.{new_id().hex[-10:]}@example.com"
    await dialog.get_by_label("E-mail").fill(email)
    await dialog.get_by_label("Role").select_option(label="Sales rep")
    outage = Outage(server, page, stages, people)
    await outage.begins()
    await outage.ends()

    await expect(title).to_have_value("Chief of all")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".notice")).to_contain_text("Profile saved")
    await expect(panel.get_by_label("Limit in days")).to_have_value("12")
    await panel.get_by_role("button", name="Save stage").click()
    await expect(stages.locator(".notice")).to_contain_text("Proposal saved")
    await expect(dialog.get_by_label("E-mail")).to_have_value(email)
    await dialog.get_by_role("button", name="Invite").click()
    await expect(dialog.get_by_label("Link to pass on")).to_have_value(re.compile("/invite/"))
    await outage.left_no_trace()
    await page.reload()
    await expect(title).to_have_value("Chief of all")
    assert await count(admin, Stage, name="Proposal", rotting_days=12) == 1
    assert await count(admin, Stage, name="Proposal") == 1
    assert await count(admin, User, email=email) == 1


async def test_an_import_goes_on_where_it_was(visit, server, manager):
    page = await visit(manager, "/import")
    await choose(page, csv(FILE.replace("Name,", "What it is,")))
    await page.get_by_role("combobox", name="Where What it is goes").select_option(label="Name *")
    await expect(page.get_by_text("5 of 5 matched")).to_be_visible()
    outage = Outage(server, page)
    await outage.begins()
    await outage.ends()
    await page.get_by_role("button", name=re.compile("^Import 2 ")).click(timeout=60_000)  # a check may have died
    await expect(page.get_by_role("heading", name="2 deals imported")).to_be_visible(timeout=60_000)  # its turn too
    assert await living(manager, Opportunity) == ["Cellar", "Roof"]


async def test_a_board_is_sent_once_after_the_outage(visit, server, alice):
    await a_deal(alice, "Roll-out")
    page = await visit(alice, "")
    heard = frames_of(page)
    await page.goto("/pipeline")
    await (await open_board(page)).shows("Qualify", "Roll-out")
    outage = Outage(server, page)
    await outage.begins()
    del heard[:]
    await outage.ends()
    await a_deal(alice, "Late arrival")
    await (await open_board(page)).shows("Qualify", "Late arrival", "Roll-out")
    assert len([f for f in heard if "Roll-out" in f]) == 1
    await outage.left_no_trace()


async def test_another_person_in_the_same_browser_gets_a_page_of_their_own(visit, alice, mallory):
    """A page stays as it is over a lost connection, but not for somebody else."""
    await a_deal(alice, "Secret roll-out")
    page = await visit(alice)
    await (await open_board(page)).shows("Qualify", "Secret roll-out")
    await sign_in(page.context, mallory, visit.url)
    async with unit_of_work(alice) as uow:
        await sessions.revoke_all_of(uow, alice.user_id)
    async with page.expect_event("load"):
        await page.keyboard.press("c")  # the socket of the ended session is closed; the tab comes back as Mallory
    await expect(page.get_by_role("button", name=f"Account of {mallory.name}")).to_be_visible()
    await expect(page.get_by_text("Secret roll-out")).to_have_count(0)
    await (await open_board(page)).shows("Qualify")
