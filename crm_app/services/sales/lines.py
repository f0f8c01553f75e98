"""The products on a deal."""

from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import Conflict, Invalid, NotFound
from crm_app.core.money import MAX_MINOR
from crm_app.models.base import table_of
from crm_app.models.catalog.products import Product
from crm_app.models.sales.opportunities import OPPORTUNITY, Opportunity, OpportunityLine
from crm_app.services.platform import records
from crm_app.store.uow import UnitOfWork

_lines = table_of(OpportunityLine)
_MOST = Decimal("99999999999.999")  # what the column of the quantity holds


def amount_of(quantity: Decimal, unit_price_minor: int, discount_percent: Decimal) -> int:
    """Minor units: quantity x unit price less the discount, rounded half up."""
    whole = quantity * unit_price_minor * (100 - discount_percent) / 100
    return int(whole.quantize(Decimal(1), ROUND_HALF_UP))


async def add(
    uow: UnitOfWork,
    opportunity_id: UUID,
    *,
    product_id: UUID | None = None,
    name: str = "",
    quantity: Decimal = Decimal(1),
    unit_price_minor: int | None = None,
    discount_percent: Decimal = Decimal(0),
) -> OpportunityLine:
    """A product of the catalogue, at its list price unless another is given, or anything else by its name."""
    uow.require("opportunity.update")
    deal = await uow.get(Opportunity, opportunity_id, lock=True)
    if product_id is not None:
        product = await uow.get(Product, product_id)
        name = name or product.name
        if unit_price_minor is None and product.currency != deal.currency:
            raise Invalid(unit_price_minor=f"is needed: {product.name} has its list price in {product.currency}")
        unit_price_minor = product.price_minor if unit_price_minor is None else unit_price_minor
    line = OpportunityLine(
        opportunity_id=opportunity_id,
        product_id=product_id,
        name=name.strip(),
        quantity=quantity,
        unit_price_minor=unit_price_minor or 0,
        discount_percent=discount_percent,
        position=await _next_position(uow, opportunity_id),
    )
    _settle(line)
    uow.add(line)
    await uow.flush()
    uow.changed("opportunity", deal.id, deal.version)
    return line


async def change(
    uow: UnitOfWork,
    line_id: UUID,
    *,
    name: str | None = None,
    quantity: Decimal | None = None,
    unit_price_minor: int | None = None,
    discount_percent: Decimal | None = None,
) -> OpportunityLine:
    """Change what is given; the amount follows."""
    line, deal = await _of_deal(uow, line_id)
    line.name = line.name if name is None else name.strip()
    line.quantity = line.quantity if quantity is None else quantity
    line.unit_price_minor = line.unit_price_minor if unit_price_minor is None else unit_price_minor
    line.discount_percent = line.discount_percent if discount_percent is None else discount_percent
    _settle(line)
    await uow.flush()
    uow.changed("opportunity", deal.id, deal.version)
    return line


async def remove(uow: UnitOfWork, line_id: UUID) -> OpportunityLine:
    """Off the deal; `put_back` undoes it."""
    line, deal = await _of_deal(uow, line_id)
    line.deleted_at, line.deleted_by_id = uow.now, uow.actor.user_id
    await uow.flush()
    uow.changed("opportunity", deal.id, deal.version)
    return line


async def put_back(uow: UnitOfWork, line_id: UUID) -> OpportunityLine:
    line, deal = await _of_deal(uow, line_id, in_trash=True)
    line.deleted_at = line.deleted_by_id = None
    await uow.flush()
    uow.changed("opportunity", deal.id, deal.version)
    return line


async def total(uow: UnitOfWork, opportunity_id: UUID) -> int:
    """Sum of the lines in minor units of the deal's currency. Ask for the deal itself before."""
    uow.require("opportunity.read")
    query = sa.select(sa.func.coalesce(sa.func.sum(_lines.c.amount_minor), 0)).where(
        _lines.c.opportunity_id == opportunity_id, _lines.c.deleted_at.is_(None)
    )
    return int(await uow.scalar(query))


async def set_amount(uow: UnitOfWork, opportunity_id: UUID) -> Opportunity:
    """The sum of the lines becomes the amount of the deal."""
    uow.require("opportunity.update")
    await uow.get(Opportunity, opportunity_id, lock=True)
    amount = await total(uow, opportunity_id)
    if amount <= 0:
        raise Conflict("The products come to nothing. Give a price to one of them first.")
    deal: Opportunity = await records.update(uow, OPPORTUNITY, opportunity_id, {"amount_minor": amount})
    return deal


def _settle(line: OpportunityLine) -> None:
    """Check what a person may have typed, and work out the amount."""
    wrong: dict[str, str] = {}
    if not line.name:
        wrong["name"] = "is required: choose a product or name what is sold"
    elif len(line.name) > 200:
        wrong["name"] = f"is too long: {len(line.name)} characters, at most 200"
    if not 0 < line.quantity <= _MOST or line.quantity != round(line.quantity, 3):
        wrong["quantity"] = "must be more than zero, with at most three decimals"
    if not 0 <= line.discount_percent <= 100 or line.discount_percent != round(line.discount_percent, 2):
        wrong["discount_percent"] = "must be from 0 to 100, with at most two decimals"
    if not 0 <= line.unit_price_minor <= MAX_MINOR:
        wrong["unit_price_minor"] = "is out of its range"
    if not wrong:
        line.amount_minor = amount_of(line.quantity, line.unit_price_minor, line.discount_percent)
        if line.amount_minor > MAX_MINOR:
            wrong["quantity"] = "makes the amount too large"
    if wrong:
        raise Invalid(**wrong)


async def _next_position(uow: UnitOfWork, opportunity_id: UUID) -> int:
    query = sa.select(sa.func.coalesce(sa.func.max(_lines.c.position), -1) + 1)
    return int(await uow.scalar(query.where(_lines.c.opportunity_id == opportunity_id)))


async def _of_deal(uow: UnitOfWork, line_id: UUID, *, in_trash: bool = False) -> tuple[OpportunityLine, Opportunity]:
    """The line, locked, if the actor may see and change its deal."""
    uow.require("opportunity.update")
    try:
        line = await uow.get(OpportunityLine, line_id, lock=True, in_trash=in_trash)
    except NotFound:
        raise NotFound("This product is no longer on the deal.") from None
    return line, await uow.get(Opportunity, line.opportunity_id, to_write=True)
