"""What the engine says of a row, for people who see a page and no mapping file."""

from crm_app.services.platform.imports.rows import Problem

ENDINGS = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods"})
# Remedies of the engine speak of mapping files; what the page offers instead.
_REMEDIES = {
    "`create_missing": "Correct the name, or add the record first",
    "`if_empty`": "Fill it in the file",
    "`constants`": "Match a column to the stage, or choose one at the left",
    "`values`": "Write one of these in the file",
    "`day_first": "Choose at the left how dates are written",
    "`by`": "Make the names differ first",
    "`mode": "",
}


def remedy(problem: Problem) -> str:
    """What to do about it, on the page; empty when the message says it all."""
    text = problem.remedy
    if "`match: folded`" in text:
        return f"Did you mean {text.partition(' to ')[2]}?"
    said = next((said for mark, said in _REMEDIES.items() if mark in text), text)
    return said[:1].upper() + said[1:]


def harmless(text: str) -> str:
    """Spreadsheets run what begins like a formula; numbers may begin with a sign."""
    is_number = text[1:].replace(".", "").replace(",", "").replace(" ", "").isdigit()
    return f"'{text}" if text[:1] in ("=", "@", "+", "-", "\t") and not is_number else text
