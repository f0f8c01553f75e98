"""A table as PDF: landscape, head and page number on every page."""

from collections.abc import Sequence
from pathlib import Path

from fpdf import FPDF

from crm_app.core.numbers import MINUS
from crm_app.core.registry import Kind
from crm_app.services.platform.export_files import Row, Sheet, text_of, width_of

FONT = Path(__file__).parent / "fonts" / "DejaVuSansCondensed.ttf"
_RIGHT = frozenset({Kind.number, Kind.decimal, Kind.money, Kind.percent})
_MARGIN, _HEIGHT, _SIZE, _HEAD = 10.0, 5.2, 7.5, 11.0  # mm, mm, points, points
_INK, _GREY, _LINE, _FILL = (32, 31, 30), (96, 94, 92), (225, 223, 221), (243, 242, 241)


class _Pages(FPDF):
    def __init__(self, sheet: Sheet) -> None:
        super().__init__(orientation="landscape", format="A4")
        self.sheet = sheet
        self.widths = self._widths()
        self.add_font("table", fname=str(FONT))
        self.set_margin(_MARGIN)
        self.set_auto_page_break(auto=True, margin=_MARGIN + 6)
        self.set_title(sheet.title)
        self.set_creator("SalesCompass")
        self.set_draw_color(*_LINE)
        self.set_line_width(0.15)

    def _widths(self) -> list[float]:
        """All columns fit; the first, which names the record, has room."""
        wanted = [width_of(s) * (1.4 if k == 0 else 1) for k, s in enumerate(self.sheet.specs)]
        room = 297.0 - 2 * _MARGIN
        return [room * w / sum(wanted) for w in wanted]

    def header(self) -> None:
        self.set_font("table", size=_HEAD)
        self.set_text_color(*_INK)
        self.cell(0, 6, self.fitting(self.sheet.title, 277), new_x="LMARGIN", new_y="NEXT")
        self.set_font("table", size=_SIZE)
        self.set_text_color(*_GREY)
        if self.sheet.about:
            self.cell(0, 5, self.fitting(self.sheet.about, 277), new_x="LMARGIN", new_y="NEXT")
        self.ln(1)
        self.set_fill_color(*_FILL)
        self.line_of([s.label for s in self.sheet.specs], fill=True)
        self.set_text_color(*_INK)

    def footer(self) -> None:
        self.set_y(-_MARGIN - 3)
        self.set_font("table", size=_SIZE)
        self.set_text_color(*_GREY)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")
        self.set_text_color(*_INK)

    def line_of(self, texts: Sequence[str], *, fill: bool = False) -> None:
        for spec, width, text in zip(self.sheet.specs, self.widths, texts, strict=True):
            align = "R" if spec.kind in _RIGHT else "L"
            self.cell(width, _HEIGHT, self.fitting(text, width - 2.2), border="B", align=align, fill=fill)
        self.ln(_HEIGHT)

    def fitting(self, text: str, width: float) -> str:
        """As much of a text as there is room for, in one line."""
        text = " ".join(text[:400].split()).replace(MINUS, "-")
        if self.get_string_width(text) <= width:
            return text
        while text and (over := self.get_string_width(f"{text}…")) > width:
            text = text[: min(len(text) - 1, int(len(text) * width / over))]
        return f"{text.rstrip()}…"


class PdfWriter:
    """Everything stands in memory until it is closed: for thousands of rows, not for a hundred thousand."""

    def __init__(self, path: Path, sheet: Sheet) -> None:
        self._path, self._sheet, self._pages = path, sheet, _Pages(sheet)
        self._pages.add_page()

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._pages.line_of([text_of(s, row, self._sheet, plain=False) for s in self._sheet.specs])

    def close(self) -> None:
        self._pages.output(str(self._path))
