"""People at the board who are not measured: websockets that open it as the browser does, and move a card now and then."""

from typing import Self

from bench.ground import World
from tests.e2e.browsing import Visits


class Crowd:
    def __init__(self, world: World, url: str, visits: Visits, size: int) -> None:
        self.world, self.url, self.visits, self.size = world, url, visits, size

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failed: object) -> None:
        return
