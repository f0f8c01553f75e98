"""In Chromium: time to the board, a drop until it is acknowledged, the same drop on a colleague's screen.

Marks are set in the pages by their own clocks; pages of one machine share it.
"""

import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, CDPSession, Page, WebSocket, async_playwright, expect

from bench.crowd import Crowd
from bench.ground import World, user_id_of
from bench.runner import memory_mb
from crm_app.core.context import Actor, Source
from crm_app.services.people import actors
from crm_app.services.platform import frontend
from crm_app.store.databases import database_urls
from crm_app.store.engine import close_engine
from tests.e2e.board import BoardPage, open_board
from tests.e2e.browsing import Visits, launch
from tests.e2e.server import Server

ACTIVE = 25  # people at the board beside the two who are measured
_SETTLE = 0.4
_WARM = 3  # drops that are not counted, as the other operations have too
_PATIENCE = 30_000  # milliseconds
# When the page first shows a card, and later: when a card stands in a stage and is saved.
_CLOCK = """
window.marks = {up: 0, card: 0};
const now = () => performance.timeOrigin + performance.now();
addEventListener("pointerup", () => { marks.up = now(); }, true);
new MutationObserver((_, watcher) => {
  if (document.querySelector("[data-deal]")) { marks.card = performance.now(); watcher.disconnect(); }
}).observe(document, {subtree: true, childList: true});
window.arrival = (id, stage, saved) => new Promise((tell, fail) => {
  let was = !saved;
  const stands = () => {
    const card = document.querySelector(`[data-deal="${id}"]`);
    if (!card) return false;
    if (card.classList.contains("saving")) { was = true; return false; }
    return was && card.closest("section.col")?.querySelector("h2")?.textContent === stage;
  };
  const watcher = new MutationObserver(() => { if (stands()) { watcher.disconnect(); tell(now()); } });
  watcher.observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ["class"]});
  setTimeout(() => { watcher.disconnect(); fail(new Error("the card did not arrive")); }, 30000);
});
"""


async def measure(world: World, *, quick: bool) -> dict[str, Any]:
    frontend.ensure(print)
    expect.set_options(timeout=_PATIENCE)  # slow is a figure, not a failure
    rounds = 4 if quick else 40
    with tempfile.TemporaryDirectory() as folder:
        server = Server(database_urls(), Path(folder) / "server.log")
        await server.start()
        try:
            await asyncio.sleep(2)
            found: dict[str, Any] = {"memory_idle_mb": memory_mb(server.pid)["app"]}
            people = [await _person(world, number) for number in (0, 1)]
            async with async_playwright() as playwright:
                browser = await launch(playwright)
                visits = Visits(browser, server.url)
                found |= await _loads(visits, people[0], 3 if quick else 7)
                found |= await _drops(visits, people, rounds, "alone")
                async with Crowd(world, server.url, visits, 5 if quick else ACTIVE):
                    found |= await _drops(visits, people, rounds, f"with {5 if quick else ACTIVE} active")
                await visits.close()
                await browser.close()
            found["memory_after_mb"] = memory_mb(server.pid)["app"]
        finally:
            server.stop()
            await close_engine()
    return found


async def _person(world: World, number: int) -> Actor:
    return await actors.actor_for(world.tenant_id, await user_id_of(world, world.emails[number]), source=Source.ui)


# -- Loading -----------------------------------------------------------------------------------------------------


async def _loads(visits: Visits, who: Actor, rounds: int) -> dict[str, Any]:
    cold: list[float] = []
    warm: list[float] = []
    bytes_cold = bytes_warm = requests = 0
    for _ in range(rounds):
        context = await visits.context(who)
        time_cold, bytes_cold, requests = await _load(visits, context)
        time_warm, bytes_warm, _ = await _load(visits, context)
        cold.append(time_cold)
        warm.append(time_warm)
        await context.close()
    return {
        "board_cold_ms": _summary(cold), "board_warm_ms": _summary(warm), "bytes_cold": bytes_cold,
        "bytes_warm": bytes_warm, "requests_cold": requests,
    }  # fmt: skip


async def _load(visits: Visits, context: BrowserContext) -> tuple[float, int, int]:
    """Milliseconds from the request of the page to the first card; bytes on the wire, websocket included; requests."""
    context.set_default_timeout(_PATIENCE)
    page = await visits.open(context, "")
    await page.add_init_script(_CLOCK)
    wire = await _wire(page)
    await page.goto("/pipeline")
    await open_board(BoardPage(page).page)
    await page.wait_for_function("marks.card > 0")
    shown = float(await page.evaluate("marks.card"))
    await asyncio.sleep(_SETTLE)
    await page.close()
    return shown, wire["bytes"], wire["requests"]


async def _wire(page: Page) -> dict[str, int]:
    counted = {"bytes": 0, "requests": 0}
    session: CDPSession = await page.context.new_cdp_session(page)
    await session.send("Network.enable")

    def finished(event: dict[str, Any]) -> None:
        counted["bytes"] += int(event["encodedDataLength"])
        counted["requests"] += 1

    session.on("Network.loadingFinished", finished)

    def opened(socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: counted.update(bytes=counted["bytes"] + len(data)))

    page.on("websocket", opened)
    return counted


# -- Dropping ----------------------------------------------------------------------------------------------------


async def _drops(visits: Visits, people: list[Actor], rounds: int, label: str) -> dict[str, Any]:
    hers, his = [await _ready(visits, person) for person in people]
    acknowledged: list[float] = []
    seen: list[float] = []
    stages = ["Qualify", "Discovery"]
    for number in range(_WARM + rounds):
        source, target = stages[number % 2], stages[(number + 1) % 2]
        card = hers.stage(source).locator("[data-deal]").nth(1)
        deal, title = await card.get_attribute("data-deal"), await card.locator("h3").inner_text()
        mine = asyncio.create_task(_arrival(hers.page, deal, target, saved=True))
        theirs = asyncio.create_task(_arrival(his.page, deal, target, saved=False))
        await asyncio.sleep(0.05)
        await hers.lift(title)
        await hers.carry(target)
        await hers.page.mouse.up()
        up = float(await hers.page.evaluate("marks.up"))
        took, theirs_took = await mine - up, await theirs - up
        if number >= _WARM:
            acknowledged.append(took)
            seen.append(theirs_took)
        await asyncio.sleep(_SETTLE)
    for board in (hers, his):
        await board.page.context.close()
    return {f"drop_acknowledged_{label}_ms": _summary(acknowledged), f"colleague_sees_{label}_ms": _summary(seen)}


async def _ready(visits: Visits, who: Actor) -> BoardPage:
    context = await visits.context(who)
    context.set_default_timeout(_PATIENCE)
    page = await visits.open(context, "")
    await page.add_init_script(_CLOCK)
    await page.goto("/pipeline")
    board = await open_board(page)
    await page.wait_for_function("marks.card > 0")
    await asyncio.sleep(1)
    return board


async def _arrival(page: Page, deal: str | None, stage: str, *, saved: bool) -> float:
    return float(await page.evaluate("([id, stage, saved]) => arrival(id, stage, saved)", [deal, stage, saved]))


def _summary(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 1),
        "count": len(ordered),
    }
