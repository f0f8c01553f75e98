"""What somebody meant who mistyped: words of the workspace that resemble the typed ones."""

import asyncio
import logging
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein
from sqlalchemy.dialects import postgresql

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.store.uow import UnitOfWork, unit_of_work

log = logging.getLogger(__name__)
_LIFETIME = 300.0  # seconds; an older vocabulary serves once more while it is read anew
_MOST_WORDS = 1_000_000  # of all workspaces together, some 80 bytes each
_SHORTEST = 3
_ALIKE = 0.7  # of 1; "kowls" and "kowals" are 0.83
_CANDIDATES = 3  # for each word
_READINGS = 5
_MOST_ROWS = "200000"  # of each kind
_MOST_UNINDEXED = 2_000


@dataclass(slots=True)
class _Vocabulary:
    """`words` are sorted. `beginnings` of a length, by their first two letters, are made when first asked for."""

    read_at: float
    words: Sequence[str]
    beginnings: dict[int, dict[str, list[str]]] = field(default_factory=dict)

    def begins(self, word: str) -> bool:
        place = bisect_left(self.words, word)
        return place < len(self.words) and self.words[place].startswith(word)

    def of_length(self, length: int) -> dict[str, list[str]]:
        """Beginnings of this length, and the words that are one letter shorter."""
        if length not in self.beginnings:
            groups: dict[str, list[str]] = {}
            for beginning in {w[:length] for w in self.words if len(w) >= length - 1}:
                groups.setdefault(beginning[:2], []).append(beginning)
            self.beginnings[length] = groups
        return self.beginnings[length]


_known: OrderedDict[UUID, _Vocabulary] = OrderedDict()
_reading: dict[UUID, asyncio.Task[None]] = {}


async def readings(uow: UnitOfWork, words: Sequence[str]) -> list[list[str]]:
    """How the folded words may have been meant, most alike first; empty when nothing resembles one of them.

    The vocabulary is that of the whole workspace: show a reading only when the actor sees a record that has it.
    """
    vocabulary = await _vocabulary(uow)
    return await asyncio.to_thread(_readings, words, vocabulary)


def prepare(actor: Actor) -> None:
    """Somebody is about to search: the words are read meanwhile, half a second for 100,000 records."""
    tenant_id = actor.tenant_id
    known = _known.get(tenant_id)
    if tenant_id in _reading or (known is not None and time.monotonic() - known.read_at <= _LIFETIME):
        return
    task = _reading[tenant_id] = asyncio.create_task(_read_anew(actor))
    task.add_done_callback(lambda _: _reading.pop(tenant_id, None))


async def _vocabulary(uow: UnitOfWork) -> _Vocabulary:
    tenant_id = uow.actor.tenant_id
    if tenant_id not in _known and tenant_id in _reading:
        await asyncio.wait({_reading[tenant_id]})
    known = _known.get(tenant_id)
    if known is None:
        return await _read(uow)
    prepare(uow.actor)
    _known.move_to_end(tenant_id)
    return known


def _words_there() -> sa.Select[tuple[str]]:
    """All words that something is found by. Those that hold digits are numbers and parts of addresses: guessing at
    them misleads."""
    parts: list[sa.Select[Any]] = []
    for entity in (e for e in registry.all_entities() if e.search):
        t = entity.table
        if "search_text" in t.c:
            rows = sa.select(t.c.search_text).where(t.c.deleted_at.is_(None)).limit(sa.literal_column(_MOST_ROWS))
            found = sa.func.ts_stat(str(rows.compile(dialect=postgresql.dialect()))).table_valued("word")
            parts.append(sa.select(found.c.word))
            continue
        text = sa.func.crm_fold(sa.func.concat_ws(" ", *(t.c[n] for n in entity.search))).label("text")
        newest = sa.select(text).where(t.c.deleted_at.is_(None)).order_by(t.c.id.desc()).limit(_MOST_UNINDEXED)
        parts.append(sa.select(sa.func.unnest(sa.func.string_to_array(newest.subquery().c.text, " ")).label("word")))
    word = sa.union_all(*parts).subquery().c.word
    return sa.select(word).distinct().where(sa.func.char_length(word) >= _SHORTEST, ~word.regexp_match("[0-9]"))


async def _read(uow: UnitOfWork) -> _Vocabulary:
    rows = await uow.rows(_words_there())
    known = _known[uow.actor.tenant_id] = _Vocabulary(time.monotonic(), sorted(row.word for row in rows))
    while len(_known) > 1 and sum(len(v.words) for v in _known.values()) > _MOST_WORDS:
        _known.popitem(last=False)
    return known


async def _read_anew(actor: Actor) -> None:
    """Beside the search that asked for it, which does not wait. Failing costs only younger words."""
    try:
        async with unit_of_work(actor, silent=True) as uow:
            await _read(uow)
    except sa.exc.SQLAlchemyError:
        log.warning("the words of a workspace could not be read anew", exc_info=True)


def _readings(words: Sequence[str], vocabulary: _Vocabulary) -> list[list[str]]:
    per_word = [_alike(word, vocabulary) for word in words]
    return [r for found in islice(product(*per_word), _READINGS) if (r := list(found)) != list(words)]


def _alike(word: str, vocabulary: _Vocabulary) -> list[str]:
    """The word itself when it begins a known one or cannot be guessed at, else beginnings of words that resemble it.

    Beginnings, as a search for the start of a word finds all of it and people mistype before they are done.
    """
    if len(word) < _SHORTEST or any(c.isdigit() for c in word) or vocabulary.begins(word):
        return [word]
    tables = [vocabulary.of_length(length) for length in (len(word), len(word) + 1)]
    for likely in (True, False):
        among = [b for table in tables for group, bs in table.items() if _near(word, group, likely) for b in bs]
        found = process.extract(
            word, among, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=_ALIKE, limit=2 * _CANDIDATES
        )
        if found:
            return list(dict.fromkeys(beginning for beginning, *_ in found))[:_CANDIDATES]
    return []


def _near(word: str, group: str, likely: bool) -> bool:
    """Whether words that begin with these two letters may be meant. Likely ones begin alike, or with the first two
    letters exchanged; the others have their first letter wrong, missing or one too many."""
    first, second = word[0], word[1]
    begins_alike = group[:1] == first or group == second + first
    if likely:
        return begins_alike
    return not begins_alike and (group[:1] == second or group[1:] in (first, second))


def forget(tenant_id: UUID) -> None:
    """Read the workspace's words anew at the next chance."""
    _known.pop(tenant_id, None)
