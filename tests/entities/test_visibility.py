"""Own, team, all: whose records a person sees, over every entity that has an owner."""

import pytest

from crm_app.core import registry
from crm_app.core.errors import Invalid, NotFound
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.entities.values import FIXED, OPEN, OWNED, ids, make, writable


async def sees(actor, entity, record_id) -> bool:
    """By reading, by listing, and by trying to change it: the three must agree."""
    async with unit_of_work(actor) as uow:
        listed = bool((await records.find(uow, entity, where=entity.table.c.id == record_id)).rows)
        answers = {listed}
        for act in (records.read(uow, entity, record_id), records.update(uow, entity, record_id, {})):
            try:
                await act
                answers.add(True)
            except NotFound:
                answers.add(False)
    assert len(answers) == 1, answers
    return listed


@pytest.mark.parametrize("entity", OWNED, ids=ids)
async def test_own_team_and_all(cast, entity):
    async with unit_of_work(cast.alice) as uow:
        record = await make(uow, entity)
        assert record.owner_id == cast.alice.user_id
    assert await sees(cast.alice, entity, record.id)
    assert await sees(cast.own(cast.alice), entity, record.id)
    assert await sees(cast.bob, entity, record.id)  # of her team
    assert not await sees(cast.own(cast.bob), entity, record.id)
    assert not await sees(cast.carol, entity, record.id)  # of another team
    assert await sees(cast.admin, entity, record.id)


@pytest.mark.parametrize("entity", OWNED, ids=ids)
async def test_it_goes_with_its_owner(cast, entity):
    async with unit_of_work(cast.alice) as uow:
        record = await make(uow, entity)
        await records.update(uow, entity, record.id, {"owner_id": cast.carol.user_id})
    assert await sees(cast.carol, entity, record.id)
    assert not await sees(cast.alice, entity, record.id)
    assert not await sees(cast.bob, entity, record.id)


@pytest.mark.parametrize("entity", OWNED, ids=ids)
async def test_who_does_not_see_it_does_not_throw_it_away(cast, entity):
    async with unit_of_work(cast.alice) as uow:
        record = await make(uow, entity)
    for act in (records.delete, records.restore):
        with pytest.raises(NotFound):
            async with unit_of_work(cast.carol) as uow:
                await act(uow, entity, record.id)
    assert await sees(cast.alice, entity, record.id)


@pytest.mark.parametrize("entity", [e for e in OPEN if e not in OWNED], ids=ids)
async def test_what_belongs_to_all_is_seen_by_all(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity)
    for actor in (cast.alice, cast.own(cast.bob), cast.carol):
        assert await sees(actor, entity, record.id)


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_what_one_does_not_see_one_does_not_link_to(cast, entity):
    """Whoever guesses an id would read the name of the record beside the link."""
    for spec in writable(entity):
        if spec.target not in {e.name for e in OWNED} or (entity.name, spec.name) in FIXED:
            continue
        async with unit_of_work(cast.alice) as uow:
            hidden = await make(uow, registry.get(spec.target))
        async with unit_of_work(cast.carol) as uow:
            record = await make(uow, entity)
        with pytest.raises(Invalid) as refusal:
            async with unit_of_work(cast.carol) as uow:
                await records.update(uow, entity, record.id, {spec.name: hidden.id})
        assert set(refusal.value.fields) == {spec.name}


@pytest.mark.parametrize("entity", OWNED, ids=ids)
async def test_a_link_that_was_there_stays_when_other_fields_change(cast, entity):
    """A record handed over keeps what it is linked to, seen or not."""
    links = {s.name: s for s in writable(entity) if s.target in {e.name for e in OWNED}}
    async with unit_of_work(cast.alice) as uow:
        record = await make(uow, entity, whole=True)
        kept = {n: getattr(record, n) for n in links}
        await records.update(uow, entity, record.id, {"owner_id": cast.carol.user_id})
    async with unit_of_work(cast.carol) as uow:
        again = await records.update(uow, entity, record.id, kept)
        assert {n: getattr(again, n) for n in kept} == kept
