"""A file becomes deals, and stops being deals."""

import asyncio
from typing import Self

import psycopg
import sqlalchemy as sa
from playwright.async_api import expect

from crm_app.models.base import table_of
from crm_app.models.customers.accounts import Account
from crm_app.models.customers.contacts import Contact
from crm_app.models.sales.opportunities import Opportunity
from crm_app.store.uow import unit_of_work
from tests.e2e.board import open_board
from tests.e2e.browsing import listening
from tests.services.imports.test_exports import OBJECTS, SALESFORCE, needs_data
from tests.services.sales.deals import a_deal

FILE = """Name,Account,Amount,Expected close,Stage
Roof,Globex,12000,2031-05-04,Proposal
Cellar,Globex,8000.50,2031-06-04,Qualify
Garden,Initech,a lot,2031-07-04,Qualify
"""


async def living(actor, model) -> list[str]:
    table = table_of(model)
    async with unit_of_work(actor) as uow:
        rows = await uow.rows(sa.select(table.c.name).where(table.c.deleted_at.is_(None)).order_by(table.c.name))
    return [row.name for row in rows]


def csv(text: str, name: str = "deals.csv") -> dict[str, object]:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


async def choose(page, *files) -> None:
    await listening(page)
    await page.locator("input[type=file]").first.set_input_files(list(files))


async def test_upload_mend_import_and_take_back(visit, manager, alice):
    await a_deal(alice, "Was here", account="Umbrella")
    colleague = await open_board(await visit(alice))
    page = await visit(manager, "/import")
    await choose(page, csv(FILE))
    await expect(page.get_by_role("heading", name="Columns")).to_be_visible()
    await expect(page.get_by_text("5 of 5 matched")).to_be_visible()
    found = page.get_by_role("region", name="What the check found")
    await expect(found.get_by_text("is no amount").first).to_be_visible()
    await expect(page.get_by_text("Trial run, nothing is saved")).to_be_visible()
    assert await living(manager, Opportunity) == ["Was here"]  # nothing was written

    await page.reload()  # and it is all still there
    cell = found.get_by_role("textbox", name="Row 4, Amount")
    await cell.fill("700")
    await cell.press("Enter")
    await expect(page.get_by_role("button", name="Import 3 rows")).to_be_visible()
    await page.get_by_role("button", name="Import 3 rows").click()
    await expect(page.get_by_role("heading", name="3 deals imported")).to_be_visible()
    assert await living(manager, Opportunity) == ["Cellar", "Garden", "Roof", "Was here"]
    assert await living(manager, Account) == ["Globex", "Initech", "Umbrella"]
    await colleague.shows("Proposal", "Roof")  # whose board was open meanwhile
    await colleague.shows_figures("Proposal", 1, "€ 12 k")

    await page.get_by_role("button", name="Take this import back").click()
    await page.get_by_role("dialog", name="Take import back").get_by_role("button", name="Take import back").click()
    await expect(page.get_by_role("heading", name="The import was taken back")).to_be_visible()
    assert await living(manager, Opportunity) == ["Was here"]
    assert await living(manager, Account) == ["Umbrella"]
    await colleague.shows("Proposal")


@needs_data
async def test_five_exports_of_salesforce_at_once(visit, manager):
    page = await visit(manager, "/import")
    await choose(page, *(SALESFORCE / f"{n}.csv" for n in OBJECTS))
    files = page.get_by_role("region", name="Files and columns").get_by_role("listitem")
    for name in OBJECTS:
        await expect(files.filter(has_text=f"{name}.csv").first).to_be_visible(timeout=20_000)
    await expect(page.get_by_role("button", name="Import 309 rows")).to_be_visible(timeout=30_000)
    await page.get_by_role("button", name="Import 309 rows").click()
    await expect(page.get_by_role("heading", name="309 records imported")).to_be_visible(timeout=30_000)
    table = table_of(Contact)
    async with unit_of_work(manager) as uow:
        joined = await uow.scalar(sa.select(sa.func.count()).where(table.c.account_id.is_not(None)))
    assert joined == 18 + 60
    await page.get_by_role("button", name="Take this import back").click()
    await page.get_by_role("dialog", name="Take import back").get_by_role("button", name="Take import back").click()
    await expect(page.get_by_role("heading", name="The import was taken back")).to_be_visible(timeout=20_000)
    for model in (Account, Contact, Opportunity):
        assert await living(manager, model) == []


async def test_what_is_no_table_is_told(visit, manager):
    page = await visit(manager, "/import")
    await choose(page, csv("PK\x00\x01 nonsense", "broken.xlsx"))
    await expect(page.get_by_role("alert").first).to_be_visible()
    await choose(page, csv(FILE))
    await expect(page.get_by_role("heading", name="Columns")).to_be_visible()


async def test_a_reader_cannot_import(visit, reader):
    page = await visit(reader, "/import")
    await expect(page.get_by_text("You cannot import")).to_be_visible()
    await expect(page.locator("input[type=file]")).to_have_count(0)


class Held:
    """No contact is written meanwhile, so that a press comes for certain while the import is at it."""

    def __init__(self, owner_url: str) -> None:
        self._url = owner_url

    async def __aenter__(self) -> Self:
        self._line = await psycopg.AsyncConnection.connect(self._url)
        await self._line.execute(f"LOCK TABLE {table_of(Contact).name} IN SHARE MODE")
        return self

    async def until(self, waiting: int) -> None:
        """So many statements are stuck: the writing of rows, and what was pressed."""
        stuck = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        for _ in range(400):
            if (await (await self._line.execute(stuck)).fetchone() or (0,))[0] >= waiting:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("nothing waits for the contacts")

    async def __aexit__(self, *_: object) -> None:
        await self._line.close()


async def test_an_import_is_paused_goes_on_and_another_is_cancelled(visit, manager, database):
    page = await visit(manager, "/import")
    press = page.get_by_role("button")

    async def begin(first: int) -> None:
        rows = "\n".join(f"Person {n},person{n}@example.com" for n in range(first, first + 6_000))  # more than one bit
        await choose(page, csv(f"Last name,Email\n{rows}", "people.csv"))
        await press.filter(has_text="Import 6\u202f000 rows").click(timeout=30_000)
        await expect(page.get_by_role("heading", name="Importing")).to_be_visible()

    async def written() -> int:
        async with unit_of_work(manager) as uow:
            living_ones = sa.select(sa.func.count()).where(table_of(Contact).c.deleted_at.is_(None))
            return await uow.scalar(living_ones) or 0

    async with Held(database.owner) as held:
        await begin(1)
        await held.until(1)
        await press.filter(has_text="Pause").click()
        await held.until(2)
    await expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    await expect(page.get_by_text("5\u202f000 of 6\u202f000")).to_be_visible()
    assert await written() == 5_000  # what was written stays
    await page.reload()
    await press.filter(has_text="Go on").click()
    await expect(page.get_by_role("heading", name="6\u202f000 contacts imported")).to_be_visible(timeout=30_000)

    async with Held(database.owner) as held:
        await begin(10_001)
        await held.until(1)
        await press.filter(has_text="Cancel and take back").click()
        await held.until(2)
    await expect(page.get_by_text("What do you import?")).to_be_visible(timeout=30_000)
    assert await written() == 6_000
