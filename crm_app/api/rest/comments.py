"""Comments on records over REST: said, read, changed, taken away. `@{<id of a user>}` in the words mentions a
colleague, who is told."""

import re
from typing import Any
from uuid import UUID

from crm_app.api.rest import marks, queries
from crm_app.api.rest.answers import Answer, answer, dumps
from crm_app.api.rest.calls import Call
from crm_app.api.rest.entities import entity_of
from crm_app.api.rest.reading import conditional
from crm_app.api.rest.writing import once
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity
from crm_app.services.activities import comments
from crm_app.services.activities.comments import Mention, Said
from crm_app.store.uow import UnitOfWork

_MENTION = re.compile(r"@\{([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}")


async def listed(call: Call) -> Answer:
    """GET /api/<plural>/<id>/comments/: the latest first."""
    params, record_id = call.request.query_params, call.id()
    queries.only(params, marks.PARAMETERS)
    size, after = marks.size_of(params), marks.after_of(params)
    async with call.work() as uow:
        entity = await entity_of(uow, call.segments[0])
        found = await comments.listed(uow, entity, record_id, before=after, limit=size + 1)
    rows = [_shown(entity, record_id, c) for c in found]
    return conditional(call, dumps(marks.paged(rows, [(c.happens_at, c.id) for c in found], size)))


async def add(call: Call) -> Answer:
    """POST /api/<plural>/<id>/comments/."""
    queries.only(call.request.query_params, ())
    words, mentions = _read(await call.object())
    record_id = call.id()

    async def work(uow: UnitOfWork) -> Answer:
        entity = await entity_of(uow, call.segments[0])
        made = await comments.add(uow, entity, record_id, words, mentions=mentions)
        return await _told(uow, made.id, 201, location=f"/api/comments/{made.id}/")

    return await once(call, work)


async def read(call: Call) -> Answer:
    """GET /api/comments/<id>/."""
    queries.only(call.request.query_params, ())
    async with call.work() as uow:
        return conditional(call, dumps(_shown(*await comments.read(uow, call.id()))))


async def change(call: Call) -> Answer:
    """PATCH /api/comments/<id>/: other words for one's own."""
    queries.only(call.request.query_params, ())
    words, mentions = _read(await call.object())
    comment_id = call.id()

    async def work(uow: UnitOfWork) -> Answer:
        await comments.edit(uow, comment_id, words, mentions=mentions)
        return await _told(uow, comment_id)

    return await once(call, work)


async def remove(call: Call) -> Answer:
    """DELETE /api/comments/<id>/: into the trash."""
    queries.only(call.request.query_params, ())
    comment_id = call.id()

    async def work(uow: UnitOfWork) -> Answer:
        _require(uow)
        gone = await comments.remove(uow, comment_id)
        back = f"/api/comments/{comment_id}/restore/"
        return answer({"id": gone.id, "deleted_at": gone.deleted_at, "restore": back})

    return await once(call, work)


async def restore(call: Call) -> Answer:
    """POST /api/comments/<id>/restore/: out of the trash, for 30 days."""
    queries.only(call.request.query_params, ())
    comment_id = call.id()

    async def work(uow: UnitOfWork) -> Answer:
        _require(uow)
        await comments.put_back(uow, comment_id)
        return await _told(uow, comment_id)

    return await once(call, work)


def _require(uow: UnitOfWork) -> None:
    """One's own comments go without a right; a program that may only read takes none away."""
    if not uow.actor.can("comment.manage"):
        uow.require("comment.create")


async def _told(uow: UnitOfWork, comment_id: UUID, status: int = 200, **headers: str) -> Answer:
    return answer(_shown(*await comments.read(uow, comment_id)), status, **headers)


def _read(body: dict[str, Any]) -> tuple[str, list[Mention]]:
    """The words as the service takes them, where a name stands for a person: here it is the id."""
    wrong = {n[:100]: "is not understood here; known is text" for n in body if n != "text"}
    text = body.get("text")
    if not isinstance(text, str):
        wrong["text"] = "must be the words of the comment"
    elif len(text) > comments.LONGEST:  # as it came: the service counts what is left of it without control characters
        wrong["text"] = f"is longer than {comments.LONGEST:,} characters"
    if wrong:
        raise Invalid(**wrong)
    words = str(text)
    ids = {UUID(i) for i in _MENTION.findall(words)}
    return _MENTION.sub(lambda m: f"@{UUID(m[1])}", words), [Mention(i, str(i)) for i in ids]


def _shown(entity: Entity, record_id: UUID, said: Said) -> dict[str, Any]:
    return {
        "id": said.id,
        "entity": entity.name,
        "record_id": record_id,
        "text": "".join(f"@{{{p.user_id}}}" if p.user_id else p.text for p in said.parts),
        "plain": said.plain,
        "mentions": [
            {"user_id": i, "name": n} for i, n in {p.user_id: p.text for p in said.parts if p.user_id}.items()
        ],
        "created_at": said.happens_at,
        "created_by_id": said.by_id,
        "created_by": said.by_name,
        "edited": said.is_edited,
    }
