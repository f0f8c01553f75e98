"""One's own notifications over REST: listed, marked as read. They name people, so they take the right to see those."""

from typing import Any
from uuid import UUID

from crm_app.api.rest import marks, queries
from crm_app.api.rest.answers import Answer, answer, dumps
from crm_app.api.rest.bodies import is_id
from crm_app.api.rest.calls import Call
from crm_app.api.rest.reading import conditional
from crm_app.api.rest.writing import once
from crm_app.core.errors import Invalid, NotFound
from crm_app.services.platform import notifications
from crm_app.services.platform.notifications import Told
from crm_app.store.uow import UnitOfWork

RIGHT = "user.read"
MOST = 200  # marked at once


async def listed(call: Call) -> Answer:
    """GET /api/notifications/?unread=true: the latest first."""
    params = call.request.query_params
    queries.only(params, ("unread", *marks.PARAMETERS))
    size, after, unread = marks.size_of(params), marks.after_of(params), params.get("unread", "false")
    if unread not in ("true", "false"):
        raise Invalid(unread="must be true or false")
    async with call.work() as uow:
        uow.require(RIGHT)
        found = await notifications.listed(uow, before=after, limit=size + 1, only_unread=unread == "true")
        count = await notifications.unread(uow)
    body = marks.paged([_shown(t) for t in found], [(t.created_at, t.id) for t in found], size)
    return conditional(call, dumps({**body, "unread": count}))


async def mark(call: Call) -> Answer:
    """PATCH /api/notifications/<id>/: read, or not after all."""
    queries.only(call.request.query_params, ())
    body, notification_id = await call.object(), call.id()
    if set(body) != {"read"} or not isinstance(body["read"], bool):
        raise Invalid(read='must be true or false, and nothing else is changed: {"read": true}')

    async def work(uow: UnitOfWork) -> Answer:
        uow.require(RIGHT)
        if not await notifications.mark(uow, [notification_id], read=body["read"]):
            raise NotFound("There is no notification of yours with this id.")
        return answer({"id": notification_id, "read": body["read"]})

    return await once(call, work)


async def mark_read(call: Call) -> Answer:
    """POST /api/notifications/read/: some, by their ids, or all."""
    queries.only(call.request.query_params, ())
    ids = _read(await call.object())

    async def work(uow: UnitOfWork) -> Answer:
        uow.require(RIGHT)
        if ids is None:
            await notifications.mark_all_read(uow)
        else:
            await notifications.mark(uow, ids, read=True)
        return answer({"unread": await notifications.unread(uow)})

    return await once(call, work)


def _read(body: dict[str, Any]) -> list[UUID] | None:
    """Ids; None stands for all."""
    if body == {"all": True}:
        return None
    ids = body.get("ids")
    if set(body) != {"ids"} or not isinstance(ids, list) or not 1 <= len(ids) <= MOST or not all(map(is_id, ids)):
        raise Invalid(ids=f'must be a list of up to {MOST} ids; or send {{"all": true}} and nothing else')
    return [UUID(i) for i in ids]


def _shown(told: Told) -> dict[str, Any]:
    return {
        "id": told.id,
        "kind": told.kind.name,
        "sentence": told.sentence,
        "record": told.record,
        "text": told.text,
        "href": told.href,
        "by": told.by_name,
        "created_at": told.created_at,
        "read": told.is_read,
    }
