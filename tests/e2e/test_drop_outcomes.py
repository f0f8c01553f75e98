"""What can come of a drop: done, fields missing, won or lost, refused, conflict, no connection."""

import re
from datetime import timedelta

from playwright.async_api import expect

from crm_app.core.clock import utcnow
from crm_app.models.base import new_id
from crm_app.models.customers.contacts import CONTACT, Contact
from crm_app.models.sales.opportunities import OpportunityStatus
from crm_app.services.people import users
from crm_app.services.platform import records
from crm_app.services.sales import drops, stages
from crm_app.store.uow import unit_of_work
from tests.e2e.board import open_board
from tests.e2e.test_drag import stage_of
from tests.services.sales.deals import a_deal, read_deal, stage_ids


async def want(admin, stage: str, *fields: str) -> None:
    async with unit_of_work(admin) as uow:
        await stages.change(uow, (await stage_ids(admin))[stage], {"required_fields": list(fields)})


async def move(actor, deal, stage: str) -> None:
    """Somebody moves it on a screen of their own."""
    async with unit_of_work(actor) as uow:
        await drops.move(uow, new_id(), [deal.id], to_stage_id=(await stage_ids(actor))[stage])


async def test_missing_fields_are_asked_for_and_cancel_returns_the_card(visit, admin, alice):
    await want(admin, "Proposal", "next_step", "lead_source")
    deal = await a_deal(alice, "Roll-out")
    page = await visit(alice)
    board = await open_board(page)
    await board.drag("Roll-out", "Proposal")
    await expect(board.dialog.get_by_role("heading", name="Move to Proposal")).to_be_visible()
    await expect(board.dialog.get_by_role("textbox")).to_have_count(2)  # only what is missing
    await board.shows("Proposal", "Roll-out")
    await board.dialog.get_by_role("button", name="Cancel").click()
    await board.shows("Qualify", "Roll-out")
    await expect(board.dialog).to_have_count(0)
    assert await stage_of(alice, deal) == "Qualify"

    await board.drag("Roll-out", "Proposal")
    await board.dialog.get_by_label("Next step").fill("Send the offer")
    await board.dialog.get_by_role("button", name="Move to Proposal").click()
    await expect(board.dialog.get_by_text(re.compile("Source is needed for Proposal"))).to_be_visible()
    await expect(board.dialog.get_by_label("Next step")).to_have_value("Send the offer")  # nothing typed is lost
    await board.dialog.get_by_label("Source").fill("Referral")
    await board.dialog.get_by_role("button", name="Move to Proposal").click()
    await expect(board.dialog).to_have_count(0)
    await board.shows("Proposal", "Roll-out")
    row = await read_deal(alice, deal.id)
    assert (row["next_step"], await stage_of(alice, deal)) == ("Send the offer", "Proposal")

    await board.notice("Roll-out moved").get_by_role("button", name="Undo").click()
    await board.shows("Qualify", "Roll-out")


async def test_a_missing_person_and_competitor_are_searched_or_made(visit, admin, alice):
    await want(admin, "Proposal", "primary_contact_id", "primary_competitor_id")
    deals = [await a_deal(alice, name, account="Kessler") for name in ("Roll-out", "Renewal")]
    async with unit_of_work(alice) as uow:
        person = {"first_name": "Ida", "last_name": "Berg", "account_id": deals[0].account_id}
        ida = await records.create(uow, CONTACT, person)
        await records.create(uow, CONTACT, {"last_name": "Zorn"})
    board = await open_board(await visit(alice))
    await board.drag("Roll-out", "Proposal")
    who = board.dialog.get_by_role("combobox", name="Primary contact")
    await who.click()
    await expect(board.dialog.get_by_role("option")).to_have_text(["Ida Berg"])  # the account's own come first
    await who.fill("zor")
    await expect(board.dialog.get_by_role("option").first).to_contain_text("Zorn")
    await who.fill("ber")
    await board.dialog.get_by_role("option", name="Ida Berg").click()
    rival = board.dialog.get_by_role("combobox", name="Competitor")
    await rival.fill("Globex")
    await board.dialog.get_by_role("option", name="Create “Globex”").click()
    await board.dialog.get_by_role("button", name="Move to Proposal").click()
    await expect(board.dialog).to_have_count(0)
    await board.shows("Proposal", "Roll-out")
    first = await read_deal(alice, deals[0].id)
    assert first["primary_contact_id"] == ida.id

    await board.drag("Renewal", "Proposal")
    await rival.fill("glob")
    await board.dialog.get_by_role("option", name="Globex").first.click()
    await who.fill("Uwe Neu")
    await board.dialog.get_by_role("button", name="Move to Proposal").click()  # leaving the box takes the name
    await expect(board.dialog).to_have_count(0)
    await board.shows("Proposal", "Renewal", "Roll-out")
    second = await read_deal(alice, deals[1].id)
    assert second["primary_competitor_id"] == first["primary_competitor_id"]
    async with unit_of_work(alice) as uow:
        uwe = await uow.get(Contact, second["primary_contact_id"])
    assert (uwe.first_name, uwe.last_name, uwe.account_id) == ("Uwe", "Neu", deals[1].account_id)


async def test_escape_on_the_question_returns_the_card_too(visit, admin, alice):
    await want(admin, "Discovery", "next_step")
    await a_deal(alice, "Roll-out")
    page = await visit(alice)
    board = await open_board(page)
    await board.drag("Roll-out", "Discovery")
    await expect(board.dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await board.shows("Qualify", "Roll-out")
    await board.drag("Roll-out", "Negotiation")  # and it can be dragged again at once
    await board.shows("Negotiation", "Roll-out")


async def test_won_leaves_the_board_with_its_amount_and_comes_back_with_undo(visit, alice):
    deal = await a_deal(alice, "Roll-out", amount_minor=2_000_000)
    page = await visit(alice)
    board = await open_board(page)
    await board.drag_to_end("Roll-out", "won")
    await expect(board.dialog.get_by_role("heading", name="Mark as won")).to_be_visible()
    await board.shows("Qualify", "Roll-out")  # it waits where it was
    await board.dialog.get_by_role("button", name="Mark as won").click()
    await board.shows("Qualify")
    await board.shows_figures("Qualify", 0, "€ 0")
    row = await read_deal(alice, deal.id)
    assert row["status"] is OpportunityStatus.won
    assert row["actual_close_on"] == alice.day_of(utcnow())

    await board.notice("Roll-out won").get_by_role("button", name="Undo").click()
    await board.shows("Qualify", "Roll-out")
    await board.shows_figures("Qualify", 1, "€ 20 k")
    assert (await read_deal(alice, deal.id))["status"] is OpportunityStatus.open


async def test_lost_wants_a_reason(visit, alice):
    deal = await a_deal(alice, "Roll-out")
    page = await visit(alice)
    board = await open_board(page)
    await board.drag_to_end("Roll-out", "lost")
    confirm = board.dialog.get_by_role("button", name="Mark as lost")
    await confirm.click()
    await expect(board.dialog.get_by_text(re.compile("Reason is required"))).to_be_visible()
    assert (await read_deal(alice, deal.id))["status"] is OpportunityStatus.open
    reason = board.dialog.get_by_label("Reason")
    await reason.select_option(label="Too expensive")
    await board.dialog.get_by_label("Close date").fill((alice.day_of(utcnow()) - timedelta(days=2)).isoformat())
    await board.dialog.get_by_label("Note (optional)").fill("Half the price next door")
    await confirm.click()
    await expect(board.dialog).to_have_count(0)
    await board.shows("Qualify")
    row = await read_deal(alice, deal.id)
    assert (row["status"], row["win_loss_details"]) == (OpportunityStatus.lost, "Half the price next door")
    assert row["actual_close_on"] == alice.day_of(utcnow()) - timedelta(days=2)


async def test_keep_open_leaves_the_deal_alone(visit, alice):
    deal = await a_deal(alice, "Roll-out")
    board = await open_board(await visit(alice))
    await board.drag_to_end("Roll-out", "lost")
    await board.dialog.get_by_role("button", name="Keep open").click()
    await board.shows("Qualify", "Roll-out")
    assert (await read_deal(alice, deal.id))["version"] == deal.version


async def test_a_reader_cannot_pick_a_card_up_and_hears_why(visit, alice, reader):
    deal = await a_deal(alice, "Roll-out")
    page = await visit(reader)
    board = await open_board(page)
    await expect(board.card("Roll-out")).to_be_visible()
    await expect(page.get_by_role("button", name="New deal")).to_have_count(0)
    await expect(page.get_by_role("button", name="Add deal to Qualify")).to_have_count(0)
    await board.card("Roll-out").focus()
    await page.keyboard.press("Space")
    why = page.locator(".notice.bad")
    await expect(why).to_have_count(1)
    assert "move" in await why.inner_text()
    await page.keyboard.press("ArrowRight")
    await board.shows("Qualify", "Roll-out")
    assert (await read_deal(alice, deal.id))["version"] == deal.version


async def test_a_right_taken_away_meanwhile_returns_the_card(visit, workspace, admin, alice):
    deal = await a_deal(alice, "Roll-out")
    board = await open_board(await visit(alice))
    await board.lift("Roll-out")
    await board.carry("Proposal")
    async with unit_of_work(admin) as uow:
        await users.change(uow, alice.user_id, role_id=workspace.roles["read_only"], team_id=workspace.team_id)
    await board.page.mouse.up()
    await expect(board.page.locator(".notice.bad")).to_be_visible()
    await board.shows("Qualify", "Roll-out")
    await board.shows("Proposal")
    assert (await read_deal(admin, deal.id))["version"] == deal.version


async def test_a_colleague_was_faster_and_the_card_goes_where_they_put_it(visit, alice, bob):
    deal = await a_deal(alice, "Roll-out")
    board = await open_board(await visit(alice))
    await board.lift("Roll-out")
    await board.carry("Proposal")
    await move(bob, deal, "Contract")
    await board.page.mouse.up()
    await expect(board.notice("Bob moved Roll-out to Contract")).to_be_visible()
    await board.shows("Contract", "Roll-out")
    await board.shows("Proposal")
    assert await stage_of(alice, deal) == "Contract"


async def test_without_a_connection_the_card_returns_and_retry_moves_it_once(visit, alice):
    visit.expect_noise()
    deal = await a_deal(alice, "Roll-out")
    page = await visit(alice)
    board = await open_board(page)
    await page.context.set_offline(True)
    await board.drag("Roll-out", "Proposal")
    notice = board.notice("You are offline: “Roll-out” was not moved")
    await expect(notice).to_be_visible()
    await board.shows("Qualify", "Roll-out")
    await expect(page.locator(".connection")).to_have_text(re.compile("Offline"))
    assert (await read_deal(alice, deal.id))["version"] == deal.version

    await page.context.set_offline(False)
    await expect(page.locator(".connection")).to_have_text("")
    await notice.get_by_role("button", name="Retry").click()
    await board.shows("Proposal", "Roll-out")
    await expect(board.notice("Roll-out moved to Proposal")).to_be_visible()
    row = await read_deal(alice, deal.id)
    assert (await stage_of(alice, deal), row["version"]) == ("Proposal", deal.version + 1)
