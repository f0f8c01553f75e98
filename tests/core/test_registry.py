"""A declaration reads the table and refuses what does not fit."""

from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlmodel import Field

from crm_app.core import registry
from crm_app.core.registry import Choice, Kind, Section, declare, relations
from crm_app.models.base import TenantScoped
from tests.core import condition_world as cw


def test_kinds_come_from_the_table(world: cw.World) -> None:
    kinds = {n: s.kind for n, s in world.company.fields.items()}
    assert {
        n: kinds[n] for n in ("name", "about", "mail", "phone", "site", "staff", "rate", "value_minor", "share")
    } == {
        "name": Kind.text,
        "about": Kind.long_text,
        "mail": Kind.email,
        "phone": Kind.phone,
        "site": Kind.url,
        "staff": Kind.number,
        "rate": Kind.decimal,
        "value_minor": Kind.money,
        "share": Kind.percent,
    }
    assert {
        n: kinds[n] for n in ("vip", "since_on", "seen_at", "stage", "tags", "codes", "owner_id", "created_at")
    } == {
        "vip": Kind.flag,
        "since_on": Kind.date,
        "seen_at": Kind.datetime,
        "stage": Kind.choice,
        "tags": Kind.choices,
        "codes": Kind.choices,
        "owner_id": Kind.link,
        "created_at": Kind.datetime,
    }


def test_fields_know_their_limits(world: cw.World) -> None:
    name, share, stage, value, owner = (
        world.company.fields[n] for n in ("name", "share", "stage", "value_minor", "owner_id")
    )
    assert (name.max_length, name.nullable, name.required) == (200, False, False)
    assert (share.minimum, share.maximum, share.nullable) == (0, 100, True)
    assert stage.choices == (Choice("open", "Open"), Choice("won", "Won"), Choice("lost", "Lost"))
    assert (value.currency_field, owner.target) == ("currency", "user")
    assert stage.choice_label("won") == "Won" and stage.choice_label("gone") == "gone"


def test_machinery_is_no_field_and_stamps_are_read_only(world: cw.World) -> None:
    assert not {"tenant_id", "custom", "deleted_at"} & set(world.company.fields)
    assert {"id", "created_at", "version"} <= world.company.readonly
    assert world.company.slug == "companies" and world.company.table is cw.Company.__table__  # type: ignore[attr-defined]


def test_lookups(world: cw.World) -> None:
    company = registry.get("cond_company")
    assert (company.name, company.label, company.model) == ("cond_company", "Company", cw.Company)
    assert registry.find("cond_company") is registry.by_slug("companies") is registry.of_model(cw.Company) is company
    assert registry.find("nothing") is None and registry.by_slug("nothing") is None


def test_relations_lead_both_ways(world: cw.World) -> None:
    found = {n: (r.entity, r.many, r.link) for n, r in relations(world.company).items()}
    assert found["parent"] == ("cond_company", False, "parent_id")
    assert found["companies"] == ("cond_company", True, "parent_id")
    assert found["deals"] == ("cond_deal", True, "company_id")
    assert found["deals_by_partner"] == ("cond_deal", True, "partner_id")
    assert {"company", "partner"} <= set(relations(world.deal))


class _Odd(TenantScoped, table=True):
    __tablename__ = "cond_odd"
    metadata = sa.MetaData()

    name: str
    weight: float = 0.0
    price: Decimal | None = Field(default=None)


def test_what_does_not_fit_is_refused_at_import() -> None:
    layout = {"label": "Odd", "plural": "Odds", "title": "name", "columns": (), "form": ()}
    with pytest.raises(ValueError, match=r"_Odd\.weight: no kind of field fits float"):
        declare(_Odd, **layout)
    layout["hidden"] = ("weight",)
    for more in (
        {"title": "nmae"},
        {"columns": ("nmae",)},
        {"form": (Section("A", ("nmae",)),)},
        {"import_key": "nmae"},
    ):
        with pytest.raises(ValueError, match=r"cond_odd: unknown fields \['nmae'\]"):
            declare(_Odd, **{**layout, **more})
    assert registry.find("cond_odd") is None
