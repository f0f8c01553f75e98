"""Finding records by what people remember of them: prefixes of words, accents and case aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.registry import Entity
from crm_app.services.platform import records
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible_owners

KINDS = ("opportunity", "account", "contact", "product")  # those crm_search knows
_FOLD = sa.text("SELECT crm_fold(:text)")
_SEARCH = sa.text(
    "SELECT id, title, detail FROM crm_search(:kind, CAST(:query AS tsquery), CAST(:owners AS uuid[]), :lim)"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """`detail` is a second line: number, city, e-mail."""

    kind: str
    id: UUID
    title: str
    detail: str


async def search(uow: UnitOfWork, text: str, *, kinds: Sequence[str] = KINDS, limit: int = 8) -> list[Hit]:
    """Up to `limit` hits of each kind the actor may read, best first; every word must begin a word of the record."""
    query = await _query(uow, text)
    if not query:
        return []
    owners = visible_owners(uow.actor)
    hits: list[Hit] = []
    for kind in kinds:
        if not uow.actor.can(f"{kind}.read"):
            continue
        rows = await uow.rows(_SEARCH, {"kind": kind, "query": query, "owners": owners, "lim": limit})
        hits += [Hit(kind, r.id, r.title, r.detail) for r in rows]
    return hits


async def _query(uow: UnitOfWork, text: str) -> str:
    """'köhl lin' -> 'kohl:* & lin:*'; empty when there is nothing to look for."""
    folded: str = await uow.scalar(_FOLD, {"text": text[:200]}) or ""
    words = ["".join(c for c in word if c.isalnum()) for word in folded.split()]
    return " & ".join(f"{w}:*" for w in words[:8] if w)


async def choices(uow: UnitOfWork, entity: Entity, text: str, *, limit: int = 20) -> list[Hit]:
    """Records to link to: the best hits, or the first by name while nothing is typed."""
    if text.strip() and entity.name in KINDS:
        return await search(uow, text, kinds=(entity.name,), limit=limit)
    where = None
    if text.strip():  # short lists, as people and competitors: any part of the name
        folded: str = await uow.scalar(_FOLD, {"text": text.strip()[:200]})
        where = sa.func.crm_fold(entity.table.c[entity.title]).contains(folded, autoescape=True)
    page = await records.find(uow, entity, columns=(entity.title,), where=where, limit=limit)
    return [Hit(entity.name, r["id"], r[entity.title], "") for r in page.rows]
