"""Limits on how often and how much. Per process; guesses at passwords are counted in the database (services.people)."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

_MOST_KEYS = 10_000
Receive = Callable[[], Awaitable[Any]]


class TooLarge(HTTPException):
    """A request body beyond its limit; Starlette answers it with 413."""

    def __init__(self) -> None:
        super().__init__(413, "This is too large.")


@dataclass(slots=True)
class Bucket:
    """Holds up to `burst` tokens, refilled at `rate` a second."""

    rate: float
    burst: float
    level: float = -1.0
    filled_at: float = 0.0

    def take(self, now: float | None = None) -> bool:
        """Use a token up, if there is one."""
        now = time.monotonic() if now is None else now
        level = self.burst if self.level < 0 else min(self.burst, self.level + (now - self.filled_at) * self.rate)
        self.filled_at = now
        self.level = level - 1 if level >= 1 else level
        return level >= 1

    def wait(self) -> int:
        """Whole seconds until there is a token again."""
        return max(1, int((1 - self.level) / self.rate) + 1)


class Buckets:
    """One bucket for each key, the least used forgotten first."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self._all: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, key: str) -> Bucket:
        bucket = self._all.setdefault(key, Bucket(self.rate, self.burst))
        self._all.move_to_end(key)
        if len(self._all) > _MOST_KEYS:
            self._all.popitem(last=False)
        return bucket

    def clear(self) -> None:
        self._all.clear()


def limited(receive: Receive, most: int) -> Receive:
    """`receive` that raises TooLarge once more than `most` bytes of body have come."""
    got = 0

    async def counted() -> Any:
        nonlocal got
        message = await receive()
        if message["type"] == "http.request":
            got += len(message.get("body", b""))
            if got > most:
                raise TooLarge
        return message

    return counted
