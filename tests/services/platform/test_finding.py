"""Search: by the beginnings of words, in spite of typing errors, and never past what somebody may see."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.errors import Forbidden
from crm_app.core.views import View
from crm_app.models.activities.activities import ACTIVITY
from crm_app.models.base import new_id
from crm_app.models.catalog.products import PRODUCT
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.activities import activities
from crm_app.services.people import actors
from crm_app.services.platform import finding, lists, records, sharing, spelling
from crm_app.services.sales import opportunities
from crm_app.services.sales.opportunities import Closing
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, stage_ids


async def made(actor, entity, **values):
    async with unit_of_work(actor) as uow:
        return await records.create(uow, entity, values)


async def found(actor, text):
    async with unit_of_work(actor) as uow:
        return await finding.search_forgiving(uow, text)


async def titles(actor, text):
    return [h.title for h in (await found(actor, text)).hits]


@pytest.fixture(autouse=True)
def fresh_words(workspace):
    """What the tests write is a second old; people wait five minutes."""
    spelling.forget(workspace.tenant_id)


async def test_every_kind_is_found_with_a_second_line(admin):
    kessler = await made(admin, ACCOUNT, name="Kessler & Wohlgemuth GmbH", city="Linz", industry="Machinery")
    await made(admin, CONTACT, first_name="Henrik", last_name="Kesselring", account_id=kessler.id, title="Buyer")
    await made(admin, PRODUCT, name="Kessel 300", sku="K-300", family="Boilers")
    deal = await a_deal(admin, "Boiler-house sensors", account="Kesselhaus Nord")
    hits = {h.kind: h for h in (await found(admin, "kess")).hits}
    assert (hits["opportunity"].title, hits["opportunity"].extra) == ("Boiler-house sensors", "Qualify")
    assert hits["opportunity"].detail == f"{deal.number} · Kesselhaus Nord"
    assert (hits["contact"].title, hits["contact"].detail, hits["contact"].extra) == (
        "Henrik Kesselring", "Kessler & Wohlgemuth GmbH", "Buyer",
    )  # fmt: skip
    assert (hits["product"].detail, hits["product"].extra) == ("K-300", "Boilers")
    assert await titles(admin, "kess lin") == ["Kessler & Wohlgemuth GmbH"]


async def test_accents_case_and_order_do_not_matter(admin):
    await made(admin, CONTACT, first_name="Maren", last_name="Köhler")
    for text in ("kohl", "KÖHLER maren", "mar köh", "köhler, maren"):
        assert await titles(admin, text) == ["Maren Köhler"], text


@pytest.mark.parametrize(
    "typed",
    [
        "+49 30 1234567",
        "030 1234567",
        "0049 30 1234567",
        "1234567",
        "4567",
        "(030) 12 34",
        "+49 30 1234",
        "0170/9876543",
    ],
)
async def test_a_number_finds_whom_it_calls(typed, admin):
    await made(admin, CONTACT, first_name="Ute", last_name="Berg", phone="+49 30 1234567", mobile="+49 170 9876543")
    await made(admin, CONTACT, last_name="Nobody", phone="+49 89 5550000")
    assert await titles(admin, typed) == ["Ute Berg"]
    async with unit_of_work(admin) as uow:
        assert [h.title for h in await finding.search(uow, typed, kinds=("contact",))] == ["Ute Berg"]


@pytest.mark.parametrize("text", ["12", "phone 12345", "", "+", "٣٤٥٦٧", "00000", "1234567 x"])
def test_what_is_no_number_is_not_looked_for_as_one(text):
    assert finding.phone_parts(text) == []


async def test_a_number_that_one_may_not_see_finds_nobody(admin, alice, carol, mallory):
    await made(alice, ACCOUNT, name="Kessler", phone="+49 30 1234567")
    assert await titles(alice, "1234567") == ["Kessler"]
    for actor in (carol, mallory, alice.with_field_rights({"account.phone": "masked"})):
        assert await titles(actor, "1234567") == []


async def test_a_number_finds_its_deal(admin):
    deal = await a_deal(admin, "Roll-out")
    assert await titles(admin, deal.number) == ["Roll-out"]


async def test_open_deals_come_before_closed_ones(admin):
    for name in ("Kiosk A", "Kiosk B", "Kiosk C"):
        deal = await a_deal(admin, name)
        if name != "Kiosk C":
            async with unit_of_work(admin) as uow:
                await opportunities.win(uow, deal.id, Closing())
    assert await titles(admin, "kiosk") == ["Kiosk C", "Kiosk A", "Kiosk B"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("kowlaski", "kowalski"),
        ("northwnd", "northwind"),
        ("andresen", "andersen"),
        ("kowls", "kowals"),
        ("nroth", "north"),
    ],
)
async def test_typing_errors_are_mended(typed, meant, admin):
    for last in ("Kowalski", "Northwind", "Andersen"):
        await made(admin, CONTACT, first_name="Jo", last_name=last)
    result = await found(admin, typed)
    assert result.read_as == meant
    assert [h.title.removeprefix("Jo ").lower()[: len(meant)] for h in result.hits] == [meant]


async def test_words_that_are_right_stay_as_they_are(admin):
    await made(admin, CONTACT, first_name="Anna", last_name="Kowalski")
    await made(admin, CONTACT, first_name="Hanna", last_name="Kowalski")
    result = await found(admin, "hanna kowlaski")
    assert [h.title for h in result.hits] == ["Hanna Kowalski"] and result.read_as == "hanna kowalski"
    assert (await found(admin, "kowal")).read_as == ""


@pytest.mark.parametrize(
    "text", ["", "   ", "&|!():*", "zzzzzzzz", "12345678", "xq", "a" * 5000, "\x00", "\ud800", "' OR 1=1"]
)
async def test_nothing_found_is_no_error(text, admin):
    await made(admin, ACCOUNT, name="Kessler")
    assert (await found(admin, text)).hits in ([], ())


async def test_what_one_may_not_see_is_not_found_nor_spelled_out(alice, carol):
    await made(carol, ACCOUNT, name="Secretum Holding")
    assert await titles(carol, "secretum") == ["Secretum Holding"]
    assert await found(alice, "secretum") == finding.Found(())
    assert await found(alice, "secertum") == finding.Found(())
    assert (await found(carol, "secertum")).read_as == "secretum"


async def test_deals_are_found_by_an_account_but_only_visible_ones(alice, carol):
    await a_deal(alice, "Mine", account="Kessler")
    await a_deal(carol, "Hers", account="Kessler")
    assert [h.title for h in (await found(alice, "kessler")).hits if h.kind == "opportunity"] == ["Mine"]


async def test_another_tenant_finds_nothing(admin, mallory):
    account = await made(admin, ACCOUNT, name="Kessler")
    deal = await a_deal(admin)
    assert await found(mallory, "kessler") == finding.Found(())
    assert await found(mallory, "kesslre") == finding.Found(())
    async with unit_of_work(mallory) as uow:
        assert await finding.named(uow, [("account", account.id), ("opportunity", deal.id)]) == []


async def test_a_role_without_a_kind_does_not_find_it(admin):
    await made(admin, ACCOUNT, name="Kessler")
    await made(admin, PRODUCT, name="Kessel")
    blinkered = replace(admin, permissions=frozenset({"product.read"}))
    assert await titles(blinkered, "kess") == ["Kessel"]
    async with unit_of_work(blinkered) as uow:
        with pytest.raises(Forbidden):
            await records.find(uow, ACCOUNT)


async def test_a_hidden_field_is_neither_searched_nor_told(admin):
    kessler = await made(admin, ACCOUNT, name="Kessler", city="Linz", industry="Machines")
    person = {"first_name": "Ute", "last_name": "Berg", "email": "ute@secretum.example", "title": "Buyer"}
    await made(admin, CONTACT, **person, account_id=kessler.id)
    await a_deal(admin, "Roll-out", account="Kesselhaus")
    for hidden, text in (
        ("contact.email", "secretum"), ("contact.email", "secretmu"), ("account.city", "linz"),
        ("contact.title", "buyer"),
    ):  # fmt: skip
        role = replace(admin, hidden_fields=frozenset({hidden}))
        result = await found(role, text)
        shown = [h for h in result.hits if h.kind == hidden.partition(".")[0]]
        assert shown == [] and result.read_as == "", hidden
    role = replace(admin, hidden_fields=frozenset({"contact.title", "account.industry", "account.city"}))
    hits = {h.kind: h for h in (await found(role, "kess")).hits} | {h.kind: h for h in (await found(role, "ute")).hits}
    assert (hits["account"].detail, hits["account"].extra, hits["contact"].extra) == ("", "", "")
    assert hits["contact"].detail == "Kessler" and hits["opportunity"].title == "Roll-out"


async def test_people_and_teams_are_found_as_the_few_they_are(alice, workspace):
    async with unit_of_work(alice) as uow:
        names = {h.title for h in (await finding.search_forgiving(uow, "al", kinds=("user", "team"))).hits}
        teams = (await finding.search_forgiving(uow, "sal", kinds=finding.all_kinds())).hits
    assert names == {"Alice"} and [h.title for h in teams if h.kind == "team"] == ["Sales"]
    async with unit_of_work(replace(alice, permissions=frozenset())) as uow:
        assert (await finding.search_forgiving(uow, "al", kinds=("user", "team"))).hits == ()


async def activity(actor, subject, **whom):
    async with unit_of_work(actor) as uow:
        return await activities.log(uow, kind="call", subject=subject, **whom)


async def everything(actor, text):
    async with unit_of_work(actor) as uow:
        found = await finding.search_forgiving(uow, text, kinds=finding.all_kinds())
    return [(h.kind, h.title) for h in found.hits]


async def test_activities_are_found_as_everything_else(admin, alice, bob, carol, mallory):
    kessler = await made(alice, ACCOUNT, name="Kessler")
    call = await activity(alice, "Café Übersee, budget", account_id=kessler.id)
    await activity(carol, "Cafeteria", account_id=(await made(carol, ACCOUNT, name="Hers")).id)
    for text in ("cafe", "budget caf", "ubersee", "ubresee"):
        assert await everything(alice, text) == [("activity", "Café Übersee, budget")], text
    assert await everything(bob, "cafe") == [("activity", "Café Übersee, budget")]
    assert await everything(mallory, "cafe") == []
    async with unit_of_work(alice) as uow:
        (hit,) = await finding.search(uow, "cafe", kinds=("activity",))
    assert hit.detail.endswith(" · Kessler") and hit.extra == "Done"
    assert await everything(replace(alice, permissions=frozenset({"account.read"})), "cafe") == []
    async with unit_of_work(alice) as uow:
        await sharing.share(uow, ACCOUNT, kessler.id, carol.user_id)
    shown = await actors.actor_for(carol.tenant_id, carol.user_id)
    assert {t for _, t in await everything(shown, "cafe")} == {"Café Übersee, budget", "Cafeteria"}
    async with unit_of_work(admin) as uow:
        await records.delete(uow, ACTIVITY, call.id)
    assert await everything(alice, "cafe") == []


async def test_of_many_the_newest_are_found(alice):
    kessler = await made(alice, ACCOUNT, name="Kessler")
    async with unit_of_work(alice) as uow:
        owner = {"kind": "call", "owner_id": alice.user_id, "account_id": kessler.id, "happens_at": uow.now}
        stamps = {"tenant_id": alice.tenant_id, "created_at": uow.now, "updated_at": uow.now, "version": 1}
        rows = [{"id": new_id(), "subject": f"Call {n:03}", **owner, **stamps} for n in range(520)]
        await uow.execute(sa.insert(ACTIVITY.table), rows)
        hits = await finding.search(uow, "call", kinds=("activity",), limit=3)
        page = await lists.page(uow, ACTIVITY, View(query="call"), limit=1)
        assert await lists.count(uow, ACTIVITY, View(query="call")) == 520
    assert [h.title for h in hits] == ["Call 519", "Call 518", "Call 517"]
    assert page.rows


async def test_every_kind_that_says_what_it_is_searched_by_is_gone_through(admin):
    kinds = finding.all_kinds()
    assert kinds[:4] == finding.KINDS and kinds[-2:] == ("user", "team")
    assert set(kinds) == {e.name for e in registry.all_entities() if e.search}
    assert ("stage", "Proposal") in await everything(admin, "propo")
    assert ("stage", "Proposal") in await everything(admin, "porposal")


async def test_a_kind_without_an_index_of_words_is_refused_by_it(alice):
    with pytest.raises(sa.exc.DBAPIError, match="no search over"):
        async with unit_of_work(alice) as uow:
            await uow.execute(sa.text("SELECT crm_search('session', 'a:*', NULL, 5)"))


async def test_the_words_are_read_while_somebody_opens_the_palette(alice):
    await made(alice, ACCOUNT, name="Northwind")
    spelling.prepare(alice)
    spelling.prepare(alice)  # one reading is under way
    assert (await found(alice, "northwnid")).read_as == "northwind"
    assert len(spelling._reading) == 0


async def test_what_lies_in_the_trash_is_not_found(admin):
    account = await made(admin, ACCOUNT, name="Kessler")
    async with unit_of_work(admin) as uow:
        await records.delete(uow, ACCOUNT, account.id)
    assert await found(admin, "kessler") == finding.Found(())
    async with unit_of_work(admin) as uow:
        assert await finding.named(uow, [("account", account.id)]) == []


async def test_records_by_id_come_in_the_order_asked_for(admin):
    at = await stage_ids(admin)
    deal = await a_deal(admin, "Roll-out", account="Kessler", stage_id=at["Proposal"])
    product = await made(admin, PRODUCT, name="Kessel", sku="K-1")
    async with unit_of_work(admin) as uow:
        hits = await finding.named(
            uow, [("product", product.id), ("opportunity", deal.id), ("user", admin.user_id), ("account", new_id())]
        )
        assert await finding.named(uow, []) == []
        both = (await finding.search(uow, "roll"))[0]
    assert [h.title for h in hits] == ["Kessel", "Roll-out", "Ada Admin"]
    assert hits[1] == both


async def test_choices_offer_the_first_ones_while_nothing_is_typed(admin):
    for name in ("Beta", "Alpha"):
        await made(admin, ACCOUNT, name=name)
    async with unit_of_work(admin) as uow:
        assert [h.title for h in await finding.choices(uow, ACCOUNT, "")] == ["Alpha", "Beta"]
        assert [h.title for h in await finding.choices(uow, ACCOUNT, "bet")] == ["Beta"]
        assert await finding.choices(uow, OPPORTUNITY, "bet") == []
