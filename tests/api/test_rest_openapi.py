"""The OpenAPI document keeps what it promises: Schemathesis makes up requests from it, good and bad, with and without a
token, and no answer is undocumented or an error of the server."""

import asyncio
import os
import re
import sys
from pathlib import Path

import httpx
import pytest

from crm_app.api.limits import Buckets
from crm_app.api.rest import calls, tokens
from crm_app.core import registry
from crm_app.models.people.users import Role
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal

CONFIG = Path(__file__).parent / "schemathesis.toml"
SECONDS = int(os.environ.get("SCHEMATHESIS_SECONDS", "13"))  # for each part


async def test_every_entity_is_described(base_url):
    async with httpx.AsyncClient(base_url=base_url) as client:
        document = (await client.get("/api/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    for entity in registry.all_entities():
        operations = document["paths"][f"/{entity.slug}/"]
        assert ("post" in operations) is not entity.is_managed
    text = str(document)
    assert "password_hash" not in text and "tenant_id" not in text


async def test_a_role_reads_of_its_own_fields_only(program, workspace):
    async with unit_of_work(workspace.admin) as uow:
        (await uow.get(Role, workspace.roles["rep"])).field_rights = {"opportunity.amount_minor": "hidden"}
    client = await program(await workspace.person("Rosa"))
    document = (await client.get("/openapi.json")).json()
    assert "amount_minor" not in document["components"]["schemas"]["Opportunity"]["properties"]


async def test_people_read_it_without_scripts_or_strangers(base_url):
    async with httpx.AsyncClient(base_url=base_url) as client:
        page = await client.get("/api/docs", headers={"accept": "text/html", "sec-fetch-dest": "document"})
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text and not re.search(r'(src|href)="https?://', page.text)
    assert "List opportunities" in page.text and "/api/accounts/{id}/restore/" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [
        "accounts|token|imports|me",
        "opportunities",
        "activities|users",
        "contacts|stages|products|competitors",
        "comments|files|notifications|products/{id}/(comments|files)",
    ],
)
async def test_no_answer_is_undocumented(base_url, program, workspace, monkeypatch, tmp_path, part):
    monkeypatch.setattr(calls, "_STRANGERS", Buckets(1000, 100_000))
    monkeypatch.setattr(tokens, "_ASKED", Buckets(1000, 100_000))
    for number in range(3):
        await a_deal(workspace.admin, f"Deal {number}")
    client = await program(workspace.admin)
    done = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "st"), "--config-file", str(CONFIG), "run", f"{base_url}/api/openapi.json",
        "--header", f"Authorization: {client.headers['authorization']}", "--include-path-regex", f"^/({part})/",
        "--checks", "all", "--mode", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "8",
        "--generation-allow-x00", "true", "--generation-database", "none", "--seed", "7", "--no-shrink",
        "--continue-on-failure", "--max-time", str(SECONDS), "--workers", "1", "--no-color", "--warnings", "off",
        "--suppress-health-check", "all", "--request-timeout", "20",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await done.communicate()
    assert done.returncode == 0, output.decode()[-12_000:]
