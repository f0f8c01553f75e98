"""What a person can do wrong, said so that they can mend it. Everything else is a bug and reaches the log."""

from typing import Any


class CrmError(Exception):
    """An expected refusal. `code` is stable for programs, the message is for people."""

    status = 400
    code = "error"

    @property
    def details(self) -> dict[str, Any]:
        return {}


class NotFound(CrmError):
    """It does not exist, or this actor may not know that it does."""

    status, code = 404, "not_found"


class Forbidden(CrmError):
    status, code = 403, "forbidden"

    def __init__(self, message: str, *, permission: str = "") -> None:
        super().__init__(message)
        self.permission = permission

    @property
    def details(self) -> dict[str, Any]:
        return {"permission": self.permission} if self.permission else {}


class Unauthenticated(CrmError):
    status, code = 401, "unauthenticated"


class Conflict(CrmError):
    """Somebody changed it in between, or its state forbids the act. `current` says how it is now."""

    status, code = 409, "conflict"

    def __init__(self, message: str, *, current: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.current = current or {}

    @property
    def details(self) -> dict[str, Any]:
        return {"current": self.current} if self.current else {}


class Invalid(CrmError):
    """One message per field: what is wrong and what would be right."""

    status, code = 422, "invalid"

    def __init__(self, message: str = "", /, **fields: str) -> None:
        super().__init__(message or "; ".join(f"{k}: {v}" for k, v in fields.items()))
        self.fields = fields

    @property
    def details(self) -> dict[str, Any]:
        return {"fields": self.fields}


class NeedsApproval(CrmError):
    status, code = 409, "needs_approval"


class Throttled(CrmError):
    """Too often. `retry_after` is in whole seconds."""

    status, code = 429, "throttled"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    @property
    def details(self) -> dict[str, Any]:
        return {"retry_after": self.retry_after}


class NotReady(CrmError):
    """The installation cannot start or go on. `remedy` is what its operator does about it."""

    status, code = 503, "not_ready"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    @property
    def details(self) -> dict[str, Any]:
        return {"remedy": self.remedy} if self.remedy else {}
