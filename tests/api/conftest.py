"""The real app behind a real socket: uvicorn on the loopback, in the loop of the tests."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn

from crm_app.api import auth, guard, headers
from crm_app.api.rest import calls
from crm_app.core.context import Actor
from crm_app.core.errors import NotFound
from crm_app.services.people import api_keys, sessions
from crm_app.store.uow import unit_of_work
from tests.api.browser import Browser
from tests.conftest import forget_settings
from tests.people import PASSWORD
from tests.services.people.test_sessions import address_of

PAGE = """<html><head><script>theme()</script></head><body><script src="/assets/a.js"></script>
<script type="module">import "/assets/b.js";</script></body></html>"""


@pytest.fixture(scope="session")
async def base_url(app_database: None) -> AsyncIterator[str]:
    os.environ |= {"__REFLEX_SKIP_COMPILE": "true", "REFLEX_ENV_MODE": "prod", "REFLEX_STATE_MANAGER_MODE": "memory"}
    os.environ["CRM_WORKER_IN_PROCESS"] = "false"
    forget_settings()
    from crm_app.crm_app import app

    server = uvicorn.Server(uvicorn.Config(app(), host="127.0.0.1", port=0, log_level="warning"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task
    del os.environ["CRM_WORKER_IN_PROCESS"]
    forget_settings()


@pytest.fixture(autouse=True)
def fresh_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test used up is not missing in the next."""
    for buckets in (guard._FORMS, guard._SOCKETS, auth._SIGN_UPS, calls._STRANGERS):
        buckets.clear()
    calls._callers.clear()


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Pages as a build leaves them."""
    for page in ("index.html", "404.html", "pipeline/index.html"):
        (tmp_path / page).parent.mkdir(exist_ok=True)
        (tmp_path / page).write_text(PAGE.replace("theme()", f"theme('{page}')"))
    monkeypatch.setattr(headers, "BUILD", tmp_path)
    return tmp_path


@pytest.fixture
async def browser(base_url: str) -> AsyncIterator[type[Browser]]:
    """Makes browsers, each with a cookie jar of its own: `alices = await browser(alice)`."""
    made: list[Browser] = []

    async def make(actor: object = None) -> Browser:
        new = Browser(httpx.AsyncClient(base_url=base_url, headers={"user-agent": "Firefox"}), base_url)
        made.append(new)
        if actor is not None:
            token = await sessions.sign_in(await address_of(actor), PASSWORD, ip="127.0.0.1", user_agent="Firefox")
            new.http.cookies.set(sessions.cookie_name(), token)
        return new

    yield make  # type: ignore[misc]
    for each in made:
        await each.http.aclose()


@pytest.fixture
async def program(base_url: str) -> AsyncIterator[Callable[..., Awaitable[httpx.AsyncClient]]]:
    """Makes programs that call the API with a key of their own: `await program(alice, scopes=["account.read"])`."""
    made: list[httpx.AsyncClient] = []
    keys: list[tuple[Actor, UUID]] = []

    async def make(actor: Actor, *, scopes: Sequence[str] = ("*",), **key: Any) -> httpx.AsyncClient:
        maker = replace(actor, permissions=actor.permissions | {api_keys.CREATE})
        async with unit_of_work(maker) as uow:
            token, key_made = await api_keys.create(
                uow, name="A program", scopes=scopes, **{"per_minute": 60_000, **key}
            )
        headers = {"authorization": f"Bearer {token}", "user-agent": "Program/1.0"}
        made.append(httpx.AsyncClient(base_url=f"{base_url}/api", headers=headers))
        keys.append((maker, key_made.id))
        return made[-1]

    yield make
    for each in made:
        await each.aclose()
    for maker, key_id in keys:
        with contextlib.suppress(NotFound):
            async with unit_of_work(maker) as uow:
                await api_keys.revoke(uow, key_id)
