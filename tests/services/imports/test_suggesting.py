"""Headings and the fields they mean; files that are kept until they are imported."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crm_app.core import registry
from crm_app.core.errors import Invalid, NotFound
from crm_app.models.base import new_id
from crm_app.services.platform.imports import guided, suggesting
from crm_app.services.platform.imports.suggesting import Sureness
from crm_app.store import uploads


def suggested(actor, entity_name, headings):
    entity = registry.get(entity_name)
    found = suggesting.suggest(entity, suggesting.fields_for(actor, entity), headings)
    return {h: s.field for h, s in found.items()}


async def test_headings_find_their_fields(admin):
    assert suggested(
        admin, "opportunity", ["opportunity_id", "Sales agent", "product", "Account", "deal_stage", "close_value", "x"]
    ) == {
        "opportunity_id": "number", "Sales agent": "owner_id", "product": "product_id", "Account": "account_id",
        "deal_stage": "stage_id", "close_value": "amount_minor", "x": "",
    }  # fmt: skip
    assert suggested(
        admin, "account", ["Firma", "Straße", "PLZ", "Ort", "Land", "Umsatz", "Kundenbetreuer", "E-Mail", "Bemerkung 2"]
    ) == {
        "Firma": "name", "Straße": "street", "PLZ": "postal_code", "Ort": "city", "Land": "country",
        "Umsatz": "annual_revenue_minor", "Kundenbetreuer": "owner_id", "E-Mail": "email", "Bemerkung 2": "description",
    }  # fmt: skip


async def test_a_field_is_suggested_once_and_exact_names_come_first(admin):
    found = suggested(admin, "account", ["Acount name", "Name", "Company"])
    assert found == {"Acount name": "", "Name": "name", "Company": ""}
    entity = registry.get("account")
    likely = suggesting.suggest(entity, suggesting.fields_for(admin, entity), ["Acount name", "Webiste"])
    assert likely["Acount name"].sureness is Sureness.alike and likely["Webiste"].field == "website"


async def test_hidden_fields_are_not_offered(admin):
    blind = replace(admin, hidden_fields=frozenset({"account.annual_revenue_minor"}))
    assert suggested(blind, "account", ["Revenue"]) == {"Revenue": ""}


async def chunks(*parts):
    for part in parts:
        yield part


async def test_an_upload_is_its_senders_alone(alice, bob, mallory):
    kept = await uploads.spool(alice, "deals.csv", chunks(b"Name\n", b"Kessler\n"), endings=guided.ENDINGS)
    assert kept.size == 13 and uploads.find(alice, kept.id).path.read_bytes() == b"Name\nKessler\n"
    for actor in (bob, mallory):
        with pytest.raises(NotFound):
            uploads.find(actor, kept.id)
        uploads.discard(actor, kept.id)
    assert uploads.find(alice, kept.id).size == 13
    uploads.discard(alice, kept.id)
    with pytest.raises(NotFound):
        uploads.find(alice, kept.id)
    with pytest.raises(NotFound):
        uploads.find(alice, new_id())


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\me\\deals.XLSX", "deals.XLSX"),
        ("a\x00b\n.csv", "a_b_.csv"),
        ("x" * 400 + ".csv", "x" * 120 + ".csv"),
        (".hidden.csv", "hidden.csv"),
    ],
)
async def test_names_lead_nowhere(name, safe, alice):
    kept = await uploads.spool(alice, name, chunks(b"x"), endings=guided.ENDINGS)
    assert kept.path.name == safe
    assert uploads.find(alice, kept.id).path == kept.path


@pytest.mark.parametrize("name", ["deals.exe", "deals", "", "csv", "...csv"])
async def test_other_kinds_of_files_are_refused(name, alice):
    with pytest.raises(Invalid, match="CSV"):
        await uploads.spool(alice, name, chunks(b"x"), endings=guided.ENDINGS)


async def test_a_file_that_is_too_large_leaves_nothing_behind(alice, monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST", 10)
    with pytest.raises(Invalid, match="larger"):
        await uploads.spool(alice, "a.csv", chunks(b"12345", b"678901"), endings=guided.ENDINGS)
    home = uploads.home(alice)
    assert list(home.iterdir()) == []


async def test_what_nobody_came_back_for_is_swept(alice):
    kept = await uploads.spool(alice, "a.csv", chunks(b"x"), endings=guided.ENDINGS)
    now = datetime.now(UTC)
    uploads.sweep(now)
    assert uploads.find(alice, kept.id)
    assert uploads.sweep(now + timedelta(days=2)) >= 1
    with pytest.raises(NotFound):
        uploads.find(alice, kept.id)
