"""`crm import` as a person types it."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crm_app.settings import ROOT
from crm_app.store.databases import DatabaseUrls
from tests.cli.runs import crm

MAPPING = ROOT / "docs" / "how-to" / "maven-crm.yaml"
FILES = ROOT / "tests" / "services" / "imports" / "maven"
FOUND = """
import asyncio
from crm_app import parts
from crm_app.services.sales import workspaces
parts.load("models", "services")
ada = {"name": "Ada Admin", "email": "ada@example.com", "password": "a sentence of tests"}
asyncio.run(workspaces.found(workspace="Maven", **ada))
"""


@pytest.fixture
def urls(another_database: Callable[..., DatabaseUrls]) -> DatabaseUrls:
    """A database with one workspace."""
    made = another_database()
    environment = {**os.environ, "DATABASE_URL": made.app, "DATABASE_OWNER_URL": made.owner}
    subprocess.run([sys.executable, "-c", FOUND], cwd=ROOT, env=environment, check=True)
    return made


def test_look_write_list_and_take_back(urls: DatabaseUrls) -> None:
    looked = crm("import", MAPPING, "--folder", FILES, "--dry-run", urls=urls)
    assert looked.code == 0, looked.text
    assert "Nothing was written." in looked.text
    assert 'account is empty: "(No account)" is taken' in looked.lines
    assert "close_value is empty: the list price of the product is taken" in looked.lines
    assert "No import was made here yet." in crm("import", "--list", urls=urls).text

    written = crm("import", MAPPING, "--folder", FILES, "--yes", "--as", "ADA@example.com", urls=urls)
    assert written.code == 0, written.text
    assert "25 created, 0 changed" in written.lines
    batch = written.text.split("--revert ")[1].split()[0]
    listed = crm("import", "--list", urls=urls).lines
    assert batch in listed
    assert "Ada Admin" in listed

    again = crm("import", MAPPING, "--folder", FILES, "--yes", urls=urls)
    assert "There is nothing to write." in again.text

    back = crm("import", "--revert", batch, "--yes", urls=urls)
    assert back.code == 0, back.text
    assert "7 opportunity" in back.lines
    assert crm("import", "--revert", batch, "--yes", urls=urls).lines.endswith("This import is reverted already.")


OWN_FIELD = """
import asyncio
from crm_app import parts
from crm_app.services.people import actors
from crm_app.services.platform import custom_fields
from crm_app.store.uow import unit_of_work
parts.load("models", "services")
async def add():
    async with unit_of_work(await actors.by_email("ada@example.com")) as uow:
        await custom_fields.create(uow, "account", label="ERP no", kind="text")
asyncio.run(add())
"""


def test_fields_of_the_workspaces_own_are_filled(urls: DatabaseUrls, tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": urls.app, "DATABASE_OWNER_URL": urls.owner}
    subprocess.run([sys.executable, "-c", OWN_FIELD], cwd=ROOT, env=environment, check=True)
    (tmp_path / "a.csv").write_text("Name,No\nKessler,007\n")
    (tmp_path / "m.yaml").write_text(
        "steps: [{file: a.csv, entity: account, key: ERP no, columns: {Name: name, No: custom.erp_no}}]"
    )
    assert "1 created, 0 changed" in crm("import", tmp_path / "m.yaml", "--yes", urls=urls).lines
    assert "There is nothing to write." in crm("import", tmp_path / "m.yaml", "--yes", urls=urls).text


def test_it_asks_before_it_writes_and_lists_what_is_left_out(urls: DatabaseUrls, tmp_path: Path) -> None:
    shutil.copytree(FILES, tmp_path / "files")
    pipeline = tmp_path / "files" / "sales_pipeline.csv"
    pipeline.write_text(pipeline.read_text() + "=1+1,Nobody Known,GTX Pro,,Won,2017-01-01,2017-02-30,12\n")
    told = tmp_path / "problems.csv"
    answer = crm("import", MAPPING, "--folder", tmp_path / "files", "--problems", told, urls=urls)
    assert "Write 25 records, 1 rows are left out?" in answer.lines
    assert answer.code == 1  # nobody answers
    assert 'row 9: close_date: "2017-02-30" is no day of the calendar' in answer.lines
    with told.open(encoding="utf-8-sig", newline="") as file:
        assert [r["Row"] for r in csv.DictReader(file)] == ["9"]
    assert "No import was made here yet." in crm("import", "--list", urls=urls).text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import",), "Give a mapping file, or --revert with the id of an import, or --list."),
        (("import", "gone.yaml"), "There is no file gone.yaml."),
        (("import", MAPPING, "--folder", "."), "There is no file sales_teams.csv"),
        (("import", MAPPING, "--as", "nobody@example.com"), "Nobody signs in as nobody@example.com."),
        (("import", "--revert", "0197"), "No import has the id 0197."),
    ],
)
def test_what_is_wrong_is_said_in_one_line(urls: DatabaseUrls, arguments: tuple[object, ...], said: str) -> None:
    answer = crm(*arguments, urls=urls)
    assert answer.code == 1
    assert said in answer.lines
    assert "Traceback" not in answer.text
