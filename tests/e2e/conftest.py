"""Journeys in Chromium against the real server; each test has a fresh workspace, made through the services.

With SLOW_LINE=0.3 what the browser and the server say to each other takes 0.3 seconds each way: a journey that does not
wait for what a person would see fails then every time, and not by chance.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright, expect

from crm_app.services.platform import frontend
from crm_app.store.databases import DatabaseUrls
from tests.e2e.browsing import Visits, launch
from tests.e2e.proxy import Proxy
from tests.e2e.server import Server, free_port

_REPORT = pytest.StashKey[pytest.TestReport]()
_SLOW_LINE = float(os.environ.get("SLOW_LINE", "0"))
expect.set_options(timeout=7_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    report = yield
    if report.when == "call":
        item.stash[_REPORT] = report
    return report


@pytest.fixture(scope="session")
def front_end() -> None:
    """Built when something changed since the last time."""
    frontend.ensure(print)


@pytest.fixture(scope="session")
async def server(
    front_end: None, app_database: None, database: DatabaseUrls, run_folder: Path
) -> AsyncIterator[Server]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    made = Server(database, run_folder / f"server-{worker}.log")
    await made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
async def address(server: Server) -> AsyncIterator[str]:
    """Where browsers find it."""
    if not _SLOW_LINE:
        yield server.url
        return
    line = Proxy(free_port(), server.port, seconds=_SLOW_LINE)
    await line.start()
    yield line.url
    await line.stop()


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()


@pytest.fixture
async def visit(
    request: pytest.FixtureRequest, chromium: Browser, server: Server, address: str
) -> AsyncIterator[Visits]:
    """`page = await visit(alice, "/pipeline")`. A test whose console complains has failed."""
    if not server.is_running:  # a test that failed while it was down must not fail all that follow
        await server.start()
    visits = Visits(chromium, address)
    yield visits
    report = request.node.stash.get(_REPORT, None)
    complaints = visits.complaints
    if complaints or report is None or report.failed:
        await visits.keep(request.node.name, server.tail(200))
    await visits.close()
    assert not complaints, "\n".join(complaints)
