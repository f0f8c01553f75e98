"""One record through every door of a workspace: who sees it by owner, team, territory or share sees it everywhere, who
does not sees it nowhere, and what is taken away is gone from open screens too."""

import asyncio
from dataclasses import replace

import pytest

from crm_app.core import conditions
from crm_app.core.context import Scope
from crm_app.core.errors import CrmError
from crm_app.core.registry import get
from crm_app.core.views import View
from crm_app.services.activities import activities
from crm_app.services.people import actors, roles
from crm_app.services.people.roles import catalogue
from crm_app.services.platform import (
    attachments,
    audit_log,
    bulk_rows,
    finding,
    history,
    lists,
    recents,
    records,
    sharing,
)  # fmt: skip
from crm_app.services.sales import board, deal_page, deal_timeline, opportunities, territories
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, stage_ids
from tests.state.sales.test_board import opened, titles
from tests.state.sales.test_board import told as told_ops
from tests.state.sales.test_deal import until
from tests.state.tabs import tab_of

DEAL, ACCOUNT, ACTIVITY = get("opportunity"), get("account"), get("activity")
TITLE = "Geheimnis roll-out"


async def _ids(uow, entity, view):
    return {r["id"] for r in (await lists.page(uow, entity, view, limit=200)).rows}


async def _related(uow, deal):
    """A deal told by the planned call about it."""
    about = conditions.parse({"related": "opportunity", "some": {"field": "name", "op": "contains", "value": "Geheim"}})
    return bool(await _ids(uow, ACTIVITY, View(filter=about)))


async def _chosen(uow, deal):
    return deal.id in {h.id for h in await finding.choices(uow, DEAL, "geheimnis")}


async def _logged(uow, deal):
    return bool((await audit_log.listed(uow, audit_log.Asked(record_id=deal.id))).entries)


async def _counted(uow, deal):
    return (await lists.totals(uow, DEAL, View(query="geheimnis"))).count == 1


async def _linked(uow, deal):
    """A new activity may point to it."""
    await activities.log(uow, kind="note", subject="x", opportunity_id=deal.id)
    return True


async def _summed(uow, deal):
    return deal.stage_id in await board.stage_totals(uow, [deal.stage_id])


# Each answers whether the record is told.
WAYS = {
    "read": lambda u, d: _true(records.read(u, DEAL, d.id)),
    "page": lambda u, d: _true(deal_page.page(u, d.id)),
    "list": lambda u, d: _has(_ids(u, DEAL, View()), d.id),
    "list, searched": lambda u, d: _has(_ids(u, DEAL, View(query="geheimnis")), d.id),
    "sums": _counted,
    "related records": _related,
    "search": lambda u, d: _has(finding.search(u, "geheimnis"), d.id),
    "search, forgiving": lambda u, d: _has(finding.search_forgiving(u, "gehiemnis"), d.id),
    "choices of a link": _chosen,
    "named": lambda u, d: _has(finding.named(u, [("opportunity", d.id)]), d.id),
    "recent": lambda u, d: _has(recents.note(u, "opportunity", d.id), d.id),
    "board": lambda u, d: _has(board.board(u, d.pipeline_id), d.id),
    "cards": lambda u, d: _has(board.cards(u, [d.id]), d.id),
    "figures of the board": _summed,
    "history": lambda u, d: _true(history.of_field(u, DEAL, d.id, "name")),
    "timeline": lambda u, d: _true(deal_timeline.timeline(u, d.id)),
    "files": lambda u, d: _true(attachments.listed(u, DEAL, d.id)),
    "shares": lambda u, d: _true(sharing.listed(u, DEAL, d.id)),
    "audit log": _logged,
    "a link to it": _linked,
}
WRITING = {
    "change": lambda u, d, s: _true(records.update(u, DEAL, d.id, {"name": "x"})),
    "move": lambda u, d, s: _true(opportunities.move(u, [d.id], to_stage_id=s["Proposal"])),
    "many": lambda u, d, s: _has(bulk_rows.locked(u, DEAL, [d.id]), d.id),
}


async def _true(work):
    await work
    return True


async def _has(work, record_id):
    return str(record_id) in _texts(await work)


def _texts(found) -> str:
    if hasattr(found, "columns"):  # a board
        return repr([c["id"] for column in found.columns for c in column.cards])
    return repr(found)


async def told(actor, deal, ways, *more) -> dict[str, bool]:
    answers = {}
    for name, way in ways.items():
        try:
            async with unit_of_work(actor) as uow:
                answers[name] = await way(uow, deal, *more)
                raise _TakenBack
        except _TakenBack:
            continue
        except CrmError:
            answers[name] = False
    return answers


class _TakenBack(Exception):
    pass


@pytest.fixture
async def deal(alice):
    made = await a_deal(alice, TITLE, account="Kessler")
    async with unit_of_work(alice) as uow:
        await activities.plan(uow, kind="call", subject="Ask", due_at=uow.now, opportunity_id=made.id)
    return made


async def now(person, **changed):
    """As of now, with the right to look at the log, which opens no record by itself."""
    actor = await actors.actor_for(person.tenant_id, person.user_id)
    return replace(actor, permissions=actor.permissions | {"audit.read"}, **changed)


@pytest.fixture
async def tess(workspace, admin):
    rights = [p for p in roles.expand(("@rep",)) if p in catalogue()]
    async with unit_of_work(admin) as uow:
        role = await roles.create(uow, name="Territory rep", scope=Scope.territory, permissions=rights)
    return await workspace.person("Tess", role_id=role.id, team_id=workspace.other_team_id)


async def test_who_sees_it_sees_it_everywhere_and_who_does_not_nowhere(admin, alice, bob, carol, tess, mallory, deal):
    stages = await stage_ids(admin)
    for person in (alice, bob):
        assert set((await told(await now(person), deal, WAYS)).values()) == {True}, person.name
    for person in (carol, tess, mallory):
        answers = await told(await now(person), deal, WAYS | {n: _with(w, stages) for n, w in WRITING.items()})
        assert [n for n, seen in answers.items() if seen] == [], person.name
    own = await told(await now(bob, scope=Scope.own), deal, WAYS)
    assert [n for n, seen in own.items() if seen] == []


def _with(way, stages):
    return lambda uow, deal: way(uow, deal, stages)


async def test_a_share_opens_every_door_and_closes_it(admin, alice, carol, deal):
    stages = await stage_ids(admin)
    async with unit_of_work(alice) as uow:
        await sharing.share(uow, DEAL, deal.id, carol.user_id)
    shared = await now(carol)
    assert [n for n, seen in (await told(shared, deal, WAYS)).items() if not seen] == []
    assert set((await told(shared, deal, WRITING, stages)).values()) == {False}
    async with unit_of_work(alice) as uow:
        await sharing.share(uow, DEAL, deal.id, carol.user_id, can_write=True)
    assert set((await told(await now(carol), deal, WRITING, stages)).values()) == {True}
    async with unit_of_work(alice) as uow:
        await sharing.unshare(uow, DEAL, deal.id, carol.user_id)
    for actor in (shared, await now(carol)):
        assert [n for n, seen in (await told(actor, deal, WAYS)).items() if seen] == []


async def test_a_territory_does_too(admin, alice, tess, deal):
    async with unit_of_work(admin) as uow:
        await records.update(uow, ACCOUNT, deal.account_id, {"country": "Germany"})
        await territories.create(uow, name="DACH", countries=["germany"], member_ids=[tess.user_id])
    actor = await now(tess)
    assert [n for n, seen in (await told(actor, deal, WAYS)).items() if not seen] == []
    assert set((await told(actor, deal, WRITING, await stage_ids(admin))).values()) == {True}
    async with unit_of_work(admin) as uow:
        await records.update(uow, ACCOUNT, deal.account_id, {"country": "France"})
    assert [n for n, seen in (await told(actor, deal, WAYS)).items() if seen] == []


async def test_open_boards_show_a_share_and_lose_it(alice, carol, bob, deal):
    """The words of the record reach the tab only while it is shown."""
    other = await tab_of(carol, "/pipeline")
    team = await tab_of(bob, "/pipeline")
    async with opened(other, team):
        assert TITLE in titles(team) and TITLE not in titles(other) and TITLE not in other.sent()
        await asyncio.sleep(1.1)  # for so long one look at the session serves
        async with unit_of_work(alice) as uow:
            await sharing.share(uow, DEAL, deal.id, carol.user_id)
        await until(lambda: TITLE in titles(other))
        async with unit_of_work(alice) as uow:
            await sharing.unshare(uow, DEAL, deal.id, carol.user_id)
        await until(lambda: str(deal.id) in {o["id"] for o in told_ops(other, "del")} or TITLE not in titles(other))
