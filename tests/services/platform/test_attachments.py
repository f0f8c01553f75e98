"""Files on records: seen by whoever sees the record, and by nobody else; taken away and brought back."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.clock import utcnow
from crm_app.core.context import Scope
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.platform.attachments import Attachment
from crm_app.models.platform.audit import AuditEntry
from crm_app.services.people import roles
from crm_app.services.platform import attachments, merges, records
from crm_app.settings import settings
from crm_app.store.uow import unit_of_work
from tests.entities.values import OPEN, ids, make

PAPER = {"name": "Offer.pdf", "kind": "pdf", "size": 1000, "sha256": "a" * 64}


async def attach(actor, entity, record_id, **other):
    async with unit_of_work(actor) as uow:
        return await attachments.add(uow, entity, record_id, new_id(), **(PAPER | other))


async def names(actor, entity, record_id):
    async with unit_of_work(actor) as uow:
        return [f.name for f in await attachments.listed(uow, entity, record_id)]


@pytest.fixture
async def account(alice):
    async with unit_of_work(alice) as uow:
        return await records.create(uow, ACCOUNT, {"name": "Kessler"})


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_any_record_carries_files(admin, entity):
    async with unit_of_work(admin) as uow:
        record = await make(uow, entity)
    await attach(admin, entity, record.id)
    await attach(admin, entity, record.id, name="Plan.pdf")
    async with unit_of_work(admin) as uow:
        first, second = await attachments.listed(uow, entity, record.id)
        assert await attachments.count(uow, entity, record.id) == 2
    assert (first.name, second.name, second.size, second.type.label) == ("Plan.pdf", "Offer.pdf", 1000, "PDF")
    assert second.by_name == "Ada Admin" and second.may_remove


async def test_who_does_not_see_the_record_knows_of_no_file(workspace, alice, account, carol, mallory):
    """A rep of another team, and an admin of another workspace, who know the ids."""
    kept = await attach(alice, ACCOUNT, account.id)
    for stranger in (carol, mallory):
        for act in (
            lambda uow: attachments.find(uow, kept.id),
            lambda uow: attachments.remove(uow, kept.id),
            lambda uow: attachments.put_back(uow, kept.id),
            lambda uow: attachments.listed(uow, ACCOUNT, account.id),
            lambda uow: attachments.count(uow, ACCOUNT, account.id),
            lambda uow: attachments.allow(uow, ACCOUNT, account.id),
            lambda uow: attachments.add(uow, ACCOUNT, account.id, new_id(), **PAPER),
        ):
            with pytest.raises(NotFound):
                async with unit_of_work(stranger) as uow:
                    await act(uow)
    assert await names(alice, ACCOUNT, account.id) == ["Offer.pdf"]


async def test_a_role_that_reads_no_accounts_learns_nothing(workspace, admin, alice, account):
    kept = await attach(alice, ACCOUNT, account.id)
    async with unit_of_work(admin) as uow:
        role = await roles.create(uow, name="Products only", scope=Scope.all, permissions=["product.read"])
    eve = await workspace.person("Eve", role_id=role.id)
    with pytest.raises(NotFound, match="This file does not exist"):
        async with unit_of_work(eve) as uow:
            await attachments.find(uow, kept.id)
    with pytest.raises(Forbidden):
        async with unit_of_work(eve) as uow:
            await attachments.listed(uow, ACCOUNT, account.id)


async def test_who_may_look_only_does_not_attach(reader, alice, account):
    kept = await attach(alice, ACCOUNT, account.id)
    assert await names(reader, ACCOUNT, account.id) == ["Offer.pdf"]
    with pytest.raises(Forbidden):
        await attach(reader, ACCOUNT, account.id)
    with pytest.raises(Forbidden):
        async with unit_of_work(reader) as uow:
            await attachments.remove(uow, kept.id)


async def test_another_record_of_the_same_id_is_not_meant(alice, account):
    """The pair counts: an account's file is no contact's."""
    await attach(alice, ACCOUNT, account.id)
    with pytest.raises(NotFound):
        await names(alice, CONTACT, account.id)


async def test_deleted_and_brought_back(alice, bob, manager, account):
    kept = await attach(alice, ACCOUNT, account.id)
    with pytest.raises(Forbidden, match="Somebody else attached"):  # bob changes accounts, but deletes none
        async with unit_of_work(bob) as uow:
            await attachments.remove(uow, kept.id)
    for actor in (alice, manager):
        async with unit_of_work(actor) as uow:
            await attachments.remove(uow, kept.id)
        assert await names(alice, ACCOUNT, account.id) == []
        with pytest.raises(NotFound):
            async with unit_of_work(alice) as uow:
                await attachments.find(uow, kept.id)
        async with unit_of_work(actor) as uow:
            await attachments.put_back(uow, kept.id)
        assert await names(alice, ACCOUNT, account.id) == ["Offer.pdf"]
    with pytest.raises(Conflict, match="not in the trash"):
        async with unit_of_work(alice) as uow:
            await attachments.put_back(uow, kept.id)


async def test_files_go_and_come_with_their_record(admin, alice, account):
    kept = await attach(alice, ACCOUNT, account.id)
    async with unit_of_work(admin) as uow:
        await records.delete(uow, ACCOUNT, account.id)
    with pytest.raises(NotFound):
        async with unit_of_work(admin) as uow:
            await attachments.find(uow, kept.id)
    async with unit_of_work(admin) as uow:
        await records.restore(uow, ACCOUNT, account.id)
    assert await names(alice, ACCOUNT, account.id) == ["Offer.pdf"]


async def test_merged_records_bring_their_files_and_take_them_back(admin):
    async with unit_of_work(admin) as uow:
        one, other = [await records.create(uow, CONTACT, {"last_name": n}) for n in ("Berg", "Bergh")]
    await attach(admin, CONTACT, other.id)
    async with unit_of_work(admin) as uow:
        joined = await merges.merge(uow, CONTACT, one.id, [other.id], {})
    assert await names(admin, CONTACT, one.id) == ["Offer.pdf"]
    async with unit_of_work(admin) as uow:
        await merges.unmerge(uow, joined.id)
    assert (await names(admin, CONTACT, one.id), await names(admin, CONTACT, other.id)) == ([], ["Offer.pdf"])


async def test_size_and_room_are_limited(admin, alice, account, monkeypatch):
    most = settings().file_most_mb * 1024**2
    with pytest.raises(Invalid, match="larger than 50 MB"):
        await attach(alice, ACCOUNT, account.id, size=most + 1)
    object.__setattr__(settings(), "files_most_gb", 1)
    try:
        for _ in range(20):
            await attach(alice, ACCOUNT, account.id, size=most)
        with pytest.raises(Invalid, match="used up"):
            await attach(alice, ACCOUNT, account.id, size=most)
        await attach(alice, ACCOUNT, account.id, size=24 * 1024**2)
    finally:
        object.__setattr__(settings(), "files_most_gb", 20)


async def test_the_log_tells_who_attached_and_deleted(admin, alice, account):
    kept = await attach(alice, ACCOUNT, account.id)
    async with unit_of_work(alice) as uow:
        await attachments.remove(uow, kept.id)
    log = table_of(AuditEntry)
    async with unit_of_work(admin) as uow:
        found = await uow.rows(
            sa.select(log.c.action, log.c.user_id).where(log.c.record_id == kept.id).order_by(log.c.at)
        )
    assert [tuple(r) for r in found] == [("create", alice.user_id), ("delete", alice.user_id)]


async def test_what_nobody_can_reach_is_purged(admin, alice, account):
    async with unit_of_work(admin) as uow:
        other = await records.create(uow, registry.get("product"), {"name": "Robot", "currency": "EUR"})
    young, old, lost = [await attach(admin, ACCOUNT, account.id) for _ in range(3)]
    orphan = await attach(admin, registry.get("product"), other.id)
    table = table_of(Attachment)
    async with unit_of_work(admin) as uow:
        await attachments.remove(uow, young.id)
        await attachments.remove(uow, old.id)
    async with unit_of_work(admin) as uow:
        past = uow.now - timedelta(days=31)
        await uow.execute(sa.update(table).where(table.c.id == old.id).values(deleted_at=past))
        await uow.execute(
            sa.delete(registry.get("product").table).where(registry.get("product").table.c.id == other.id)
        )
        assert set(await attachments.purge(uow)) == {old.id, orphan.id}
        assert await attachments.unknown(uow, [young.id, old.id, lost.id]) == [old.id]
    assert await names(alice, ACCOUNT, account.id) == ["Offer.pdf"]
    assert utcnow() > young.created_at
