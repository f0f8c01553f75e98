"""What runs by the clock, as declared: the clock in crm_app.jobs reads it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tick:
    """`run(uow)` once for every workspace and period. `cron` is a five-field expression in UTC."""

    name: str
    cron: str
    run: Callable[[Any], Awaitable[Any]]


_ticks: dict[str, Tick] = {}


def every(cron: str) -> Callable[[Callable[[Any], Awaitable[Any]]], Callable[[Any], Awaitable[Any]]]:
    """Declare a job of the clock: `@every("*/15 * * * *") async def refresh_health(uow): ...`. It may run twice."""

    def register(fn: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
        name = fn.__name__
        if name in _ticks and _ticks[name].run.__module__ != fn.__module__:
            raise ValueError(f"two jobs of the clock are called {name}")
        _ticks[name] = Tick(name, cron, fn)
        return fn

    return register


def ticks() -> dict[str, Tick]:
    return dict(_ticks)
