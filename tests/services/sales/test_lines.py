"""Products on a deal."""

from decimal import Decimal

import pytest

from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.services.sales import deal_page, lines
from crm_app.store.uow import unit_of_work


@pytest.fixture
async def product(make, admin):
    return await make(admin, "product", name="GTX Pro", price_minor=4_821_00, currency="EUR")


@pytest.fixture
async def line(alice, deal, product):
    async with unit_of_work(alice) as uow:
        return await lines.add(uow, deal.id, product_id=product.id, quantity=Decimal(3))


@pytest.mark.parametrize(
    ("quantity", "price", "discount", "amount"),
    [("1", 100, "0", 100), ("3", 333, "10", 899), ("0.5", 1, "0", 1), ("1.5", 999, "33.33", 999), ("2", 50, "100", 0)],
)
def test_amounts_round_half_up(quantity, price, discount, amount):
    assert lines.amount_of(Decimal(quantity), price, Decimal(discount)) == amount


async def test_a_product_brings_its_name_and_list_price(line):
    assert (line.name, line.unit_price_minor, line.amount_minor) == ("GTX Pro", 4_821_00, 14_463_00)


async def test_a_list_price_in_another_currency_is_not_taken_over(alice, admin, make, deal):
    foreign = await make(admin, "product", name="MG Special", price_minor=55_00, currency="USD")
    with pytest.raises(Invalid, match="USD"):
        async with unit_of_work(alice) as uow:
            await lines.add(uow, deal.id, product_id=foreign.id)
    async with unit_of_work(alice) as uow:
        line = await lines.add(uow, deal.id, product_id=foreign.id, unit_price_minor=50_00)
    assert line.amount_minor == 50_00


async def test_the_amount_follows_a_change(bob, line):
    async with unit_of_work(bob) as uow:
        changed = await lines.change(uow, line.id, quantity=Decimal(2), discount_percent=Decimal("12.5"))
    assert changed.amount_minor == 8_436_75


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"quantity": Decimal(0)}, "quantity"),
        ({"quantity": Decimal("1.0001")}, "quantity"),
        ({"discount_percent": Decimal(101)}, "discount_percent"),
        ({"unit_price_minor": -1}, "unit_price_minor"),
        ({"name": "  "}, "name"),
        ({"quantity": Decimal(10_000_000_000)}, "quantity"),
    ],
)
async def test_what_makes_no_sense_is_refused_at_its_field(alice, line, values, field):
    with pytest.raises(Invalid) as refusal:
        async with unit_of_work(alice) as uow:
            await lines.change(uow, line.id, **values)
    assert list(refusal.value.fields) == [field]


async def test_the_sum_becomes_the_amount_of_the_deal(alice, deal, line):
    async with unit_of_work(alice) as uow:
        await lines.add(uow, deal.id, name="Training", unit_price_minor=500_00)
    async with unit_of_work(alice) as uow:
        await lines.set_amount(uow, deal.id)
    async with unit_of_work(alice) as uow:
        page = await deal_page.page(uow, deal.id)
    assert page.values["amount_minor"] == page.lines_minor == 14_963_00


async def test_nothing_is_no_amount(alice, deal):
    with pytest.raises(Conflict):
        async with unit_of_work(alice) as uow:
            await lines.set_amount(uow, deal.id)


async def test_a_removed_product_can_be_put_back_where_it_was(alice, deal, line):
    async with unit_of_work(alice) as uow:
        await lines.add(uow, deal.id, name="Training", unit_price_minor=500_00)
        await lines.remove(uow, line.id)
        assert await lines.total(uow, deal.id) == 500_00
    async with unit_of_work(alice) as uow:
        await lines.put_back(uow, line.id)
    async with unit_of_work(alice) as uow:
        assert [x.name for x in (await deal_page.page(uow, deal.id)).lines] == ["GTX Pro", "Training"]


async def test_readers_and_strangers_change_nothing(reader, carol, mallory, deal, line):
    for actor, refusal in ((reader, Forbidden), (carol, NotFound), (mallory, NotFound)):
        for act in (
            lambda uow: lines.add(uow, deal.id, name="x"),
            lambda uow: lines.change(uow, line.id, name="x"),
            lambda uow: lines.remove(uow, line.id),
            lambda uow: lines.set_amount(uow, deal.id),
        ):
            with pytest.raises(refusal):
                async with unit_of_work(actor) as uow:
                    await act(uow)
