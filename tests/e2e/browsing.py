"""Chromium for the journeys: whose browser it is, what its console said, and what is kept of a failed test."""

import asyncio
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect

from crm_app.core.context import Actor
from crm_app.services.people import sessions
from crm_app.settings import ROOT
from crm_app.store.uow import unit_of_work

RESULTS = ROOT / "test-results"
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 375, "height": 812}
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
# What a page says when its line is cut; expected only by tests that cut it.
CUT_OFF = re.compile(r"net::ERR_|WebSocket|Failed to load resource|Failed to fetch")


async def launch(playwright: Playwright) -> Browser:
    """The system's Chromium if there is one, else Playwright's own."""
    known = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return await playwright.chromium.launch(executable_path=known, args=[*_FLAGS])


@dataclass
class Visits:
    """Opens pages as somebody, each person in a browser of their own, and watches what the consoles say."""

    browser: Browser
    url: str
    pages: list[tuple[str, Page]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=list)

    async def __call__(self, who: Actor | None, path: str = "/pipeline", **options: Any) -> Page:
        """A new browser, signed in as `who` (nobody when None), at `path`. `options` are those of Playwright's
        `new_context`."""
        context = await self.context(who, **options)
        return await self.open(context, path, name=who.name if who else "nobody")

    async def context(self, who: Actor | None, **options: Any) -> BrowserContext:
        usual = {"base_url": self.url, "viewport": DESK, "locale": "en-GB", "timezone_id": "Europe/Berlin"}
        context = await self.browser.new_context(**usual | options)
        context.set_default_timeout(7_000)
        self._contexts.append(context)
        if who is not None:
            await sign_in(context, who, self.url)
        return context

    async def open(self, context: BrowserContext, path: str, *, name: str = "page") -> Page:
        page = await context.new_page()
        self.pages.append((name, page))
        page.on("console", lambda message: self._heard(name, message))
        page.on("pageerror", lambda error: self.said.append(f"{name}: uncaught {error}"))
        if path:
            await page.goto(path)
        return page

    def expect_noise(self, pattern: re.Pattern[str] | str = CUT_OFF) -> None:
        """From here on errors of this kind belong to the test."""
        self._expected.append(re.compile(pattern))

    @property
    def complaints(self) -> list[str]:
        """Errors on the consoles that no test expected; a breach of the content security policy is one."""
        return [line for line in self.said if not any(p.search(line) for p in self._expected)]

    def _heard(self, name: str, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.said.append(f"{name}: {message.text} ({message.location.get('url', '')})")

    async def keep(self, test: str, log: str) -> None:
        """What a failed test leaves behind."""
        folder = RESULTS / re.sub(r"[^\w.-]+", "_", test)
        folder.mkdir(parents=True, exist_ok=True)
        for number, (name, page) in enumerate(self.pages):
            if not page.is_closed():
                await _picture(page, folder / f"{number}-{name}.png")
        (folder / "console.txt").write_text("\n".join(self.said))
        (folder / "server.txt").write_text(log)

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()


async def _picture(page: Page, path: Path) -> None:
    try:
        await asyncio.wait_for(page.screenshot(path=path), 10)
    except Exception as error:  # noqa: BLE001 - a page that cannot be drawn is part of what went wrong
        path.with_suffix(".txt").write_text(f"{page.url}: {error}")


async def listening(page: Page) -> None:
    """What is the same for everybody is seen a moment before the program behind it hears of keys and presses; what
    belongs to the person comes after that, so who waits for that needs not wait for this."""
    await expect(page.locator("html[data-letters]")).to_have_count(1)


async def sign_in(context: BrowserContext, who: Actor, url: str) -> None:
    """A session without typing the password."""
    async with unit_of_work(who) as uow:
        token = await sessions.open_session(uow, who.user_id)
    await context.add_cookies([{"name": sessions.cookie_name(), "value": token, "url": url, "httpOnly": True}])
