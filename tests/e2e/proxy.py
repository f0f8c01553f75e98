"""A load balancer small enough for a test: TCP to whichever server it is told to prefer, near or far away."""

import asyncio
import contextlib


class Proxy:
    """Connections go to `target`, a port; those that are open stay where they are until `cut`.

    What goes over a websocket takes `seconds` more, each way; files and forms come as fast as ever.
    """

    def __init__(self, port: int, target: int, *, seconds: float = 0.0) -> None:
        self.port, self.target, self.seconds = port, target, seconds
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def cut(self) -> None:
        """End every open connection, as a balancer does that takes a server out."""
        for writer in self._open:
            writer.transport.abort()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError):
            upstream = await asyncio.open_connection("127.0.0.1", self.target)
            ends = {writer, upstream[1]}
            self._open |= ends
            try:
                first = await reader.read(65536)
                seconds = self.seconds if b"upgrade: websocket" in first.lower() else 0.0
                upstream[1].write(first)
                await asyncio.gather(_pump(reader, upstream[1], seconds), _pump(upstream[0], writer, seconds))
            finally:
                self._open -= ends
                upstream[1].close()
        writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    later = asyncio.get_running_loop().call_later
    with contextlib.suppress(OSError):
        while part := await source.read(65536):
            if seconds:
                later(seconds, sink.write, part)
            else:
                sink.write(part)
                await sink.drain()
    later(seconds, sink.close)
