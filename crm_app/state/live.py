"""Messages of the live feed, as a page takes them in."""

import asyncio
from typing import Any

_BURST = 0.02  # seconds in which messages are gathered into one reading


async def next_batch(
    messages: asyncio.Queue[Any], patience: float, *, urgent: tuple[type, ...] = ()
) -> list[Any] | None:
    """What came within a moment after the first message, or at once when that is of an `urgent` kind; empty when
    nothing came in `patience` seconds; None when a newer watch of the tab took over."""
    try:
        async with asyncio.timeout(patience):  # wait_for forgets that it was cancelled when a message comes just then
            first = await messages.get()
    except TimeoutError:
        return []
    if not isinstance(first, urgent):
        await asyncio.sleep(_BURST)
    batch = [first]
    while not messages.empty():
        batch.append(messages.get_nowait())
    return None if None in batch else batch
