"""Refusals that only a request can earn; all others come from the services."""

from typing import Any

from crm_app.core.errors import CrmError


class BadRequest(CrmError):
    """It cannot be read."""

    status, code = 400, "bad_request"


class NotAllowed(CrmError):
    """`allowed` are the methods this address knows."""

    status, code = 405, "method_not_allowed"

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{method} does not work here; use {' or '.join(allowed)}.")
        self.allowed = allowed

    @property
    def details(self) -> dict[str, Any]:
        return {"allowed": list(self.allowed)}


class Outdated(CrmError):
    """If-Match names a version that is no longer the current one."""

    status, code = 412, "precondition_failed"

    def __init__(self, version: int) -> None:
        super().__init__("Somebody changed this record in the meantime. Read it again, then send your change anew.")
        self.version = version

    @property
    def details(self) -> dict[str, Any]:
        return {"version": self.version}


class BodyTooLarge(CrmError):
    status, code = 413, "too_large"


class UnsupportedMedia(CrmError):
    status, code = 415, "unsupported_media_type"
