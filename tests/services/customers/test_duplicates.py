"""What is found before a record is made twice, and what is told of records that one may not see."""

from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from crm_app.core.context import Scope
from crm_app.core.errors import Forbidden
from crm_app.core.matching import Band, rules_for
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.services.customers import duplicates
from crm_app.services.platform import records
from crm_app.store.databases import DatabaseUrls
from crm_app.store.embedded import Role
from crm_app.store.uow import unit_of_work
from tests.conftest import TestCluster


async def make(actor, entity, **values):
    async with unit_of_work(actor) as uow:
        return await records.create(uow, entity, values)


async def look(actor, entity, **values):
    async with unit_of_work(actor) as uow:
        return await duplicates.similar(uow, entity, values)


@pytest.fixture
async def acme(alice):
    return await make(alice, ACCOUNT, name="Acme GmbH", website="https://www.acme.com/de", city="Köln")


@pytest.fixture
async def jana(alice, acme):
    values = {"email": "Jana.Weber@acme.com", "phone": "+492211234567", "account_id": acme.id}
    return await make(alice, CONTACT, first_name="Jana", last_name="Weber", **values)


@pytest.mark.parametrize(
    ("values", "band", "reason"),
    [
        ({"email": "jana.weber@ACME.com", "last_name": "Weber", "first_name": "Jana"}, Band.sure, "same e-mail"),
        ({"email": "jana.weber@acme.com"}, Band.check, "same e-mail"),
        ({"first_name": "Jana", "last_name": "Weber", "mobile": "+492211234567"}, Band.sure, "same phone"),
        ({"first_name": "Jana", "last_name": "Weber", "phone": "0221 1234567"}, Band.sure, "same phone"),
        ({"first_name": "jana", "last_name": "Wéber"}, Band.check, "same name"),
        ({"first_name": "Weber", "last_name": "Jana", "email": "jana.weber@acme.com"}, Band.sure, "same name"),
    ],
)
async def test_a_person_is_known_by_mail_phone_and_name(alice, jana, values, band, reason):
    (found,) = await look(alice, CONTACT, **values)
    assert (found.id, found.title, found.band) == (jana.id, "Jana Weber", band)
    assert reason in found.reasons


async def test_a_misspelt_name_at_the_same_company_is_to_be_checked(alice, jana, acme):
    (found,) = await look(alice, CONTACT, first_name="Jana", last_name="Webber", account_id=acme.id)
    assert (found.id, found.band, found.reasons) == (jana.id, Band.check, ("similar name", "same company"))
    (found,) = await look(alice, CONTACT, first_name="J.", last_name="Weber", account_id=acme.id)
    assert (found.id, found.band) == (jana.id, Band.check)


async def test_others_are_others(alice, jana, acme):
    assert await look(alice, CONTACT, first_name="Peter", last_name="Krause", account_id=acme.id) == []
    assert await look(alice, CONTACT, first_name="Peter", last_name="Krause", phone="+492211234567") == []
    assert await look(alice, CONTACT, first_name="Ja", last_name="We") == []
    assert await look(alice, CONTACT) == []


@pytest.mark.parametrize(
    ("values", "band"),
    [
        ({"name": "ACME", "website": "acme.com"}, Band.sure),
        ({"name": "Acme Germany", "website": "http://acme.com:80/en"}, Band.check),
        ({"name": "acme gmbh"}, Band.check),
        ({"name": "Acme", "email": "info@acme.com"}, Band.sure),
    ],
)
async def test_a_company_is_known_by_name_and_domain(alice, acme, values, band):
    (found,) = await look(alice, ACCOUNT, **values)
    assert (found.id, found.band) == (acme.id, band)


async def test_mail_that_everybody_has_is_no_domain(alice):
    await make(alice, ACCOUNT, name="Bakery North", email="north@gmail.com")
    assert await look(alice, ACCOUNT, name="Garage South", email="south@gmail.com") == []


async def test_a_record_is_not_like_itself_and_the_trash_is_not_looked_at(manager, alice, jana):
    async with unit_of_work(alice) as uow:
        found = await duplicates.similar(uow, CONTACT, {"email": jana.email}, record_id=jana.id)
        assert found == []
    async with unit_of_work(manager) as uow:
        await records.delete(uow, CONTACT, jana.id)
    assert await look(alice, CONTACT, email=jana.email) == []


async def test_of_an_unseen_record_only_the_unique_value_is_told(carol, alice, jana):
    """Carol is of another team."""
    (told,) = await look(carol, CONTACT, email="jana.weber@acme.com", first_name="Jana", last_name="Weber")
    assert (told.id, told.title, told.detail, told.points, told.reasons) == (None, "", "", 0, ("same e-mail",))
    assert await look(carol, CONTACT, first_name="Jana", last_name="Weber", phone="+492211234567") == []
    (told,) = await look(carol, ACCOUNT, name="Acme GmbH", website="acme.com")
    assert (told.id, told.reasons) == (None, ("same web domain",))
    assert await look(carol, ACCOUNT, name="Acme GmbH") == []


async def test_another_tenant_is_told_nothing_and_a_right_is_needed(mallory, alice, jana):
    assert await look(mallory, CONTACT, email=jana.email, first_name="Jana", last_name="Weber") == []
    with pytest.raises(Forbidden):
        await look(replace(alice, permissions=frozenset()), CONTACT, email=jana.email)


async def test_hidden_fields_decide_nothing(alice, jana):
    blind = replace(alice, hidden_fields=frozenset({"contact.email", "contact.phone"}))
    assert await look(blind, CONTACT, email=jana.email) == []
    (found,) = await look(blind, CONTACT, email=jana.email, phone=jana.phone, first_name="Jana", last_name="Weber")
    assert found.reasons == ("same name",)


_MANY = """
    INSERT INTO contact (tenant_id, id, created_at, updated_at, version, custom, name, first_name, last_name, owner_id,
      title, department, email, phone, mobile, city, country, lead_source, description, tags, email_key, phone_key,
      mobile_key, name_key, sort_key)
    SELECT %(tenant)s, gen_random_uuid(), now(), now(), 1, '{}', f || ' ' || l, f, l, %(owner)s, '', '', m, p, '', '',
      '', '', '', '[]', m, right(p, 10), '', f || l, l || ' ' || f
    FROM (SELECT 'first' || mod(i, 997) AS f, 'last' || mod(i, 4999) AS l, 'm' || i || '@example.com' AS m,
                 '+4922' || 10000000 + i AS p FROM generate_series(1, 100000) i) g
"""


async def test_a_hundred_thousand_are_searched_by_their_indexes(
    alice, acme, jana, database: DatabaseUrls, cluster: TestCluster
):
    name = str(psycopg.conninfo.conninfo_to_dict(database.app)["dbname"])
    with psycopg.connect(cluster.postgres.url(Role.superuser, name), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(_MANY, {"tenant": alice.tenant_id, "owner": alice.user_id})
        connection.execute("ANALYZE contact")
    values = {"first_name": "Jana", "last_name": "Weber", "email": jana.email, "phone": jana.phone}
    values |= {"account_id": acme.id}
    own = replace(alice, scope=Scope.own)
    async with unit_of_work(own) as uow:
        query = duplicates.candidates(rules_for("contact"), CONTACT, values, own)
        text = str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
        plan = [r[0] for r in await uow.rows(sa.text("EXPLAIN ANALYZE " + text.replace(":", r"\:")))]
        assert not [line for line in plan if "Seq Scan" in line], "\n".join(plan)
        found = await duplicates.similar(uow, CONTACT, values)
    assert [f.id for f in found] == [jana.id]
