"""Finding records by what people remember of them: prefixes of words, accents and case aside, typing errors too."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from crm_app.core import registry
from crm_app.core.fields import show_value
from crm_app.core.registry import Entity, Kind
from crm_app.services.platform import records, spelling
from crm_app.services.platform.schema import blind_spots
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import beyond, is_wide, visible, visible_owners

KINDS = ("opportunity", "account", "contact", "product")  # what people look for first
_LAST = ("user", "team")
_MOST_LOOKED_THROUGH = 2_000  # records of a kind without an index, the newest
_FOLD = sa.text("SELECT crm_fold(:text)")
_SEARCH = sa.text("""
    SELECT k.kind, s.id, s.title, s.detail, s.extra
    FROM unnest(CAST(:kinds AS text[]), CAST(:open AS boolean[])) WITH ORDINALITY AS k (kind, is_open, place),
      crm_search(k.kind, CAST(:query AS tsquery), CASE WHEN NOT k.is_open THEN CAST(:owners AS uuid[]) END, :lim)
      WITH ORDINALITY AS s (id, title, detail, extra, place)
    ORDER BY k.place, s.place
""")
# Second line and last word of a hit, as in crm_search; of other kinds what their lists show first.
_DETAIL = {
    "opportunity": (("number", "account_id"), "stage_id"),
    "account": (("city",), "industry"),
    "contact": (("account_id",), "title"),
    "product": (("sku",), "family"),
    "activity": (("happens_at", "account_id"), "status"),
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
    """The entities that a search goes through: all that declare what they are searched by."""
    known = [e.name for e in registry.all_entities() if e.search]
    first = [k for k in KINDS if k in known]
    return (*first, *(k for k in known if k not in first and k not in _LAST), *(k for k in _LAST if k in known))


def is_indexed(entity: Entity) -> bool:
    """Whether its records are found by the words of an index, however many there are."""
    return "search_text" in entity.table.c


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


async def matching(uow: UnitOfWork, entity: Entity, text: str, *, limit: int) -> sa.ColumnElement[bool]:
    """The records of one kind that `search` finds, as a condition: thousands of ids stay in the database."""
    words, kind, row = await _words(uow, text), entity.name, entity.table.c
    called = await _called(uow, text, (kind,), (), limit)
    if not words or not _is_whole(uow, kind):
        return _one_of(row.id, [*called, *await _hits(uow, words, (kind,), limit, is_bare=True)])
    owners = sa.literal(None if entity.visibility == "all" else visible_owners(uow.actor), sa.ARRAY(sa.Uuid()))
    hits = sa.func.crm_search(kind, sa.cast(_query(words), TSQUERY), owners, limit)
    ids = sa.select(hits.table_valued(sa.column("id", sa.Uuid)).c.id)
    found: sa.ColumnElement[bool] = row.id == sa.any_(sa.func.array(ids.scalar_subquery()))
    if is_wide(uow.actor):
        called += await _shown_beside(uow, kind, words, frozenset(), limit)
    return sa.or_(found, _one_of(row.id, called)) if called else found


def _one_of(column: sa.ColumnElement[UUID], hits: Sequence[Hit]) -> sa.ColumnElement[bool]:
    return column == sa.any_(sa.literal([h.id for h in hits], sa.ARRAY(sa.Uuid())))


def _is_whole(uow: UnitOfWork, kind: str) -> bool:
    """Whether the role sees all that the index holds of such records."""
    return not _hidden(uow, kind) and not (kind == "opportunity" and _hidden(uow, "account"))


async def _hits(
    uow: UnitOfWork, words: Sequence[str], kinds: Sequence[str], limit: int, *, is_bare: bool = False
) -> list[Hit]:
    asked = [k for k in kinds if words and uow.actor.can(f"{k}.read") and registry.get(k).title not in _hidden(uow, k)]
    indexed = [k for k in asked if is_indexed(registry.get(k))]
    whole = [k for k in indexed if _is_whole(uow, k)]
    hits = await _indexed(uow, whole, words, limit, is_bare=is_bare)
    for kind in (k for k in indexed if k not in whole):
        found = await _indexed(uow, [kind], words, max(limit, _MOST_LOOKED_AT), is_bare=True)
        hits += await _in_sight(uow, kind, words, _hidden(uow, kind), [h.id for h in found], limit)
    if is_wide(uow.actor):
        for kind in indexed:
            hits += await _shown_beside(uow, kind, words, {h.id for h in hits if h.kind == kind}, limit)
    hits += await _among_few(uow, [k for k in asked if k not in indexed], words, limit)
    return sorted(hits, key=lambda h: asked.index(h.kind))


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


async def _indexed(
    uow: UnitOfWork, kinds: Sequence[str], words: Sequence[str], limit: int, *, is_bare: bool = False
) -> list[Hit]:
    """`is_bare`: those that crm_search does not name stay without a name."""
    if not kinds:
        return []
    is_open = [registry.get(k).visibility == "all" for k in kinds]
    owners = visible_owners(uow.actor)
    asked = {"query": _query(words), "owners": owners, "lim": limit, "kinds": list(kinds), "open": is_open}
    hits = [Hit(r.kind, r.id, r.title, r.detail, r.extra) for r in await uow.rows(_SEARCH, asked)]
    nameless = [(h.kind, h.id) for h in hits if h.kind not in KINDS and not is_bare]
    if not nameless:
        return hits
    return [h for h in hits if h.kind in KINDS] + await named(uow, nameless)


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


async def _among_few(uow: UnitOfWork, kinds: Sequence[str], words: Sequence[str], limit: int) -> list[Hit]:
    """Records of kinds without an index, by one statement: the newest of each are looked through."""
    if not kinds:
        return []
    named_by = tuple((k, tuple(n for n in registry.get(k).search if n not in _hidden(uow, k))) for k in kinds)
    seen = {k: way for k in kinds if (way := visible(registry.get(k), uow.actor)) is not None}
    statement = _through(named_by, len(words), seen) if seen else _through_all(named_by, len(words))
    rows = await uow.rows(statement, {"lim": limit, **{f"w{n}": f" {w}" for n, w in enumerate(words)}})
    return await named(uow, [(r.kind, r.id) for r in rows])


_Named = tuple[tuple[str, tuple[str, ...]], ...]  # kinds, with the fields that they are searched by


@lru_cache(maxsize=200)
def _through_all(kinds: _Named, words: int) -> sa.CompoundSelect[Any]:
    """Made once: a palette asks at every key."""
    return _through(kinds, words, {})


def _through(kinds: _Named, words: int, seen: Mapping[str, sa.ColumnElement[bool]]) -> sa.CompoundSelect[Any]:
    parts = []
    for kind, names in kinds:
        entity = registry.get(kind)
        t = entity.table
        there = sa.and_(t.c.deleted_at.is_(None), seen.get(kind, sa.true()))
        newest = sa.select(t.c.id, _folded(entity, names).label("text")).where(there).order_by(t.c.id.desc())
        among = newest.limit(_MOST_LOOKED_THROUGH).subquery()
        fits = [sa.func.strpos(among.c.text, sa.bindparam(f"w{n}", type_=sa.Text())) > 0 for n in range(words)]
        found = sa.select(sa.literal(kind).label("kind"), among.c.id).where(*fits)
        parts.append(found.limit(sa.bindparam("lim", type_=sa.Integer())).subquery().select())
    return sa.union_all(*parts)


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
    for kind in {k for k, _ in wanted if registry.find(k) and uow.actor.can(f"{k}.read")}:
        entity = registry.get(kind)
        detail, extra = _DETAIL.get(kind) or (tuple(n for n in entity.columns if n != entity.title)[:2], "")
        if entity.title in _hidden(uow, kind):
            continue
        columns = [n for n in (entity.title, *detail, extra) if n]
        where = entity.table.c.id.in_([i for k, i in wanted if k == kind])
        page = await records.find(uow, entity, columns=columns, where=where, limit=_MOST_LOOKED_AT)
        for row in page.rows:
            second = " · ".join(t for n in detail if (t := _shown(uow, entity, row, n)))
            last = _shown(uow, entity, row, extra)
            found[kind, row["id"]] = Hit(kind, row["id"], str(row[entity.title]), second, last)
    return [found[key] for key in wanted if key in found]


def _shown(uow: UnitOfWork, entity: Entity, row: Mapping[str, Any], name: str) -> str:
    if not name or (spec := entity.fields[name]).kind is Kind.link:
        return row.get(f"{name}__title") or ""
    value, zone = row.get(name), uow.actor.time_zone
    return value if isinstance(value, str) and not spec.choices else show_value(spec, value, time_zone=zone)


async def choices(uow: UnitOfWork, entity: Entity, text: str, *, limit: int = 20) -> list[Hit]:
    """Records to link to: the best hits, or the first by name while nothing is typed."""
    where = None
    if text.strip():
        if is_indexed(entity):
            return await search(uow, text, kinds=(entity.name,), limit=limit)
        title = sa.func.crm_fold(entity.table.c[entity.title])
        where = sa.and_(*[title.contains(word, autoescape=True) for word in await _words(uow, text)])
    page = await records.find(uow, entity, columns=(entity.title,), where=where, limit=limit)
    return [Hit(entity.name, r["id"], r[entity.title], "") for r in page.rows]
