"""Comments: seen by whoever sees the record; who is mentioned is told, and only who may see it can be."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.context import Scope
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.activities.comments import Comment
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.services.activities import comments
from crm_app.services.activities.comments import COMMENTED, MENTION, Mention
from crm_app.services.people import onlookers, roles, users
from crm_app.services.platform import merges, notifications, records
from crm_app.store.uow import unit_of_work
from tests.entities.values import OPEN, ids, make


@pytest.fixture
async def account(alice):
    async with unit_of_work(alice) as uow:
        return await records.create(uow, ACCOUNT, {"name": "Kessler"})


def at(actor) -> Mention:
    return Mention(actor.user_id, actor.name)


async def say(actor, account, text, *mentioned):
    async with unit_of_work(actor) as uow:
        return await comments.add(uow, ACCOUNT, account.id, text, mentions=[at(m) for m in mentioned])


async def said(actor, account):
    async with unit_of_work(actor) as uow:
        return await comments.listed(uow, ACCOUNT, account.id)


async def told(actor):
    async with unit_of_work(actor) as uow:
        return [(t.kind, t.sentence, t.record, t.text) for t in await notifications.listed(uow)]


async def mentionable(actor, account, text):
    async with unit_of_work(actor) as uow:
        return [p.name for p in await onlookers.named(uow, ACCOUNT, account.id, text)]


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_any_record_takes_comments(admin, entity):
    async with unit_of_work(admin) as uow:
        record = await make(uow, entity)
        await comments.add(uow, entity, record.id, "First")
    async with unit_of_work(admin) as uow:
        await comments.add(uow, entity, record.id, "Second\n<b>not bold</b>")
        found = await comments.listed(uow, entity, record.id)
        assert await comments.count(uow, entity, record.id) == 2
    assert [c.plain for c in found] == ["Second\n<b>not bold</b>", "First"]
    assert found[0].by_name == "Ada Admin" and found[0].may_edit and not found[0].is_edited


async def test_who_is_mentioned_is_told(alice, bob, manager, account):
    await say(alice, account, "@Bob, ask @Maria for the list. @Bob!", bob, manager)
    line = ("Alice mentioned you on", "Kessler", "@Bob, ask @Maria for the list. @Bob!")
    assert await told(bob) == [(MENTION, *line)] and await told(manager) == [(MENTION, *line)]
    assert await told(alice) == []
    (comment,) = await said(bob, account)
    assert [(p.text, p.user_id) for p in comment.parts][:2] == [("Bob", bob.user_id), (", ask ", None)]
    assert (comment.may_edit, comment.may_remove) == (False, False)


async def test_a_renamed_colleague_is_mentioned_by_the_new_name(admin, alice, bob, account):
    await say(alice, account, "Ask @Bob", bob)
    async with unit_of_work(admin) as uow:
        table = table_of(users.User)
        await uow.execute(sa.update(table).where(table.c.id == bob.user_id).values(name="Robert"))
    assert (await said(alice, account))[0].plain == "Ask @Robert"


async def test_the_owner_is_told_of_comments_of_others(alice, bob, account):
    await say(bob, account, "Nice")
    await say(alice, account, "Thanks")
    assert await told(alice) == [(COMMENTED, "Bob commented on", "Kessler", "Nice")]


async def test_longer_names_win(alice, bob, workspace, account):
    meyer = await workspace.person("Bob Meyer", email="meyer@example.com")
    await say(alice, account, "@Bob Meyer and @Bob and @Bobby", bob, meyer)
    (comment,) = await said(alice, account)
    assert [p.user_id for p in comment.parts if p.user_id] == [meyer.user_id, bob.user_id]
    assert comment.plain == "@Bob Meyer and @Bob and @Bobby"


async def test_who_may_not_see_it_cannot_be_mentioned(alice, carol, mallory, account):
    for stranger, name in ((carol, "Carol"), (mallory, "Somebody")):
        with pytest.raises(Invalid, match=f"{name}, who may not see this account"):
            await say(alice, account, f"@{stranger.name} look", stranger)
        assert await told(stranger) == []
    with pytest.raises(Invalid):
        await say(alice, account, "@Ghost", replace(alice, user_id=new_id(), name="Ghost"))
    assert await said(alice, account) == []


async def test_a_token_that_is_typed_is_words(alice, bob, account):
    await say(alice, account, f"@{{{bob.user_id}}} look")
    assert await told(bob) == []
    assert all(p.user_id is None for p in (await said(alice, account))[0].parts)


async def test_people_are_found_by_any_word_of_their_name(workspace, alice, bob, carol, manager, account):
    await workspace.person("Jörg Østergård", email="jo@example.com")
    off = await workspace.person("Boris", email="off@example.com")
    async with unit_of_work(workspace.admin) as uow:
        await users.disable(uow, off.user_id)
    assert await mentionable(alice, account, "bo") == ["Bob"]  # neither carol's team, nor the disabled
    assert await mentionable(alice, account, "oster") == ["Jörg Østergård"]
    assert await mentionable(alice, account, "car") == []
    assert "Alice" not in await mentionable(alice, account, "")
    assert set(await mentionable(alice, account, "")) >= {"Ada Admin", "Bob", "Maria"}
    assert await mentionable(alice, account, "%") == []


async def test_a_role_without_the_right_to_read_is_nobody_to_mention(workspace, admin, alice, account):
    async with unit_of_work(admin) as uow:
        role = await roles.create(uow, name="Products only", scope=Scope.all, permissions=["product.read"])
    await workspace.person("Eve", role_id=role.id)
    assert await mentionable(alice, account, "eve") == []


async def test_strangers_learn_and_do_nothing(alice, carol, mallory, account):
    comment = await say(alice, account, "A secret")
    for stranger in (carol, mallory):
        for act in (
            lambda uow: comments.listed(uow, ACCOUNT, account.id),
            lambda uow: comments.count(uow, ACCOUNT, account.id),
            lambda uow: comments.add(uow, ACCOUNT, account.id, "x"),
            lambda uow: comments.edit(uow, comment.id, "x"),
            lambda uow: comments.remove(uow, comment.id),
            lambda uow: comments.put_back(uow, comment.id),
            lambda uow: onlookers.named(uow, ACCOUNT, account.id, ""),
            lambda uow: onlookers.among(uow, ACCOUNT, account.id, [alice.user_id]),
        ):
            with pytest.raises(NotFound):
                async with unit_of_work(stranger) as uow:
                    await act(uow)
    assert [c.plain for c in await said(alice, account)] == ["A secret"]


async def test_a_reader_reads(reader, alice, account):
    await say(alice, account, "For all")
    assert [c.plain for c in await said(reader, account)] == ["For all"]
    with pytest.raises(Forbidden):
        await say(reader, account, "No")


async def test_only_the_author_changes_it_and_who_is_told_follows(alice, bob, manager, account):
    comment = await say(bob, account, "@Maria look", manager)
    for other in (alice, manager):
        with pytest.raises(Forbidden, match="Only who wrote"):
            async with unit_of_work(other) as uow:
                await comments.edit(uow, comment.id, "Changed")
    async with unit_of_work(bob) as uow:
        await comments.edit(uow, comment.id, "@Alice look", mentions=[at(alice)])
    assert await told(manager) == []
    assert {(k, t) for k, _, _, t in await told(alice)} == {(COMMENTED, "@Alice look"), (MENTION, "@Alice look")}
    (seen,) = await said(alice, account)
    assert seen.is_edited and seen.plain == "@Alice look"


async def test_deleted_with_what_was_told_and_brought_back(admin, alice, bob, manager, account):
    comment = await say(bob, account, "@Maria look", manager)
    with pytest.raises(Forbidden):
        async with unit_of_work(alice) as uow:
            await comments.remove(uow, comment.id)
    async with unit_of_work(bob) as uow:
        await comments.remove(uow, comment.id)
    assert (await said(alice, account), await told(manager), await told(alice)) == ([], [], [])
    async with unit_of_work(bob) as uow:
        await comments.put_back(uow, comment.id)
    assert len(await said(alice, account)) == len(await told(manager)) == len(await told(alice)) == 1
    with pytest.raises(Conflict):
        async with unit_of_work(bob) as uow:
            await comments.put_back(uow, comment.id)
    async with unit_of_work(admin) as uow:
        await comments.remove(uow, comment.id)
    assert await said(alice, account) == []


@pytest.mark.parametrize("text", ["", "  \n ", "\x00\x07", "x" * (comments.LONGEST + 1)])
async def test_words_that_are_none(alice, account, text):
    with pytest.raises(Invalid):
        await say(alice, account, text)


async def test_not_more_than_twenty_people(alice, account):
    crowd = [Mention(new_id(), f"P{n}x") for n in range(21)]
    with pytest.raises(Invalid, match="more than 20"):
        async with unit_of_work(alice) as uow:
            text = " ".join(f"@{m.name}" for m in crowd)
            await comments.add(uow, ACCOUNT, account.id, text, mentions=crowd)


async def test_page_by_page(alice, account):
    for n in range(5):
        await say(alice, account, str(n))
    async with unit_of_work(alice) as uow:
        first = await comments.listed(uow, ACCOUNT, account.id, limit=3)
        mark = (first[-1].happens_at, first[-1].id)
        rest = await comments.listed(uow, ACCOUNT, account.id, before=mark, limit=3)
    assert [c.plain for c in (*first, *rest)] == ["4", "3", "2", "1", "0"]


async def test_merged_records_bring_their_comments(admin):
    async with unit_of_work(admin) as uow:
        one, other = [await records.create(uow, CONTACT, {"last_name": n}) for n in ("Berg", "Bergh")]
        await comments.add(uow, CONTACT, other.id, "Nice person")
    async with unit_of_work(admin) as uow:
        await merges.merge(uow, CONTACT, one.id, [other.id], {})
    async with unit_of_work(admin) as uow:
        assert [c.plain for c in await comments.listed(uow, CONTACT, one.id)] == ["Nice person"]


async def test_the_trash_is_emptied(alice, account):
    old, young = [await say(alice, account, t) for t in ("old", "young")]
    table = table_of(Comment)
    async with unit_of_work(alice) as uow:
        await comments.remove(uow, old.id)
        await comments.remove(uow, young.id)
        past = uow.now - timedelta(days=31)
        await uow.execute(sa.update(table).where(table.c.id == old.id).values(deleted_at=past))
        await comments.purge(uow)
        assert [r.id for r in await uow.rows(sa.select(table.c.id))] == [young.id]
