"""docs/how-to/use-the-api.md tells the truth: its examples are run, by a shell, with curl."""

import asyncio
import json
import re
import shutil

import pytest

from crm_app.settings import ROOT
from tests.people import PASSWORD
from tests.services.people.test_sessions import address_of
from tests.services.sales.deals import a_deal

GUIDE = ROOT / "docs" / "how-to" / "use-the-api.md"
BLOCKS = [b for b in re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL) if "export KEY" not in b]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
async def test_the_examples_work(base_url, program, admin, tmp_path):
    await a_deal(admin, "Roll-out", amount_minor=99_000_00)
    client = await program(admin)
    script = "set -eu\n" + "\necho; echo '---'\n".join(BLOCKS)
    given = {
        "CRM": base_url, "KEY": client.headers["authorization"].removeprefix("Bearer "), "PATH": "/usr/bin:/bin",
        "EMAIL": await address_of(admin), "PASSWORD": PASSWORD,
    }  # fmt: skip
    done = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=tmp_path, env=given, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await done.communicate()
    assert done.returncode == 0, errors.decode()
    parts = [part.strip() for part in output.decode().split("\n---\n")]
    assert len(parts) == len(BLOCKS)
    refused = [p for p in parts if '"error_code"' in p and '"results"' not in p]
    assert refused == []
    listed, deals, found, made, changed, gone, many, files, exported, comment, file, notices, pair = parts
    assert {"data", "paging"} == set(json.loads(listed))
    (deal,) = json.loads(deals)["data"]
    assert deal["amount_minor"] == 99_000_00 and deal["account"]["name"]
    assert json.loads(found)["filter"]["sentence"]
    assert made == "" and json.loads(changed)["city"] == "Hamburg"
    assert '"deleted_at"' in gone and '"name":"Acme Tools"' in gone
    assert [r["status"] for r in json.loads(many)["results"]] == [201, 422]
    assert files.count('"status_url":"/api/imports/') == 2
    assert "Acme Tools" in exported  # what was imported comes as soon as a worker has it
    assert json.loads(comment)["plain"].endswith(" signed today") and json.loads(comment)["mentions"]
    assert json.loads(file)["size"] == 19 and json.loads(notices)["unread"] == 0
    assert json.loads(pair)["token_type"] == "Bearer"
