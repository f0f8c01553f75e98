"""One request of a program: who sends it, what it may send, what it gets when it is refused."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request

from crm_app.api.limits import Bucket, Buckets
from crm_app.api.requests import client_ip, header
from crm_app.api.rest.answers import Answer, answer, refusal
from crm_app.api.rest.errors import BadRequest, BodyTooLarge, NotAllowed, UnsupportedMedia
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.errors import CrmError, Invalid, NotFound, NotReady, Throttled, Unauthenticated
from crm_app.services.people import api_callers
from crm_app.services.people.api_callers import Caller
from crm_app.services.people.checks import network
from crm_app.store.uow import UnitOfWork, unit_of_work

log = logging.getLogger(__name__)
_STRANGERS = Buckets(rate=1.0, burst=60)  # refused tokens from one place
_callers: dict[UUID, Bucket] = {}
_MOST_CALLERS = 20_000


@dataclass(slots=True)
class Call:
    """`segments` are the variable parts of the address."""

    request: Request
    caller: Caller
    segments: tuple[str, ...]
    request_id: str

    @property
    def actor(self) -> Actor:
        return self.caller.actor

    def work(self) -> AbstractAsyncContextManager[UnitOfWork]:
        return unit_of_work(self.actor)

    def header(self, name: str) -> str:
        return header(self.request.scope, name.encode())

    def id(self, place: int = 1) -> UUID:
        """The id in the address."""
        try:
            text = self.segments[place]
            return UUID(text) if len(text) == 36 else _no_id()
        except ValueError:
            return _no_id()

    def given(self, name: str) -> bool:
        """Whether this header came at all; it may be empty."""
        return any(key == name.encode() for key, _ in self.request.scope["headers"])

    async def object(self) -> dict[str, Any]:
        return await json_object(self.request)


async def json_object(request: Request) -> dict[str, Any]:
    """The body. Only what says that it is JSON is read: no form of a foreign page can say so."""
    if header(request.scope, b"content-type").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMedia("Send the body as JSON, with the header Content-Type: application/json.")
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise BadRequest('The body must be a JSON object, such as {"name": "Acme"}.')
    return body


Endpoint = Callable[[Call], Awaitable[Any]]  # an Answer, or a response that is streamed
Public = Callable[[Request], Awaitable[Any]]


def _no_id() -> UUID:
    raise NotFound("There is no record with this id, or you may not see it.")


async def served(request: Request, endpoint: Endpoint, segments: tuple[str, ...]) -> Any:
    """The endpoint's answer, or the refusal, as a response."""
    request_id = request.scope.get("state", {}).get("request_id") or uuid4().hex
    limits: dict[str, str] = {}
    try:
        caller = await caller_of(request, request_id)
        limits = _counted(caller)
        given = await endpoint(Call(request, caller, segments, request_id))
    except Exception as error:  # noqa: BLE001 - told below, the unexpected ones without their text
        given = told(error, request_id)
    return _finished(given, limits)


async def public(request: Request, endpoint: Public) -> Any:
    """Like `served`, for what needs no token."""
    request_id = request.scope.get("state", {}).get("request_id") or uuid4().hex
    try:
        given = await endpoint(request)
    except Exception as error:  # noqa: BLE001 - as above
        given = told(error, request_id)
    return _finished(given, {})


def _finished(given: Any, limits: dict[str, str]) -> Any:
    if isinstance(given, Answer):
        return given.response(limits)
    given.headers.update(limits)
    return given


async def caller_of(request: Request, request_id: str) -> Caller:
    """Who calls. Unauthenticated when no token comes with the request, or none that is good."""
    scope = request.scope
    kind, _, token = header(scope, b"authorization").partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token:
        raise Unauthenticated("Send an API key: Authorization: Bearer sck_... (Settings, API keys).")
    ip = client_ip(scope)
    bucket = _STRANGERS.of(network(ip))
    # Others behind the same address go on with keys that were good before.
    if 0 <= bucket.level < 1 and not api_callers.is_remembered(token) and not bucket.take():
        raise Throttled("Too many refused tokens from this place. Wait a little.", retry_after=bucket.wait())
    known: dict[str, Any] = {
        "now": utcnow(),
        "ip": ip,
        "user_agent": header(scope, b"user-agent")[:300],
        "request_id": request_id,
    }
    try:
        if token.startswith(api_callers.PREFIX):
            return await api_callers.by_key(token, **known)
        return await api_callers.by_access_token(token, **known)
    except Unauthenticated:
        bucket.take()
        raise


def _counted(caller: Caller) -> dict[str, str]:
    """One request less for this key; Throttled when none is left."""
    bucket = _callers.get(caller.key_id)
    if bucket is None or bucket.burst != caller.per_minute:
        if len(_callers) > _MOST_CALLERS:
            _callers.clear()
        bucket = _callers[caller.key_id] = Bucket(caller.per_minute / 60, caller.per_minute)
    taken = bucket.take()
    limits = {
        "ratelimit-policy": f"{caller.per_minute};w=60",
        "ratelimit-limit": str(caller.per_minute),
        "ratelimit-remaining": str(int(bucket.level)),
        "ratelimit-reset": str(int((bucket.burst - bucket.level) / bucket.rate) + 1),
    }
    if not taken:
        raise TooMany(limits, retry_after=bucket.wait())
    return limits


class TooMany(Throttled):
    """This key has used up its requests. `limits` are the headers that say so."""

    def __init__(self, limits: dict[str, str], *, retry_after: int) -> None:
        super().__init__(f"This key has sent too many requests. Wait {retry_after} s.", retry_after=retry_after)
        self.limits = limits


def told(error: Exception, request_id: str) -> Answer:
    """What went wrong, in the blueprint's form. Nothing of the inside leaks: the log has it under the request's id."""
    match error:
        case TooMany():
            return refusal(error, retry_after=str(error.retry_after), **error.limits)
        case Throttled():
            return refusal(error, retry_after=str(error.retry_after))
        case Unauthenticated():
            return refusal(error, www_authenticate='Bearer realm="SalesCompass"')
        case NotAllowed():
            return refusal(error, allow=", ".join(error.allowed))
        case CrmError():
            return refusal(error)
        case HTTPException(status_code=413):
            return refusal(BodyTooLarge("The body is too large. Send less at once."))
        case DataError():
            log.warning("request %s gave a value the database refused", request_id, exc_info=error)
            return refusal(Invalid("One of the values cannot be stored. Check their length and range."))
        case OperationalError() | PoolTimeout() | OSError():
            log.error("request %s found no database", request_id, exc_info=error)
            return refusal(NotReady("The server is busy or starting. Try again in a few seconds."), retry_after="5")
    log.error("request %s failed", request_id, exc_info=error)
    body = {
        "error_code": "internal",
        "message": f"Something went wrong on our side. Tell your admin this reference: {request_id}.",
        "details": {"request_id": request_id},
    }
    return answer(body, 500)
