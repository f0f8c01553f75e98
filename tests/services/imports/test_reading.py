"""Files as people send them: encodings, separators, headings; what cannot be read is said in words."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from crm_app.core.errors import Invalid
from crm_app.services.platform.imports.reading import ROW, FileHints, read_table
from tests.services.imports.conftest import ROOT


def _file(folder: Path, content: bytes, name: str = "deals.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("Name;City\nKöhler;Łódź\n".encode(), ()),
        ("Name;City\nKöhler;Łódź\n".encode("utf-8-sig"), ()),
        ("Name\tCity\nKöhler\tŁódź\n".encode("utf-16"), ("read as UTF-16",)),
        ("Name\tCity\nKöhler\tŁódź\n".encode("utf-16-le"), ("read as UTF-16-LE",)),
        ("sep=|\r\nName|City\r\nKöhler|Łódź\r\n".encode(), ()),
        ('"Name","City"\r\n"Köhler","Łódź"\r\n'.encode(), ()),
    ],
)
def test_usual_encodings_and_separators(tmp_path: Path, content: bytes, note: tuple[str, ...]) -> None:
    table = read_table(_file(tmp_path, content))
    assert table.columns == ("Name", "City")
    assert table.frame.select("Name", "City").rows() == [("Köhler", "Łódź")]
    assert table.notes == note


def test_windows_1252_is_told(tmp_path: Path) -> None:
    table = read_table(_file(tmp_path, "Name,City\nKöhler,Genève\n".encode("cp1252")))
    assert table.frame["City"].to_list() == ["Genève"]
    assert table.notes == ("read as Windows-1252",)


def test_a_comma_inside_semicolon_rows_is_no_separator(tmp_path: Path) -> None:
    table = read_table(_file(tmp_path, b"Name;Amount\nAcme, Inc.;1.234,50\nGlobex, Ltd.;2,00\n"))
    assert table.frame["Amount"].to_list() == ["1.234,50", "2,00"]


def test_rows_keep_the_numbers_a_spreadsheet_shows(tmp_path: Path) -> None:
    content = b'Export of 3 March\n\nName,Note\nA,"two\nlines"\n\nB,\n'
    table = read_table(_file(tmp_path, content))
    assert table.columns == ("Name", "Note")
    assert table.frame.rows() == [(4, "A", "two\nlines"), (6, "B", None)]


def test_headings_that_repeat_or_lack_get_names(tmp_path: Path) -> None:
    table = read_table(_file(tmp_path, b"Name,Name,,Name\nA,B,C,D\n"))
    assert table.columns == ("Name", "Name (2)", "Column 3", "Name (3)")
    assert 'there are two columns "Name"; the later one is "Name (2)"' in table.notes


def test_rows_with_too_many_cells_are_named_and_short_ones_filled(tmp_path: Path) -> None:
    table = read_table(_file(tmp_path, b"A,B\n1,2,3\n4\n5,6,\n"))
    assert table.frame.rows() == [(3, "4", None), (4, "5", "6")]
    assert [(r.row, r.message) for r in table.ragged] == [(2, "has 3 cells under 2 headings")]


def test_leading_zeros_and_inner_blanks_stay(tmp_path: Path) -> None:
    table = read_table(_file(tmp_path, b"No,Name\n007, Anna  Maria \n"))
    assert table.frame.select("No", "Name").rows() == [("007", "Anna  Maria")]


def test_a_large_file_is_read_whole(tmp_path: Path) -> None:
    rows = 120_000
    content = "No,Name\n" + "".join(f"{i},Deal {i}\n" for i in range(rows))
    table = read_table(_file(tmp_path, content.encode()))
    assert (table.frame.height, table.frame[ROW][-1]) == (rows, rows + 1)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n \n", "has no rows"),
        ("a.csv", b"PK\x03\x04\x00\x00\x00 binary \x00\x01\x02", "is no text table"),
        ("a.xlsx", b"not a spreadsheet at all", "cannot be read as a spreadsheet"),
        ("a.xlsx", b"PK\x03\x04 broken", "cannot be read as a spreadsheet"),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        read_table(_file(tmp_path, content, name))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"There is no file gone\.csv"):
        read_table(tmp_path / "gone.csv")


def test_a_wrong_encoding_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="is not written in ascii"):
        read_table(_file(tmp_path, "Name\nKöhler\n".encode()), FileHints(encoding="ascii"))


def test_the_row_of_headings_can_be_given(tmp_path: Path) -> None:
    table = read_table(_file(tmp_path, b"a,b,c\nName,City,Note\nx,y,z\n"), FileHints(head_row=2))
    assert table.columns == ("Name", "City", "Note")


def test_sheets_of_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "deals.xlsx"
    write_xlsx(
        path,
        {
            "Deals": [["No", "When", "Amount"], ["007", 45631, 1234.5], [None], ["12", 45632.5, True]],
            "More": [["A"], ["1"]],
        },
    )
    table = read_table(path)
    assert table.columns == ("No", "When", "Amount")
    assert table.frame.rows() == [(2, "007", "2024-12-05 00:00:00", "1234.5"), (4, "12", "2024-12-06 12:00:00", "true")]
    assert table.notes == ("sheet Deals of Deals, More",)
    assert read_table(path, FileHints(sheet="More")).frame["A"].to_list() == ["1"]
    with pytest.raises(Invalid, match="no sheet called Accounts; it has Deals, More"):
        read_table(path, FileHints(sheet="Accounts"))


def write_xlsx(path: Path, sheets: dict[str, list[list[object]]]) -> None:
    """The smallest workbook that spreadsheets accept; the second column is formatted as a date."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    numbers = range(1, len(sheets) + 1)
    types = {"workbook.xml": "sheet.main", "styles.xml": "styles"}
    types |= {f"worksheets/sheet{i}.xml": "worksheet" for i in numbers}
    overrides = "".join(f'<Override PartName="/xl/{n}" ContentType="{kind}.{t}+xml"/>' for n, t in types.items())
    rels = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    listed = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in zip(numbers, sheets, strict=True))
    links = [(f"r{i}", "worksheet", f"worksheets/sheet{i}.xml") for i in numbers] + [("s", "styles", "styles.xml")]

    def relations(*targets: tuple[str, str, str]) -> str:
        inner = "".join(f'<Relationship Id="{i}" Type="{rel}/{t}" Target="{to}"/>' for i, t, to in targets)
        return f'<Relationships xmlns="{package}/relationships">{inner}</Relationships>'

    formats = '<cellXfs count="2"><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types">{rels}{overrides}</Types>')
        book.writestr("_rels/.rels", relations(("r1", "officeDocument", "xl/workbook.xml")))
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets>{listed}</sheets></workbook>'
        )
        book.writestr("xl/_rels/workbook.xml.rels", relations(*links))
        book.writestr("xl/styles.xml", f'<styleSheet xmlns="{main}">{formats}</styleSheet>')
        for number, rows in zip(numbers, sheets.values(), strict=True):
            cells = ("".join(_cell(x, y, v) for x, v in enumerate(row)) for y, row in enumerate(rows, 1))
            body = "".join(f'<row r="{y}">{row}</row>' for y, row in enumerate(cells, 1))
            sheet = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
            book.writestr(f"xl/worksheets/sheet{number}.xml", sheet)


def _cell(x: int, y: int, value: object) -> str:
    place = f'r="{chr(65 + x)}{y}"'
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c {place} t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c {place} s="{int(x == 1)}"><v>{value}</v></c>'
    return f'<c {place} t="inlineStr"><is><t>{value}</t></is></c>'


def test_a_process_that_imports_nothing_does_not_carry_polars() -> None:
    code = "import sys; from crm_app import parts; parts.load(); sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
