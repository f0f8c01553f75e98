"""Two people change one record: the same field is a conflict that names the colleague, other fields merge."""

import pytest

from crm_app.core.errors import Conflict
from crm_app.core.registry import Kind
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.entities.values import FIXED, OPEN, ids, make, value_of, writable

PLAIN = (Kind.text, Kind.long_text, Kind.number, Kind.money, Kind.date, Kind.email, Kind.url, Kind.phone, Kind.percent)


def two_fields(entity) -> tuple[str, str]:
    names = [
        s.name for s in writable(entity) if s.kind in PLAIN and not s.choices and (entity.name, s.name) not in FIXED
    ]
    return names[0], names[1]


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_the_same_field_conflicts_and_others_merge(cast, entity):
    one, other = two_fields(entity)
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity, whole=True)
        if "owner_id" in entity.fields:
            record.owner_id = cast.alice.user_id
        seen = {n: getattr(record, n) for n in (one, other)}
        new, newer, another = (value_of(entity, entity.fields[n], day=uow.today) for n in (one, one, other))
    async with unit_of_work(cast.admin) as uow:
        await records.update(uow, entity, record.id, {one: new}, expected=seen)
    with pytest.raises(Conflict, match="Ada Admin") as conflict:
        async with unit_of_work(cast.alice) as uow:
            await records.update(uow, entity, record.id, {one: newer, other: another}, expected=seen)
    assert conflict.value.current == {one: new}
    async with unit_of_work(cast.admin) as uow:
        kept = await records.read(uow, entity, record.id)
        assert (getattr(kept, one), getattr(kept, other)) == (new, seen[other])
        merged = await records.update(uow, entity, record.id, {other: another}, expected=seen)
        assert (getattr(merged, one), getattr(merged, other)) == (new, another)


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_both_wanting_the_same_is_no_conflict(cast, entity):
    one, _ = two_fields(entity)
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity, whole=True)
        seen = {one: getattr(record, one)}
        new = value_of(entity, entity.fields[one], day=uow.today)
    for _ in range(2):
        async with unit_of_work(cast.admin) as uow:
            again = await records.update(uow, entity, record.id, {one: new}, expected=seen)
    assert again.version == 2
