"""Run as a program of its own: opens one spreadsheet within narrow limits and writes its sheets down as tables.

Whatever is wrong with a spreadsheet (a bomb, a cell in the last row of the last column, a broken part) ends this
process and no other. It imports nothing of the application.
"""

import json
import resource
import sys
from pathlib import Path

_MEMORY = 900 * 1024**2
_SECONDS = 120


def main(source: str, target: str) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import fastexcel

    folder = Path(target)
    try:
        book = fastexcel.read_excel(source)
        names = list(book.sheet_names)
        for number, name in enumerate(names):
            sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
            sheet.to_polars().write_ipc(folder / f"{number}.ipc")
    except fastexcel.FastExcelError as error:
        (folder / "refused.json").write_text(json.dumps(type(error).__name__))
        return
    (folder / "names.json").write_text(json.dumps(names))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
