"""Records by the ids that they have in the system the files come from, for as long as one batch is planned."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.reading import ROW, SourceTable


@dataclass
class Foreign:
    """By entity: foreign id -> record id; foreign id -> (row, file) of those whose row is left out."""

    ids: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    lost: dict[str, dict[str, tuple[int, str]]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, entity: str, source: SourceTable, column: str, records: dict[int, str]) -> None:
        """The rows of a file; `records`: row -> id of the record it becomes, or is already."""
        for row, text in source.frame.select(ROW, column).iter_rows():
            if text is None:
                continue
            if (record_id := records.get(row)) is not None:
                self.ids[entity].setdefault(text, record_id)
            else:
                self.lost[entity].setdefault(text, (row, source.name))

    def find(self, entity: str, texts: pl.Series) -> pl.Series:
        """The record of each text; null where it is the id of none."""
        known = self.ids.get(entity)
        if not known:
            return pl.Series(texts.name, [None] * len(texts), dtype=pl.String)
        return pl.Series(texts.name, [known.get(first(t)) if t else None for t in texts.to_list()], dtype=pl.String)


def first(text: str) -> str:
    """Exports put several ids into one cell; the first one is the main one."""
    return text.split(";", 1)[0].strip()
