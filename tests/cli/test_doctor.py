"""`crm doctor` on a healthy installation and on broken ones: what is wrong is named, with the way to mend it."""

import base64
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crm_app.store import installation
from crm_app.store.databases import DatabaseUrls
from tests.cli.runs import Answer, crm

Make = Callable[..., DatabaseUrls]


def findings(answer: Answer) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(answer.text)}


def test_a_healthy_installation(another_database: Make):
    answer = crm("doctor", urls=another_database())
    assert answer.code == 0, answer.text
    for name in ("Python", "Packages", "Data folder", "Disk", "PostgreSQL", "Roles", "Migrations", "Secret key"):
        assert f"✓ {name}" in answer.lines
    assert "crm_app is held by row-level security" in answer.lines


def test_a_migration_half_done(another_database: Make):
    urls = another_database()
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        note = {"since": "2026-11-20T08:30:00+00:00", "from": "0001", "to": "0002", "backup": "/b/x.crm", "error": ""}
        installation.write(connection, "migration_run", note)
    answer = crm("doctor", "--json", urls=urls)
    check = findings(answer)["Migrations"]
    assert (answer.code, check["level"]) == (1, "fail")
    assert "0002 of 2026-11-20 08:30 UTC did not end" in check["found"]
    assert "crm restore /b/x.crm --replace" in check["remedy"]
    refused = crm("migrate", urls=urls)
    assert refused.code == 1
    assert "did not end" in refused.lines


def test_the_wrong_key(another_database: Make):
    wrong = base64.b64encode(b"y" * 32).decode()
    answer = crm("doctor", "--json", urls=another_database(), CRM_SECRET_KEY=wrong)
    check = findings(answer)["Secret key"]
    assert (answer.code, check["level"]) == (1, "fail")
    assert "not the one" in check["found"]
    assert "CRM_SECRET_KEY" in check["remedy"]


@pytest.mark.parametrize("key", ["not base64!", base64.b64encode(b"short").decode()])
def test_a_key_that_is_none(another_database: Make, key: str):
    check = findings(crm("doctor", "--json", urls=another_database(), CRM_SECRET_KEY=key))["Secret key"]
    assert check["level"] == "fail"
    assert "32 bytes in base64" in check["found"]


def test_a_lost_key(another_database: Make, tmp_path: Path):
    check = findings(crm("doctor", "--json", urls=another_database(), CRM_SECRET_KEY=None, CRM_DATA_DIR=tmp_path))[
        "Secret key"
    ]
    assert check["level"] == "fail"
    assert "is missing" in check["found"]


def test_a_folder_that_cannot_be_written(another_database: Make, run_folder: Path):
    folder = Path(tempfile.mkdtemp(prefix="full-", dir=run_folder))
    folder.chmod(0o555)
    answer = crm("doctor", "--json", urls=another_database(), powerless=True, CRM_DATA_DIR=folder)
    check = findings(answer)["Data folder"]
    assert (answer.code, check["level"]) == (1, "fail")
    assert str(folder) in check["found"]
    assert "CRM_DATA_DIR" in check["remedy"]


def test_a_data_folder_that_no_cluster_can_be_made_in(tmp_path: Path):
    (tmp_path / "taken").write_text("")
    no_server = {"DATABASE_URL": None, "DATABASE_OWNER_URL": None}  # so that one of its own would be made
    answer = crm("doctor", "--json", CRM_DATA_DIR=tmp_path / "taken" / "data", **no_server)
    check = findings(answer)["PostgreSQL"]
    assert (answer.code, check["level"]) == (1, "fail")
    assert "not a directory" in check["found"]
    assert "CRM_DATA_DIR" in check["remedy"]


def test_a_server_that_does_not_answer():
    urls = DatabaseUrls(*["postgresql://crm_app:x@127.0.0.1:9/crm"] * 3)
    answer = crm("doctor", "--json", urls=urls)
    check = findings(answer)["PostgreSQL"]
    assert (answer.code, check["level"]) == (1, "fail")
    assert "cannot be reached" in check["found"]


def test_a_role_that_row_level_security_does_not_hold(another_database: Make):
    urls = another_database()
    answer = crm("doctor", "--json", urls=DatabaseUrls(app=urls.owner, owner=urls.owner, direct=urls.owner))
    check = findings(answer)["Roles"]
    assert (answer.code, check["level"]) == (1, "fail")
    assert "workspaces are not kept apart" in check["found"]


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({"CRM_WORKERS": 2}, "2 workers and no Redis"),
        ({"CRM_WORKERS": 2, "REDIS_URL": "redis://127.0.0.1:9/0"}, "does not answer"),
    ],
)
def test_several_processes_need_redis(another_database: Make, environment: dict[str, Any], found: str):
    check = findings(crm("doctor", "--json", urls=another_database(), **environment))["Redis"]
    assert check["level"] == "fail"
    assert found in check["found"]


def test_a_setting_that_makes_no_sense_is_said_in_two_lines():
    answer = crm("doctor", CRM_PORT=99999)
    assert answer.code == 1
    assert "CRM_PORT" in answer.text
    assert "Traceback" not in answer.text


def test_the_embedded_database_is_looked_at_and_left_as_it_was(run_folder: Path):
    folder = Path(tempfile.mkdtemp(prefix="new-", dir=run_folder))
    folder.chmod(0o711)
    without = {"DATABASE_URL": None, "DATABASE_OWNER_URL": None, "CRM_DATA_DIR": folder}
    answer = crm("doctor", "--json", **without)
    found = findings(answer)
    assert "embedded" in found["PostgreSQL"]["found"]
    assert found["Migrations"]["level"] == "warn"
    assert not list((folder / "postgres" / "sock").iterdir()), "it was started for the look and still runs"
