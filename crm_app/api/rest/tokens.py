"""Apps that sign in as a person: a pair of tokens for a password, the next pair for a refresh token, the end."""

from starlette.requests import Request

from crm_app.api.limits import Buckets
from crm_app.api.requests import client_ip, header
from crm_app.api.rest.answers import Answer, answer
from crm_app.api.rest.calls import json_object
from crm_app.core.errors import Invalid, Throttled
from crm_app.services.people import api_tokens
from crm_app.services.people.api_tokens import Pair
from crm_app.services.people.checks import network

_ASKED = Buckets(rate=1.0, burst=60)  # from one place


async def sign_in(request: Request) -> Answer:
    """POST /api/token/."""
    said = await _texts(request, "email", "password")
    return _given(await api_tokens.sign_in(said["email"], said["password"], **_from(request)))


async def refresh(request: Request) -> Answer:
    """POST /api/token/refresh/."""
    said = await _texts(request, "refresh_token")
    return _given(await api_tokens.refresh(said["refresh_token"], **_from(request)))


async def end(request: Request) -> Answer:
    """POST /api/token/revoke/."""
    said = await _texts(request, "refresh_token")
    await api_tokens.end(said["refresh_token"], **_from(request))
    return answer({"revoked": True})


def _given(pair: Pair) -> Answer:
    body = {
        "access_token": pair.access,
        "token_type": "Bearer",
        "expires_in": pair.expires_in,
        "refresh_token": pair.refresh,
    }
    return answer(body, cache_control="no-store")


async def _texts(request: Request, *names: str) -> dict[str, str]:
    """The texts of the body by name; Invalid when one is missing, or there are others."""
    bucket = _ASKED.of(network(client_ip(request.scope)))
    if not bucket.take():
        raise Throttled("Too many attempts from this place. Wait a little.", retry_after=bucket.wait())
    body = await json_object(request)
    wrong = {n[:100]: f"is not understood here; send {' and '.join(names)}" for n in body if n not in names}
    wrong |= {n: "must be a text of 1 to 1000 characters" for n in names if not _is_text(body.get(n))}
    if wrong:
        raise Invalid(**wrong)
    return {n: body[n] for n in names}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 1000 and "\x00" not in value


def _from(request: Request) -> dict[str, str]:
    return {"ip": client_ip(request.scope), "user_agent": header(request.scope, b"user-agent")[:300]}
