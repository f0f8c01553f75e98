"""What somebody meant who mistyped: words of the workspace that resemble the typed ones."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product
from uuid import UUID

import sqlalchemy as sa
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from crm_app.store.uow import UnitOfWork

_LIFETIME = 300.0  # seconds a vocabulary is used before it is read anew
_MOST_WORKSPACES = 32
_SHORTEST = 3
_ALIKE = 0.7  # of 1; "kowls" and "kowals" are 0.83
_CANDIDATES = 3  # for each word
_READINGS = 5
# Words that hold digits are numbers and parts of addresses: guessing at those misleads.
_VOCABULARY = sa.text("""
    SELECT DISTINCT word FROM (
      SELECT word FROM ts_stat('SELECT search_text FROM account WHERE deleted_at IS NULL LIMIT 200000')
      UNION ALL
      SELECT word FROM ts_stat('SELECT search_text FROM contact WHERE deleted_at IS NULL LIMIT 200000')
      UNION ALL
      SELECT word FROM ts_stat('SELECT search_text FROM opportunity WHERE deleted_at IS NULL LIMIT 200000')
      UNION ALL
      SELECT word FROM ts_stat('SELECT search_text FROM product WHERE deleted_at IS NULL LIMIT 200000')
    ) w
    WHERE char_length(word) >= :shortest AND word !~ '[0-9]'
""")


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    read_at: float
    words: Sequence[str]


_known: OrderedDict[UUID, _Vocabulary] = OrderedDict()


async def readings(uow: UnitOfWork, words: Sequence[str]) -> list[list[str]]:
    """How the folded words may have been meant, most alike first; empty when nothing resembles one of them.

    The vocabulary is that of the whole workspace: show a reading only when the actor sees a record that has it.
    """
    vocabulary = await _vocabulary(uow)
    return await asyncio.to_thread(_readings, words, vocabulary)


async def _vocabulary(uow: UnitOfWork) -> Sequence[str]:
    tenant_id = uow.actor.tenant_id
    known = _known.get(tenant_id)
    if known is None or time.monotonic() - known.read_at > _LIFETIME:
        rows = await uow.rows(_VOCABULARY, {"shortest": _SHORTEST})
        known = _known[tenant_id] = _Vocabulary(time.monotonic(), [row.word for row in rows])
    _known.move_to_end(tenant_id)
    while len(_known) > _MOST_WORKSPACES:
        _known.popitem(last=False)
    return known.words


def _readings(words: Sequence[str], vocabulary: Sequence[str]) -> list[list[str]]:
    per_word = [_alike(word, vocabulary) for word in words]
    return [r for found in islice(product(*per_word), _READINGS) if (r := list(found)) != list(words)]


def _alike(word: str, vocabulary: Sequence[str]) -> list[str]:
    """The word itself when it begins a known one or cannot be guessed at, else beginnings of words that resemble it.

    Beginnings, as a search for the start of a word finds all of it and people mistype before they are done.
    """
    if len(word) < _SHORTEST or any(c.isdigit() for c in word) or any(v.startswith(word) for v in vocabulary):
        return [word]
    beginnings = {v[:length] for v in vocabulary for length in (len(word), len(word) + 1)}
    found = process.extract(
        word, beginnings, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=_ALIKE, limit=_CANDIDATES
    )
    return [beginning for beginning, *_ in found]


def forget(tenant_id: UUID) -> None:
    """Read the workspace's words anew at the next chance."""
    _known.pop(tenant_id, None)
