"""Every entity that people look through, in the browser: its list, its page, a field in place, making, deleting."""

import re

import pytest
from playwright.async_api import expect

from crm_app.components.lists import makes
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.pages.records import LISTED
from crm_app.services.platform import records
from crm_app.services.platform.schema import entity_of
from crm_app.store.uow import unit_of_work
from tests.entities.values import ids, make, value_of
from tests.services.sales.deals import a_deal

pytestmark = pytest.mark.parametrize("entity", LISTED, ids=ids)


async def there(admin, entity: Entity):
    """A record of the entity, its name and its id."""
    if entity.name == "opportunity":
        deal = await a_deal(admin, "Roll-out")
        return deal.id, deal.name
    async with unit_of_work(admin) as uow:
        if entity.is_managed:
            page = await records.find(uow, entity, limit=1)
            return page.rows[0]["id"], page.rows[0][entity.title]
        record = await make(uow, entity)
        return record.id, getattr(record, entity.title)


def text_field(entity: Entity) -> FieldSpec:
    """A text of the form that is written by hand."""
    asked = (entity.fields[n] for s in entity.form for n in s.fields)
    return next(f for f in asked if f.kind is Kind.text and f.name not in entity.readonly and f.name != "kind")


async def test_it_is_listed_opened_and_edited(visit, admin, entity):
    record_id, name = await there(admin, entity)
    page = await visit(admin, f"/{entity.slug}")
    link = page.locator("tbody").get_by_role("link", name=name, exact=True).first
    await expect(link).to_have_attribute("href", re.compile(str(record_id)))
    await page.goto(f"/{entity.slug}/{record_id}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    if entity.is_managed:
        return
    field = text_field(entity)
    await page.locator(f"[data-field={field.name}] button.val").first.click()
    await page.keyboard.type("Changed here")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"[data-field={field.name}] .val").first).to_contain_text("Changed here")
    await expect(page.get_by_text(f"{field.label} saved", exact=True)).to_be_attached()
    async with unit_of_work(admin) as uow:
        kept = await records.read(uow, entity, record_id)
    assert getattr(kept, field.name) == "Changed here"


async def test_it_is_made_and_thrown_away(visit, admin, entity):
    if not makes(entity):
        pytest.skip("made elsewhere, with tests of its own")
    page = await visit(admin, f"/{entity.slug}")
    await expect(page.get_by_text(f"No {entity.plural.lower()} yet")).to_be_visible()
    await page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name=f"New {entity.label.lower()}")
    await expect(dialog).to_be_visible()
    async with unit_of_work(admin) as uow:
        today, shown = uow.today, await entity_of(uow, entity.name)
    for spec in (s for s in shown.fields.values() if s.required and s.name not in shown.readonly):
        await fill(dialog.locator(f"#new-{spec.name}"), spec, value_of(shown, spec, day=today))
    await dialog.get_by_role("button", name="Create").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("button", name="More actions")).to_be_visible()
    await page.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name=f"Delete {entity.label.lower()}").click()
    await expect(page.get_by_text("is in the trash")).to_be_visible()
    await expect(page.get_by_text(f"No {entity.plural.lower()} yet")).to_be_visible()


async def fill(box, spec: FieldSpec, value) -> None:
    if spec.name == "owner_id" or await box.count() == 0 or await box.input_value():
        return  # filled in already
    match spec.kind:
        case Kind.choice | Kind.flag:
            await box.select_option(str(value))
        case Kind.date:
            await box.fill(value.isoformat())
        case Kind.datetime:
            await box.fill(value.strftime("%Y-%m-%d %H:%M"))
        case _:
            await box.fill(str(value))
