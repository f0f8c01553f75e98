"""Two app processes with one database and one Redis, behind a balancer without sticky sessions."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.async_api import expect

from crm_app.models.activities.activities import Activity
from crm_app.models.base import table_of
from crm_app.store.databases import DatabaseUrls
from crm_app.store.uow import unit_of_work
from tests.e2e.board import open_board
from tests.e2e.proxy import Proxy
from tests.e2e.server import Server, free_port
from tests.e2e.test_deal_page import edit, field, open_deal, value
from tests.e2e.test_drag import stage_of
from tests.services.sales.deals import a_deal, read_deal

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def redis_url(run_folder: Path) -> Iterator[str]:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("redis-server is not installed: `apt install redis-server`, `brew install redis` or the like")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, cwd=run_folder, stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


@dataclass
class Pair:
    first: Server
    second: Server
    balancer: Proxy


@pytest.fixture
async def pair(
    front_end: None, app_database: None, database: DatabaseUrls, run_folder: Path, redis_url: str
) -> AsyncIterator[Pair]:
    """New ones for each test: one of them is killed in the end."""
    balancer = Proxy(free_port(), 0)
    first, second = (
        Server(database, run_folder / f"{name}.log", REDIS_URL=redis_url, CRM_BASE_URL=balancer.url)
        for name in ("first", "second")
    )
    await asyncio.gather(first.start(), second.start())
    balancer.target = first.port
    await balancer.start()
    yield Pair(first, second, balancer)
    await balancer.stop()
    first.stop()
    second.stop()


async def test_boards_of_two_processes_are_one(visit, pair, alice, bob):
    visit.expect_noise()
    deal = await a_deal(alice, "Roll-out", amount_minor=2_000_000)
    hers = await open_board(await visit(alice, base_url=pair.first.url))
    his = await open_board(await visit(bob, base_url=pair.second.url))
    await expect(his.page.get_by_role("img", name="Here now: Alice")).to_be_visible()
    await hers.drag("Roll-out", "Proposal")
    await his.shows("Proposal", "Roll-out")
    await his.shows_figures("Proposal", 1, "€ 20 k")
    await his.drag("Roll-out", "Contract")
    await hers.shows("Contract", "Roll-out")
    assert await stage_of(alice, deal) == "Contract"


async def test_a_tab_goes_on_at_the_other_process(visit, pair, alice):
    """What the tab was in the middle of lies in Redis: either process takes it up."""
    visit.expect_noise()
    deal = await a_deal(alice, "Roll-out")
    page = await visit(alice, base_url=pair.balancer.url)
    board = await open_board(page)
    await page.evaluate("window.stayed = true")
    await board.drag("Roll-out", "Proposal")
    await expect(board.notice("Roll-out moved to Proposal")).to_be_visible()
    await board.drag_to_end("Roll-out", "lost")
    await board.dialog.get_by_label("Reason").select_option(label="Too expensive")
    await board.dialog.get_by_label("Note (optional)").fill("Half the price next door")

    pair.balancer.target = pair.second.port
    pair.first.kill()
    pair.balancer.cut()
    await expect(page.locator("html")).not_to_have_attribute("data-disconnected", "", timeout=15_000)
    await expect(board.dialog.get_by_label("Note (optional)")).to_have_value("Half the price next door")
    await board.dialog.get_by_role("button", name="Mark as lost").click()
    await expect(board.notice("Roll-out lost")).to_be_visible()
    await board.shows("Proposal")
    assert (await read_deal(alice, deal.id))["win_loss_details"] == "Half the price next door"

    await a_deal(alice, "Next one")  # and it hears of others again
    await board.shows("Qualify", "Next one")
    await board.drag("Next one", "Discovery")
    await board.shows("Discovery", "Next one")
    assert await page.evaluate("window.stayed")


async def test_what_was_typed_and_sent_goes_on_at_the_other_process(visit, pair, alice):
    """First the line is lost between a tab and a process that lives, then a process dies with what it was sent."""
    visit.expect_noise()
    deal = await a_deal(alice)
    page = await open_deal(visit, alice, deal, base_url=pair.balancer.url)
    await page.evaluate("window.stayed = true")
    box = page.get_by_role("textbox", name="What was said?")
    await box.fill("They want it")
    await edit(page, "campaign", "Spr", key="")
    pair.balancer.target = pair.second.port
    pair.balancer.cut()
    await expect(page.locator("html")).not_to_have_attribute("data-disconnected", "", timeout=15_000)
    await page.keyboard.type("ing")
    await page.keyboard.press("Enter")
    await expect(value(page, "campaign")).to_have_text("Spring")
    await box.press("End")
    await box.press_sequentially(" by May")

    pair.balancer.target = pair.first.port
    pair.second.freeze()
    await page.keyboard.press("Control+Enter")
    await edit(page, "next_step", "Send the prices")
    await expect(field(page, "next_step").locator("[aria-busy=true]")).to_have_text("Send the prices")
    pair.second.kill()
    await expect(value(page, "next_step")).to_have_text("Send the prices", timeout=15_000)
    await expect(page.locator(".tl li").filter(has_text="They want it by May")).to_have_count(1, timeout=15_000)
    await expect(box).to_have_value("")
    assert await page.evaluate("window.stayed")
    row = await read_deal(alice, deal.id)
    assert (row["campaign"], row["next_step"]) == ("Spring", "Send the prices")
    async with unit_of_work(alice) as uow:
        where = table_of(Activity).c.opportunity_id == deal.id
        assert await uow.scalar(sa.select(sa.func.count()).where(where)) == 1
