"""What a role may not see of a record is in no frame that its browser ever gets, on whatever page, live or asked for;
and the page on which admins add fields."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from crm_app.core.context import Actor
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.people.users import Role
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.activities import activities
from crm_app.services.platform import custom_fields, records
from crm_app.services.sales import lines, stakeholders
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal

SECRET = "quokka"
AMOUNT = 4_711_234_00
CLOSED = (
    "account.website", "account.description", "account.custom.tier", "account.custom.twice", "contact.email",
    "contact.title", "contact.phone", "opportunity.amount_minor", "opportunity.next_step", "opportunity.tags",
    "activity.body", "activity.outcome",
)  # fmt: skip
_TELLING = re.compile(r"quokka|(?<!\d)(4.?711.?234(00)?|30.?901.?820|8.?642)(?!\d)", re.IGNORECASE)


@dataclass
class Heard:
    """All that the browser was sent over its socket."""

    frames: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        def opened(socket: Any) -> None:
            socket.on("framereceived", lambda frame: self.frames.append(str(frame)))

        page.on("websocket", opened)

    def telling(self) -> list[str]:
        found = (_TELLING.search(f) for f in self.frames)
        return [m.string[max(0, m.start() - 300) : m.end() + 100] for m in found if m]


@dataclass(frozen=True)
class Place:
    account: UUID
    contact: UUID
    deal: UUID
    tier: UUID


@pytest.fixture
async def rosa(workspace: Any) -> Actor:
    person: Actor = await workspace.person("Rosa")
    return person


@pytest.fixture
async def place(workspace: Any, rosa: Actor) -> Place:
    """A company, a person and a deal of Rosa's, with secrets that an admin put there."""
    admin, mine = workspace.admin, {"owner_id": rosa.user_id}
    async with unit_of_work(admin) as uow:
        tier = await custom_fields.create(uow, "account", label="Tier", kind="text")
        await custom_fields.create(uow, "account", label="Twice", kind="formula", formula="{Employees} * 2")
    async with unit_of_work(admin) as uow:
        account = await records.create(
            uow, ACCOUNT, {"name": "Kessler", "website": f"https://{SECRET}.example", "employees": 4321,
                           "description": SECRET, "custom.tier": SECRET, **mine},
        )  # fmt: skip
        person = {"last_name": "Wohlgemuth", "email": f"{SECRET}@example.com", "title": SECRET, "phone": "+4930901820"}
        contact = await records.create(uow, CONTACT, {**person, "account_id": account.id, **mine})
    deal = await a_deal(admin, "Roll-out", account="Kessler", amount_minor=AMOUNT, **mine)
    async with unit_of_work(admin) as uow:
        await records.update(
            uow, OPPORTUNITY, deal.id, {"next_step": SECRET, "tags": [SECRET], "account_id": account.id}
        )
        await records.update(uow, ACCOUNT, account.id, {"description": f"{SECRET} 2", "custom.tier": f"{SECRET} 2"})
        await activities.log(uow, kind="call", subject="Called", body=SECRET, outcome=SECRET, opportunity_id=deal.id)
        await stakeholders.add(uow, deal.id, contact.id)
        await lines.add(uow, deal.id, name="Robots", unit_price_minor=AMOUNT)
    return Place(account.id, contact.id, deal.id, tier.id)


@pytest.fixture
async def right(request: pytest.FixtureRequest, workspace: Any) -> str:
    async with unit_of_work(workspace.admin) as uow:
        role = await uow.get(Role, workspace.roles["rep"])
        role.field_rights = dict.fromkeys((*CLOSED, "account.employees"), request.param)
    return str(request.param)


async def walk(page: Page, place: Place) -> None:
    """Every page on which one of these records stands, and what can be asked for there."""
    stops = (
        ("/pipeline", "Roll-out"), ("/pipeline?ends=1", "Roll-out"),
        (f"/opportunities/{place.deal}", "Roll-out"), (f"/opportunities/{place.deal}#timeline", "Roll-out"),
        (f"/opportunities/{place.deal}#details", "Roll-out"), ("/opportunities", "Roll-out"),
        (f"/opportunities?cols={','.join(n.partition('.')[2] for n in CLOSED if n.startswith('opp'))}", "Roll-out"),
        ("/accounts", "Kessler"), ("/accounts?cols=website,description,custom.tier,custom.twice", "Kessler"),
        (f"/accounts/{place.account}", "Kessler"), (f"/accounts/{place.account}?tab=history", "Kessler"),
        ("/contacts", "Wohlgemuth"), ("/contacts?cols=email,title,phone", "Wohlgemuth"),
        (f"/contacts/{place.contact}", "Wohlgemuth"), ("/activities", "Called"),
        (f"/duplicates?entity=account&ids={place.account}", "Kessler"),
    )  # fmt: skip
    for path, ready in stops:
        await page.goto(path)
        await expect(page.get_by_text(ready).first).to_be_attached()
    await page.goto("/accounts")
    await expect(page.get_by_text("Kessler").first).to_be_visible()
    await page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Search and commands")
    await expect(palette.get_by_role("combobox")).to_be_focused()
    for text in (SECRET[:5], "Kess", "Wohl", "Roll"):  # what she types herself is told back
        await page.keyboard.press("Control+a")
        await page.keyboard.type(text)
        await expect(palette.get_by_role("listbox")).to_have_attribute("aria-busy", "false")
    await page.keyboard.press("Escape")


@pytest.mark.parametrize("right", ["hidden", "masked"], indirect=True)
async def test_no_frame_tells_what_the_role_may_not_see(visit, workspace, rosa, right, place):
    heard = Heard()
    page = await visit(rosa, "")
    heard.listen(page)
    await walk(page, place)
    await page.goto(f"/accounts/{place.account}")
    await expect(page.get_by_text("Kessler").first).to_be_visible()
    async with unit_of_work(workspace.admin) as uow:  # while she looks at it
        await records.update(
            uow, ACCOUNT, place.account,
            {"name": "Kessler AG", "description": f"{SECRET} 3", "custom.tier": f"{SECRET} 3"},
        )  # fmt: skip
    await expect(page.get_by_role("heading", level=1)).to_have_text("Kessler AG")
    assert "Kessler AG" in "".join(heard.frames) and "Wohlgemuth" in "".join(heard.frames)
    assert heard.telling() == []


async def test_the_same_walk_tells_whoever_may_see(visit, workspace, place):
    heard = Heard()
    page = await visit(workspace.admin, "")
    heard.listen(page)
    await walk(page, place)
    told = "".join(heard.frames)
    for text in (f"https://{SECRET}", f"{SECRET}@example.com", f"{SECRET} 2", "8642", "30 901820"):
        assert text in told, text


async def test_an_admin_adds_a_field_and_everybody_has_it(visit, workspace):
    admin = workspace.admin
    async with unit_of_work(admin) as uow:
        await records.create(uow, ACCOUNT, {"name": "Kessler"})
    page = await visit(admin, "/settings/fields?e=account")
    await page.get_by_role("button", name="Field", exact=True).click()
    panel = page.get_by_role("complementary", name="New field")
    await panel.get_by_label("Name", exact=True).fill("Tier")
    await panel.get_by_label("Holds").select_option("choice")
    await panel.get_by_label("Choice", exact=True).nth(0).fill("Gold")
    await panel.get_by_label("Choice", exact=True).nth(1).fill("Silver")
    await panel.get_by_role("button", name="Save field").click()
    await expect(page.get_by_role("region", name="Your own fields, in their order")).to_contain_text("Tier")
    await page.goto("/accounts?cols=name,custom.tier")
    await expect(page.get_by_role("columnheader", name="Tier")).to_be_visible()
    await page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="New account")
    await dialog.get_by_label("Name").fill("Acme")
    await dialog.get_by_text("More fields").click()
    await dialog.get_by_label("Tier").select_option(label="Silver")
    await dialog.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", name="Acme", level=1)).to_be_visible()
    await expect(page.locator("[data-field='custom.tier']")).to_contain_text("Silver")
