"""Two people at one board, a server that falls over, and strangers who must see nothing of it."""

import json
import re

from playwright.async_api import Page, WebSocket, expect

from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.people import sessions
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.e2e.board import BoardPage, open_board
from tests.e2e.test_drop_outcomes import move
from tests.services.sales.deals import a_deal, read_deal, stage_ids


async def both(visit, alice, bob) -> tuple[BoardPage, BoardPage]:
    return await open_board(await visit(alice)), await open_board(await visit(bob))


async def test_a_move_a_new_deal_and_the_figures_reach_the_colleague(visit, admin, alice, bob):
    await a_deal(alice, "Roll-out", amount_minor=2_000_000)
    hers, his = await both(visit, alice, bob)
    await hers.drag("Roll-out", "Negotiation")
    await his.shows("Negotiation", "Roll-out")
    await his.shows_figures("Negotiation", 1, "€ 20 k")
    await his.shows_figures("Qualify", 0, "€ 0")
    await expect(his.page.locator(".notice")).to_have_count(0)  # what others do is seen, not announced

    late = await a_deal(bob, "Late arrival", amount_minor=1_000_000)
    await hers.shows("Qualify", "Late arrival")
    async with unit_of_work(bob) as uow:
        await records.update(uow, OPPORTUNITY, late.id, {"name": "Renamed", "amount_minor": 3_000_000})
    await hers.shows("Qualify", "Renamed")
    await hers.shows_figures("Qualify", 1, "€ 30 k")
    async with unit_of_work(admin) as uow:
        await records.delete(uow, OPPORTUNITY, late.id)
    await hers.shows("Qualify")


async def test_who_is_here_is_shown_until_they_leave(visit, alice, bob):
    hers, his = await both(visit, alice, bob)
    await expect(hers.page.get_by_role("img", name="Here now: Bob")).to_be_visible()
    await expect(his.page.get_by_role("img", name="Here now: Alice")).to_be_visible()
    await his.page.close()
    await expect(hers.page.get_by_role("img", name="Here now: Bob")).to_have_count(0)


async def test_nothing_shifts_under_a_card_in_the_hand(visit, alice, bob):
    below = await a_deal(alice, "Below")
    await a_deal(alice, "Above")
    hers, his = await both(visit, alice, bob)
    await hers.lift("Above")
    await move(bob, below, "Contract")
    await his.shows("Contract", "Below")
    await expect(hers.titles("Qualify")).to_have_text(["Above", "Below"])
    await hers.carry("Proposal")
    await hers.page.mouse.up()
    for board in (hers, his):
        await board.shows("Contract", "Below")
        await board.shows("Proposal", "Above")
        await board.shows("Qualify")


async def test_boards_heal_after_the_server_was_killed(visit, server, alice, bob):
    visit.expect_noise()
    deal = await a_deal(alice, "Roll-out")
    hers, his = await both(visit, alice, bob)
    await hers.page.get_by_role("button", name="Add deal to Discovery").click()
    typed = hers.page.get_by_role("form", name="Add deal to Discovery").get_by_label("Title")
    await typed.fill("Half a thought")
    await his.drag_to_end("Roll-out", "lost")
    note = his.dialog.get_by_label("Note (optional)")
    await note.fill("Half the price next door")
    await hers.page.evaluate("window.stayed = true")

    server.kill()
    banner = hers.page.locator(".connection")
    await expect(banner).to_have_text(re.compile("Reconnecting"))
    await hers.shows("Qualify", "Roll-out")  # what was there stays
    await move(bob, deal, "Proposal")  # meanwhile, from elsewhere
    await server.start()

    await expect(banner).to_have_text("", timeout=15_000)
    for board in (hers, his):
        await board.shows("Proposal", "Roll-out")
    await expect(typed).to_have_value("Half a thought")
    assert await hers.page.evaluate("window.stayed")  # no reload

    await hers.drag("Roll-out", "Contract")
    await his.shows("Contract", "Roll-out")
    await expect(note).to_have_value("Half the price next door")  # a question that was open still is
    await his.dialog.get_by_role("button", name="Mark as lost").click()
    await expect(his.dialog.get_by_text("Reason is required")).to_be_visible()
    await expect(note).to_have_value("Half the price next door")
    await his.dialog.get_by_label("Reason").select_option(label="Too expensive")
    await his.dialog.get_by_role("button", name="Mark as lost").click()
    await expect(his.dialog).to_have_count(0)
    await hers.shows("Contract")
    assert (await read_deal(alice, deal.id))["win_loss_details"] == "Half the price next door"
    await hers.page.get_by_role("form", name="Add deal to Discovery").get_by_role("button", name="Add deal").click()
    await expect(hers.dialog.get_by_label("Name")).to_have_value("Half a thought")


async def test_a_drop_while_the_server_is_away_moves_nothing_twice(visit, server, alice):
    visit.expect_noise()
    deal = await a_deal(alice, "Roll-out")
    board = await open_board(await visit(alice))
    server.kill()
    await board.drag("Roll-out", "Proposal")
    notice = board.notice("“Roll-out” was not moved")
    await expect(notice).to_be_visible(timeout=12_000)
    await board.shows("Qualify", "Roll-out")
    await server.start()
    await expect(board.page.locator("html")).not_to_have_attribute("data-disconnected", "", timeout=15_000)
    await board.shows("Qualify", "Roll-out")
    await notice.get_by_role("button", name="Retry").click()
    await board.shows("Proposal", "Roll-out")
    await expect(board.notice("Roll-out moved to Proposal")).to_be_visible()
    assert (await read_deal(alice, deal.id))["version"] == deal.version + 1


async def test_a_session_ended_elsewhere_leads_to_the_door_at_the_next_click(visit, alice):
    visit.expect_noise()
    await a_deal(alice, "Roll-out")
    page = await visit(alice)
    board = await open_board(page)
    async with unit_of_work(alice) as uow:
        await sessions.revoke_all_of(uow, alice.user_id)
    await page.keyboard.press("c")
    await expect(page).to_have_url(re.compile("/sign-in"))
    await expect(page.get_by_text("Your session has ended")).to_be_visible()
    assert board


async def test_strangers_see_nothing(visit, alice, mallory):
    """Not on the page, and not through a tab's token that was stolen."""
    secret = await a_deal(alice, "Secret roll-out")
    hers = await visit(alice)
    await open_board(hers)
    token = await hers.evaluate("sessionStorage.getItem('token')")
    assert token
    for who in (mallory, None):
        context = await visit.context(who)
        await context.add_init_script(f"sessionStorage.setItem('token', {json.dumps(token)})")
        page = await visit.open(context, "", name=who.name if who else "nobody")
        heard = frames_of(page)
        await page.goto(f"/pipeline?p={secret.pipeline_id}")
        await expect(page.get_by_role("heading", name="Qualify" if who else "Sign in")).to_be_visible()
        await move(alice, secret, stage := "Proposal" if who else "Contract")
        await (await open_board(hers)).shows(stage, "Secret roll-out")  # whoever may hear of it has
        await expect(page.get_by_text("Secret roll-out")).to_have_count(0)
        assert heard and not [f for f in heard if "Secret" in f or "Alice" in f or str(secret.id) in f]


def frames_of(page: Page) -> list[str]:
    heard: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: heard.append(str(frame)))

    page.on("websocket", listen)
    return heard


async def test_a_colleague_without_the_right_to_see_a_deal_does_not_hear_of_it(visit, alice, carol):
    """Carol sells in another team."""
    stages = await stage_ids(alice)
    deal = await a_deal(alice, "Not hers")
    page = await visit(carol, "")
    heard = frames_of(page)
    await page.goto("/pipeline")
    board = await open_board(page)
    await move(alice, deal, "Proposal")
    await a_deal(carol, "Hers", stage_id=stages["Proposal"])
    await board.shows("Proposal", "Hers")
    await board.shows_figures("Proposal", 1, "€ 10 k")
    assert not [f for f in heard if "Not hers" in f]
