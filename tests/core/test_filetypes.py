"""What a file is stands in the file. Names, and what a browser would make of it, are not asked."""

import io
import zipfile

import pytest

from crm_app.core.filetypes import (
    GIF,
    HTML,
    JPEG,
    OLE,
    OOXML,
    PDF,
    PLAIN,
    PNG,
    SVG,
    UNKNOWN,
    XML,
    ZIP,
    detect,
    objection,
)

PIXEL = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
PAPER = b"%PDF-1.7\n1 0 obj\n"
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00"
DRAWING = b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PAGE = b"\n\n <!DOCTYPE html><html><script>alert(document.cookie)</script></html>"


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (PIXEL, PNG),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", JPEG),
        (b"GIF89a<script>", GIF),
        (PAPER, PDF),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
        (PAGE, HTML),
        (b"\xef\xbb\xbf<script>alert(1)</script>", HTML),
        (DRAWING, SVG),
        (b"<SVG onload=alert(1)>", SVG),
        (b'<?xml version="1.0"?><order/>', XML),
        ("Größe;Stück\n1;2\n".encode(), PLAIN),
        ("Größe;Stück\n1;2\n".encode("latin-1"), PLAIN),
        ("Größe".encode("utf-16"), PLAIN),
        ("ä".encode()[:1], PLAIN),
        (b"\x00\x01\x02\x03", UNKNOWN),
        (b"RIFF\x00\x00\x00\x00ABCD", UNKNOWN),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_content_is_recognised(head, found):
    assert detect(head) is found


def test_archives_that_are_documents():
    assert detect(zipped("[Content_Types].xml", "word/document.xml")) is OOXML
    assert detect(zipped("plan.txt")) is ZIP
    assert detect(zipped("mimetype")).name == "zip"


@pytest.mark.parametrize("name", ["cat.png", "cat.PNG", "cat.jpg", "offer.pdf", "film.mp4", "table.xlsx"])
@pytest.mark.parametrize("content", [PAGE, DRAWING, b"just words"], ids=["page", "drawing", "words"])
def test_a_name_that_lies_is_refused(name, content):
    said = objection(name, detect(content))
    assert said.startswith(name) and "is called" in said and "Give it the name" in said


@pytest.mark.parametrize("name", ["cat.gif", "offer.docx", "notes.txt", "tool", "tool.exe", "setup.pdf.exe"])
def test_programs_are_refused_by_any_name(name):
    assert "program" in objection(name, detect(PROGRAM))


@pytest.mark.parametrize("name", ["a.exe", "a.BAT", "run.ps1", "x.hta", "macro.js", "go.sh", "a.lnk"])
def test_what_would_run_is_refused_whatever_is_in_it(name):
    assert "program" in objection(name, PLAIN)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cat.png", PIXEL),
        ("offer.pdf", PAPER),
        ("notes.txt", b"hello"),
        ("notes.txt", b"<!-- a note -->"),
        ("page.html", PAGE),
        ("logo.svg", DRAWING),
        ("list.csv", b"a;b\n1;2"),
        ("offer.docx", zipped("[Content_Types].xml")),
        ("all.zip", zipped("a.txt")),
        ("plan.dwg", b"AC1032\x00\x00"),
        ("README", b"words"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_what_it_says_is_taken(name, content):
    assert objection(name, detect(content)) == ""


def test_nothing_that_can_run_has_a_preview():
    assert {t.preview for t in (HTML, SVG, XML, PLAIN, UNKNOWN)} == {""}
    assert {t.media_type for t in (HTML, SVG, XML, UNKNOWN)} == {"application/octet-stream"}
