"""Answers as JSON: records, lists and refusals alike."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from crm_app.core.as_json import dumps
from crm_app.core.errors import CrmError

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gets: bytes, ready to be sent or kept."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, more: Mapping[str, str]) -> Response:
        kind = {"content-type": JSON} if self.body and "content-type" not in self.headers else {}
        return Response(self.body, self.status, headers={**kind, **self.headers, **more})


def answer(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, dumps(value), {name.replace("_", "-"): text for name, text in headers.items()})


def refusal(refused: CrmError, **headers: str) -> Answer:
    """error_code for programs, message for people, details for both."""
    return answer(error_of(refused), refused.status, **headers)


def error_of(refused: CrmError) -> dict[str, Any]:
    return {"error_code": refused.code, "message": str(refused), "details": refused.details}


def digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=8).hexdigest()


def is_known(etag: str, if_none_match: str) -> bool:
    """Whether the client says that it has this very answer; weak marks of its cache count as the same."""
    known = (mark.strip().removeprefix("W/") for mark in if_none_match.split(","))
    return any(mark in (etag, "*") for mark in known)
