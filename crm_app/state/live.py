"""Messages of the live feed, as a page takes them in."""

import asyncio

from crm_app.store.live import Message

_BURST = 0.02  # seconds in which messages are gathered into one reading


async def next_batch(messages: asyncio.Queue[Message | None], patience: float) -> list[Message] | None:
    """What came within a moment after the first message; empty when nothing came in `patience` seconds; None when a
    newer watch of the tab took over."""
    try:
        first = await asyncio.wait_for(messages.get(), patience)
    except TimeoutError:
        return []
    await asyncio.sleep(_BURST)
    batch = [first]
    while not messages.empty():
        batch.append(messages.get_nowait())
    return None if None in batch else [m for m in batch if m is not None]
