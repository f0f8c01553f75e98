"""Finding records by what people remember of them: prefixes of words, accents and case aside, typing errors too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.registry import Entity
from crm_app.services.platform import records, spelling
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible_owners

KINDS = ("opportunity", "account", "contact", "product")  # those crm_search knows
_FOLD = sa.text("SELECT crm_fold(:text)")
_SEARCH = sa.text(
    "SELECT id, title, detail, extra FROM crm_search(:kind, CAST(:query AS tsquery), CAST(:owners AS uuid[]), :lim)"
)
# Second line and last word of a hit, as in crm_search.
_DETAIL = {
    "opportunity": (("number", "account_id"), "stage_id"),
    "account": (("city",), "industry"),
    "contact": (("account_id",), "title"),
    "product": (("sku",), "family"),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """`detail` is a second line: number and account, city, account, SKU; `extra` a last word: stage, industry, job."""

    kind: str
    id: UUID
    title: str
    detail: str
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """`read_as` says which words the hits are for, when nothing was found for the typed ones."""

    hits: Sequence[Hit]
    read_as: str = ""


async def search(uow: UnitOfWork, text: str, *, kinds: Sequence[str] = KINDS, limit: int = 8) -> list[Hit]:
    """Up to `limit` hits of each kind the actor may read, best first; every word must begin a word of the record."""
    return await _hits(uow, await _words(uow, text), kinds, limit)


async def search_forgiving(uow: UnitOfWork, text: str, *, limit: int = 5) -> Found:
    """`search` over all kinds; when nothing is found, once more with the words that the typed ones most resemble.

    The workspace's words are compared, but only visible records are found: a word that only hidden ones have never
    shows.
    """
    words = await _words(uow, text)
    hits = await _hits(uow, words, KINDS, limit)
    if hits or not words:
        return Found(hits)
    for reading in await spelling.readings(uow, words):
        if hits := await _hits(uow, reading, KINDS, limit):
            return Found(hits, " ".join(reading))
    return Found(())


async def _hits(uow: UnitOfWork, words: Sequence[str], kinds: Sequence[str], limit: int) -> list[Hit]:
    if not words:
        return []
    values = {"query": " & ".join(f"{w}:*" for w in words), "owners": visible_owners(uow.actor), "lim": limit}
    hits: list[Hit] = []
    for kind in kinds:
        if uow.actor.can(f"{kind}.read"):
            rows = await uow.rows(_SEARCH, values | {"kind": kind})
            hits += [Hit(kind, r.id, r.title, r.detail, r.extra) for r in rows]
    return hits


async def _words(uow: UnitOfWork, text: str) -> list[str]:
    """'Köhl, Lin' -> ['kohl', 'lin']: as the search text is folded; empty when there is nothing to look for."""
    storable = text[:200].replace("\x00", " ").encode(errors="ignore").decode()
    folded: str = await uow.scalar(_FOLD, {"text": storable}) or ""
    words = ("".join(c for c in word if c.isalnum()) for word in folded.split())
    return [w for w in words if w][:8]


async def named(uow: UnitOfWork, wanted: Sequence[tuple[str, UUID]]) -> list[Hit]:
    """The records (kind, id), as hits, in the order asked for; without those that are gone or not for this actor."""
    found: dict[tuple[str, UUID], Hit] = {}
    for kind in {k for k, _ in wanted if k in KINDS and uow.actor.can(f"{k}.read")}:
        entity = registry.get(kind)
        detail, extra = _DETAIL[kind]
        where = entity.table.c.id.in_([i for k, i in wanted if k == kind])
        page = await records.find(uow, entity, columns=(entity.title, *detail, extra), where=where)
        for row in page.rows:
            second = " · ".join(t for n in detail if (t := _shown(row, n)))
            found[kind, row["id"]] = Hit(kind, row["id"], row[entity.title], second, _shown(row, extra))
    return [found[key] for key in wanted if key in found]


def _shown(row: Mapping[str, Any], name: str) -> str:
    return row.get(f"{name}__title" if name.endswith("_id") else name) or ""


async def choices(uow: UnitOfWork, entity: Entity, text: str, *, limit: int = 20) -> list[Hit]:
    """Records to link to: the best hits, or the first by name while nothing is typed."""
    where = None
    if text.strip():
        if entity.name in KINDS:
            return await search(uow, text, kinds=(entity.name,), limit=limit)
        title = sa.func.crm_fold(entity.table.c[entity.title])
        where = sa.and_(*[title.contains(word, autoescape=True) for word in await _words(uow, text)])
    page = await records.find(uow, entity, columns=(entity.title,), where=where, limit=limit)
    return [Hit(entity.name, r["id"], r[entity.title], "") for r in page.rows]
