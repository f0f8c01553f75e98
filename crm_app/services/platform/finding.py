"""Finding records by what people remember of them: prefixes of words, accents and case aside, typing errors too."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from crm_app.core import registry
from crm_app.core.registry import Entity
from crm_app.services.platform import records, spelling
from crm_app.services.platform.schema import blind_spots
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import beyond, is_wide, visible, visible_owners

KINDS = ("opportunity", "account", "contact", "product")  # those crm_search knows
_FEW = ("user", "team")  # a workspace has so few of them that they are looked through
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
    "user": (("title", "team_id"), ""),
    "team": (("region",), ""),
}
_PHONES = {"account": {"phone": "phone_key"}, "contact": {"phone": "phone_key", "mobile": "mobile_key"}}
_NUMBER = re.compile(r"[\d\s+()/.-]+")
_LEAST_DIGITS = 4
_MOST_LOOKED_AT = 500  # hits that are looked at again for a role that may not see every field


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


def all_kinds() -> tuple[str, ...]:
    """The entities that a search goes through."""
    return KINDS + _FEW


async def search(uow: UnitOfWork, text: str, *, kinds: Sequence[str] = KINDS, limit: int = 8) -> list[Hit]:
    """Up to `limit` hits of each kind the actor may read, best first; every word must begin a word of the record, in a
    field that the actor may see; a number also finds whom it calls."""
    hits = await _hits(uow, await _words(uow, text), kinds, limit)
    return hits + await _called(uow, text, kinds, hits, limit)


async def search_forgiving(uow: UnitOfWork, text: str, *, kinds: Sequence[str] = KINDS, limit: int = 5) -> Found:
    """`search`; when nothing is found, once more with the words that the typed ones most resemble.

    The workspace's words are compared, but only visible records are found: a word that only hidden ones have never
    shows.
    """
    words = await _words(uow, text)
    hits = await _hits(uow, words, kinds, limit)
    hits += await _called(uow, text, kinds, hits, limit)
    if hits or not words:
        return Found(hits)
    for reading in await spelling.readings(uow, words):
        if hits := await _hits(uow, reading, kinds, limit):
            return Found(hits, " ".join(reading))
    return Found(())


async def _hits(uow: UnitOfWork, words: Sequence[str], kinds: Sequence[str], limit: int) -> list[Hit]:
    hits: list[Hit] = []
    for kind in kinds if words else ():
        hidden = _hidden(uow, kind)
        if not uow.actor.can(f"{kind}.read") or registry.get(kind).title in hidden:
            continue
        if kind in _FEW:
            hits += await _among_few(uow, kind, words, hidden, limit)
        elif not hidden and not (kind == "opportunity" and _hidden(uow, "account")):
            hits += await _indexed(uow, kind, words, limit)
        else:
            found = await _indexed(uow, kind, words, max(limit, _MOST_LOOKED_AT))
            hits += await _in_sight(uow, kind, words, hidden, [h.id for h in found], limit)
        if kind not in _FEW and is_wide(uow.actor):
            hits += await _shown_beside(uow, kind, words, {h.id for h in hits if h.kind == kind}, limit)
    return hits


async def _shown_beside(
    uow: UnitOfWork, kind: str, words: Sequence[str], known: AbstractSet[UUID], limit: int
) -> list[Hit]:
    """Hits among what is shown to the actor whoever owns it: the index goes by owners."""
    ways = beyond(registry.get(kind), uow.actor)
    if not ways or len(known) >= limit:
        return []
    table = registry.get(kind).table
    there = sa.and_(table.c.deleted_at.is_(None), table.c.id.not_in(known), sa.or_(*ways.values()))
    fits = _holds(uow, kind, sa.cast(_query(words), TSQUERY))
    found = await uow.rows(sa.select(table.c.id).where(there, fits).limit(limit - len(known)))
    return await named(uow, [(kind, r.id) for r in found])


async def _indexed(uow: UnitOfWork, kind: str, words: Sequence[str], limit: int) -> list[Hit]:
    asked = {"query": _query(words), "owners": visible_owners(uow.actor), "lim": limit, "kind": kind}
    return [Hit(kind, r.id, r.title, r.detail, r.extra) for r in await uow.rows(_SEARCH, asked)]


async def _called(uow: UnitOfWork, text: str, kinds: Sequence[str], known: Sequence[Hit], limit: int) -> list[Hit]:
    """Whom a number calls that was typed whole, or some digits of it."""
    numbers = phone_parts(text)
    found: list[tuple[str, UUID]] = []
    for kind in _PHONES if numbers else ():
        hidden = _hidden(uow, kind)
        columns = [key for field, key in _PHONES[kind].items() if field not in hidden]
        if kind not in kinds or not columns or not uow.actor.can(f"{kind}.read"):
            continue
        entity, there = registry.get(kind), {h.id for h in known if h.kind == kind}
        table, seen = entity.table, visible(entity, uow.actor)
        parts = [  # strpos compares bytes: a quarter of the time of LIKE
            sa.select(table.c.id)
            .where(
                table.c.deleted_at.is_(None),
                table.c[key] > "",
                sa.or_(*(sa.func.strpos(table.c[key], n) > 0 for n in numbers)),
            )
            .where(sa.true() if seen is None else seen)
            .limit(limit)
            for key in columns
        ]
        rows = await uow.rows(parts[0] if len(parts) == 1 else sa.union_all(*(p.subquery().select() for p in parts)))
        ids = [i for i in dict.fromkeys(r.id for r in rows) if i not in there]
        found += [(kind, i) for i in ids[: max(0, limit - len(there))]]
    return await named(uow, found)


def phone_parts(text: str) -> list[str]:
    """Digits to look for in the last ten of a number: "030 123456" -> ["30123456"]. Of a country's code a number keeps
    what fits, so "+49 30 12345" is looked for without its first digits too. Empty when the text is no number."""
    bare = "".join(c for c in text if c.isascii() and c.isdigit())
    if not _NUMBER.fullmatch(text.strip()) or len(bare) < _LEAST_DIGITS:
        return []
    plain = bare.lstrip("0")[-10:]
    is_abroad = text.strip().startswith(("+", "00"))
    shorter = [plain[n:] for n in (1, 2, 3) if is_abroad and len(plain) < 10 and len(plain) - n > _LEAST_DIGITS]
    return [n for n in (plain, *shorter) if len(n) >= _LEAST_DIGITS - 1]


def _query(words: Sequence[str]) -> str:
    return " & ".join(f"{w}:*" for w in words)


def _hidden(uow: UnitOfWork, kind: str) -> frozenset[str]:
    """Fields of that kind which the role may not see, or not what they hold."""
    hidden, masked = blind_spots(uow.actor, kind)
    return hidden | masked


def _folded(entity: Entity, names: Sequence[str]) -> sa.ColumnElement[str]:
    parts = [sa.func.coalesce(entity.table.c[n], "") for n in names]
    return sa.func.crm_fold(sa.func.concat_ws(" ", "", *parts))


async def _among_few(uow: UnitOfWork, kind: str, words: Sequence[str], hidden: frozenset[str], limit: int) -> list[Hit]:
    entity = registry.get(kind)
    text = _folded(entity, [n for n in entity.search if n not in hidden])
    where = sa.and_(*(sa.func.strpos(text, f" {w}") > 0 for w in words))
    page = await records.find(uow, entity, columns=(entity.title,), where=where, limit=limit)
    return await named(uow, [(kind, r["id"]) for r in page.rows])


async def _in_sight(
    uow: UnitOfWork, kind: str, words: Sequence[str], hidden: frozenset[str], ids: Sequence[UUID], limit: int
) -> list[Hit]:
    """Those of the hits that are found by fields which the role may see, told by such fields alone. The index has all
    fields in one."""
    table, query = registry.get(kind).table, sa.cast(_query(words), TSQUERY)
    found = _holds(uow, kind, query)
    if kind == "opportunity" and "account_id" not in hidden:  # a deal is also found by its account
        accounts = registry.get("account").table
        found |= sa.exists().where(accounts.c.id == table.c.account_id, _holds(uow, "account", query))
    among = table.c.id == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.Uuid())))
    kept = await uow.rows(sa.select(table.c.id).where(among, found))
    seen = {r.id for r in kept}
    return await named(uow, [(kind, i) for i in ids if i in seen][:limit])


def _holds(uow: UnitOfWork, kind: str, query: Any) -> sa.ColumnElement[bool]:
    entity, hidden = registry.get(kind), _hidden(uow, kind)
    names = [n for n in entity.table.c.search_text.info["of"] if n not in hidden]
    return sa.func.to_tsvector(sa.literal_column("'simple'::regconfig"), _folded(entity, names)).bool_op("@@")(query)


async def _words(uow: UnitOfWork, text: str) -> list[str]:
    """'Köhl, Lin' -> ['kohl', 'lin']: as the search text is folded; empty when there is nothing to look for."""
    storable = text[:200].replace("\x00", " ").encode(errors="ignore").decode()
    folded: str = await uow.scalar(_FOLD, {"text": storable}) or ""
    words = ("".join(c for c in word if c.isalnum()) for word in folded.split())
    return [w for w in words if w][:8]


async def named(uow: UnitOfWork, wanted: Sequence[tuple[str, UUID]]) -> list[Hit]:
    """The records (kind, id), as hits, in the order asked for; without those that are gone or not for this actor."""
    found: dict[tuple[str, UUID], Hit] = {}
    for kind in {k for k, _ in wanted if k in _DETAIL and uow.actor.can(f"{k}.read")}:
        entity = registry.get(kind)
        detail, extra = _DETAIL[kind]
        if entity.title in _hidden(uow, kind):
            continue
        columns = [n for n in (entity.title, *detail, extra) if n]
        where = entity.table.c.id.in_([i for k, i in wanted if k == kind])
        page = await records.find(uow, entity, columns=columns, where=where, limit=_MOST_LOOKED_AT)
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
