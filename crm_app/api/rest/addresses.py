"""Which address and method leads to which endpoint. With or without the slash at the end, it is the same."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from crm_app.api.rest import (
    bulk,
    comments,
    docs,
    exporting,
    files,
    importing,
    merging,
    notifications,
    reading,
    tokens,
    transitions,
    trash,
    writing,
)  # fmt: skip
from crm_app.api.rest.answers import Answer
from crm_app.api.rest.calls import Endpoint, Public, public, served, told
from crm_app.api.rest.entities import ALL
from crm_app.api.rest.errors import NotAllowed
from crm_app.core import registry
from crm_app.core.errors import NotFound

Methods = Mapping[str, Endpoint]
LISTS: Methods = {"GET": reading.listed, "POST": writing.create}
RECORDS: Methods = {
    "GET": reading.read,
    "PUT": writing.replace,
    "PATCH": writing.change,
    "DELETE": writing.delete,
}
BULK: Mapping[str, Methods] = {
    "create": {"POST": bulk.create},
    "update": {"POST": bulk.update},
    "delete": {"POST": bulk.delete},
}
MERGES: Mapping[str, Methods] = {"merge": {"POST": merging.merge}, "merges": {"GET": merging.listed}}
_SINGLE: Mapping[str, Methods] = {
    "me": {"GET": reading.me},
    "trash": {"GET": trash.listed},
    "notifications": {"GET": notifications.listed},
}
# What hangs on records: below them, and by its own id.
HANGING: Mapping[str, Methods] = {
    "comments": {"GET": comments.listed, "POST": comments.add},
    "files": {"GET": files.listed, "POST": files.add},
}
_HUNG: Mapping[str, Methods] = {
    "comments": {"GET": comments.read, "PATCH": comments.change, "DELETE": comments.remove},
    "files": {"GET": files.read, "DELETE": files.remove},
    "notifications": {"PATCH": notifications.mark},
}
_HUNG_ACTS: Mapping[tuple[str, str], Methods] = {
    ("comments", "restore"): {"POST": comments.restore},
    ("files", "restore"): {"POST": files.restore},
    ("files", "content"): {"GET": files.content},
}
# Written by functions of their own, under Settings.
MANAGED_LISTS: Methods = {"GET": reading.listed}
MANAGED_RECORDS: Methods = {"GET": reading.read}
PUBLIC: Mapping[tuple[str, ...], Mapping[str, Public]] = {
    ("token",): {"POST": tokens.sign_in},
    ("token", "refresh"): {"POST": tokens.refresh},
    ("token", "revoke"): {"POST": tokens.end},
    ("openapi.json",): {"GET": docs.openapi},
    ("docs",): {"GET": docs.page},
}


class Rest:
    """The ASGI application below /api/."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        segments = tuple(s for s in scope["path"].removeprefix("/api/").split("/") if s)
        response = await _led(request, segments)
        await response(scope, receive, send)


async def _led(request: Request, segments: tuple[str, ...]) -> Any:
    method = "GET" if request.method == "HEAD" else request.method
    if (anybodys := PUBLIC.get(segments)) is not None:
        if method not in anybodys:
            return _refused(NotAllowed(method, tuple(anybodys)))
        return await public(request, anybodys[method])
    methods = methods_of(segments)
    if methods is None:
        return _refused(NotFound(f"There is nothing at this address. {ALL}"))
    if method not in methods:
        return _refused(NotAllowed(method, tuple(methods)))
    return await served(request, methods[method], segments)


def methods_of(segments: tuple[str, ...]) -> Methods | None:
    """What an address knows; None when there is no such address."""
    entity = registry.by_slug(segments[0]) if segments else None
    merged = _merges(segments) if merging.is_merged(entity) else None
    return merged or _hanging(segments, entity) or _methods(segments, entity)


def _methods(segments: tuple[str, ...], entity: registry.Entity | None) -> Methods | None:
    is_managed = entity is not None and entity.is_managed
    match len(segments):
        case 1 if segments[0] in _SINGLE:
            return _SINGLE[segments[0]]
        case 1:
            return MANAGED_LISTS if is_managed else LISTS
        case 2 if segments[1] == "export":
            return {"GET": exporting.export}
        case 2 if segments[1] == "import" and not is_managed:
            return {"POST": importing.receive}
        case 2 if segments[0] == "imports":
            return {"GET": importing.status}
        case 2:
            return MANAGED_RECORDS if is_managed else RECORDS
        case 3 if segments[1] == "bulk" and not is_managed:
            return BULK.get(segments[2])
        case 3 if segments[0] == "imports" and segments[2] == "revert":
            return {"POST": importing.take_back}
        case 3 if segments[0] == "opportunities" and segments[2] == "stage-transition":
            return {"POST": transitions.transition}
        case 3 if segments[2] == "restore" and not is_managed:
            return {"POST": writing.restore}
        case 3 if entity is not None and _leads_to_many(entity, segments[2]):
            return {"GET": reading.listed_there}
    return None


def _hanging(segments: tuple[str, ...], entity: registry.Entity | None) -> Methods | None:
    """What hangs on a record: below it, or by an id of its own."""
    if segments == ("notifications", "read"):
        return {"POST": notifications.mark_read}
    if len(segments) == 2:
        return _HUNG.get(segments[0])
    if len(segments) != 3:
        return None
    if entity is not None and not entity.is_managed:
        return HANGING.get(segments[2])
    return _HUNG_ACTS.get((segments[0], segments[2]))


def _merges(segments: tuple[str, ...]) -> Methods | None:
    if len(segments) == 5:
        return {"POST": merging.undo} if (segments[2], segments[4]) == ("merges", "undo") else None
    return MERGES.get(segments[2]) if len(segments) == 3 else None


def _leads_to_many(entity: registry.Entity, name: str) -> bool:
    relation = registry.relations(entity).get(name)
    return relation is not None and relation.many


def _refused(error: Exception) -> Any:
    given = told(error, "")
    assert isinstance(given, Answer)
    return given.response({})


routes = [Route("/api/{path:path}", Rest())]
