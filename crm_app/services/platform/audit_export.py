"""The audit log as a file: what somebody narrowed it to, as far as they may see it. That it was taken is in the log."""

import asyncio
import csv
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from crm_app.core import registry
from crm_app.core.errors import Invalid
from crm_app.core.fields import show_value
from crm_app.core.registry import FieldSpec, Kind
from crm_app.core.sheets import harmless
from crm_app.core.text import label_of
from crm_app.services.platform import audit, audit_log, exporting
from crm_app.services.platform.audit_log import ACTIONS, NOBODY, SOURCES, Asked, Entry, LogPage, in_words
from crm_app.services.platform.exporting import Export, Told
from crm_app.store.uow import UnitOfWork

WHAT = "audit_log"  # in the place of an entity
EXPORT = "audit.export"
_FORM = "csv"
_PIECE = 500  # entries
_HEAD = (
    "When (UTC)", "Who", "Kind", "Record", "Record id", "Act", "Field", "Before", "After", "Through", "IP address",
    "Browser", "Reference",
)  # fmt: skip


async def start(uow: UnitOfWork, asked: Asked, *, operation_id: UUID) -> Export:
    """Ask for a file of the entries that fit; `operation_id` names it. Then `export_keeping` writes it, or a job."""
    _require(uow)
    until = min(asked.until, uow.now) if asked.until else uow.now  # what comes while it is written is not in it
    asked = replace(asked, until=until)
    total = await audit_log.count(uow, asked)
    if not total:
        raise Invalid("No entry of the log fits, so there is nothing to export.")
    return await exporting.ask(
        uow, WHAT, _FORM, name=f"audit-log-{uow.today}.{_FORM}", view=_dumped(asked), total=total,
        operation_id=operation_id,
    )  # fmt: skip


async def make(uow: UnitOfWork, export_id: UUID, path: Path, *, told: Told = exporting.SILENT) -> int:
    """Write the file; how many entries it has. One line for each value that an entry tells of."""
    _require(uow)
    asked = _loaded(await exporting.asked_for(uow, export_id))
    entries, mark = 0, None
    with await asyncio.to_thread(path.open, "w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(_HEAD)
        while True:
            page = await audit_log.listed(uow, asked, before=mark, limit=_PIECE)
            await asyncio.to_thread(out.writerows, [line for e in page.entries for line in _lines(e, page, uow)])
            entries += len(page.entries)
            await told(entries)
            if (mark := page.after) is None:
                break
    await audit.note(uow, WHAT, export_id, "export", {"form": _FORM, "rows": entries, "asked": _dumped(asked)})
    return entries


def _require(uow: UnitOfWork) -> None:
    uow.require("audit.read")
    uow.require(EXPORT)


def _lines(entry: Entry, page: LogPage, uow: UnitOfWork) -> Iterable[list[str]]:
    entity = registry.find(entry.entity)
    kind = entity.label if entity else label_of(entry.entity)
    act = ACTIONS.get(entry.action, label_of(entry.action))
    at = entry.at.astimezone(UTC).isoformat()
    before = [at, entry.user_name or NOBODY, kind, entry.title, str(entry.record_id), act]
    after = [SOURCES.get(entry.source, label_of(entry.source)), entry.ip, entry.user_agent, entry.request_id]
    currency = entry.currency or uow.actor.currency
    values = [
        [c.spec.label, _told(c.spec, c.old, page.names, currency), _told(c.spec, c.new, page.names, currency)]
        for c in entry.changes
    ]
    for each in values or [["", "", ""]]:
        yield [harmless(text) for text in (*before, *each, *after)]


def _told(spec: FieldSpec, value: Any, names: Mapping[UUID, str], currency: str) -> str:
    if value == audit_log.MASKED:
        return "hidden"
    if spec.kind is Kind.json or isinstance(value, dict):
        return in_words(value)
    return show_value(spec, value, currency=currency, plain=True, names=lambda _, record_id: names.get(record_id, ""))


def _dumped(asked: Asked) -> dict[str, Any]:
    given = {n: v for n, v in asdict(asked).items() if v}
    return {
        n: v if isinstance(v, str | bool) else v.isoformat() if isinstance(v, datetime) else str(v)
        for n, v in given.items()
    }


def _loaded(kept: Mapping[str, Any]) -> Asked:
    moments = {n: datetime.fromisoformat(kept[n]) for n in ("since", "until") if n in kept}
    ids = {n: UUID(kept[n]) for n in ("user_id", "record_id") if n in kept}
    return Asked(**{**kept, **moments, **ids})
