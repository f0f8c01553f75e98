"""The board as a test sees it: stages and cards by their names, hands that drag."""

from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

_AIMS = 6
_CARDS_ABOVE = """slot => {
  const items = [...slot.parentNode.querySelectorAll(":scope > .slot, :scope > [data-deal]:not(.lifted)")];
  return items.indexOf(slot);
}"""


@dataclass(frozen=True)
class BoardPage:
    page: Page

    async def is_ready(self) -> "BoardPage":
        """Cards or empty columns are there, and the tab hears of changes."""
        await expect(self.page.locator("section.col").first).to_be_visible()
        return self

    def stage(self, name: str) -> Locator:
        return self.page.locator("section.col").filter(has=self.page.get_by_role("heading", name=name, exact=True))

    def card(self, title: str) -> Locator:
        return self.page.locator("[data-deal]").filter(has=self.page.get_by_role("heading", name=title, exact=True))

    def titles(self, stage: str) -> Locator:
        return self.stage(stage).locator("[data-deal] h3")

    async def shows(self, stage: str, *titles: str) -> None:
        """These cards, from the top, and no others."""
        await expect(self.titles(stage)).to_have_text(list(titles))

    async def shows_figures(self, stage: str, count: int, sum_: str) -> None:
        await expect(self.stage(stage).locator("header .pill")).to_have_text(str(count))
        await expect(self.stage(stage).locator("header .sum b")).to_have_text(sum_)

    def notice(self, text: str) -> Locator:
        return self.page.locator(".notice").filter(has_text=text)

    @property
    def said(self) -> Locator:
        """What a screen reader hears."""
        return self.page.locator("[data-spoken]")

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog#deal-dialog[open]")

    async def lift(self, title: str) -> None:
        """Take a card with the mouse and hold it."""
        mouse, box = self.page.mouse, await _box(self.card(title))
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        await mouse.move(x, y)
        await mouse.down()
        await mouse.move(x + 6, y + 6, steps=2)
        await expect(self.page.locator(".deal.drag")).to_have_count(1)

    async def carry(self, stage: str, index: int = 0) -> None:
        """Bring the held card over the place where it would be number `index` of the stage."""
        column = self.stage(stage)
        cards, slot = column.locator("[data-deal]:not(.lifted)"), column.locator(".slot")
        box = await _box(column)
        for _ in range(_AIMS):  # the place that opens for the card moves the others
            y = (await _box(column.locator(".cards")))["y"] + 30
            if count := await cards.count():
                goal = await _box(cards.nth(min(index, count - 1)))
                y = goal["y"] + (goal["height"] + 12 if index >= count else 4)
            await self.page.mouse.move(box["x"] + box["width"] / 2, y, steps=6)
            await expect(slot).to_have_count(1)
            if await slot.evaluate(_CARDS_ABOVE) == index:
                return
        raise AssertionError(f"the card cannot be brought to place {index} of {stage}")

    async def drag(self, title: str, stage: str, index: int = 0) -> None:
        await self.lift(title)
        await self.carry(stage, index)
        await self.page.mouse.up()

    async def drag_to_end(self, title: str, end: str) -> None:
        """Drop a card on the dock: won, lost or pipeline."""
        await self.lift(title)
        target = self.page.locator(f"[data-dock={end}]")
        box = await _box(target)
        await self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=6)
        await expect(target).to_contain_class("over")
        await self.page.mouse.up()


async def open_board(page: Page) -> BoardPage:
    return await BoardPage(page).is_ready()


async def _box(locator: Locator) -> dict[str, float]:
    box = await locator.bounding_box()
    assert box, f"{locator} is not on the screen"
    return dict(box)
