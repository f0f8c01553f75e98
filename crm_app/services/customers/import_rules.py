"""Importing accounts and contacts: what files call their fields; one column that holds a whole name."""

from __future__ import annotations

from typing import ClassVar

from crm_app.core.registry import FieldSpec, Kind
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.rows import Rows
from crm_app.services.platform.imports.rules import ImportRules, register
from crm_app.store.uow import UnitOfWork


class AccountRules(ImportRules):
    headings: ClassVar = {
        "name": (
            "company", "company name", "organisation", "organization", "customer", "customer name", "client",
            "firma", "firmenname", "kunde", "unternehmen",
        ),
        "industry": ("sector", "vertical", "branche"),
        "website": ("url", "web", "web site", "homepage", "domain", "webseite"),
        "phone": ("telephone", "tel", "phone number", "main phone", "telefon"),
        "email": ("mail", "email address", "main email", "e-mail"),
        "employees": ("number of employees", "no of employees", "headcount", "staff", "mitarbeiter"),
        "annual_revenue_minor": ("revenue", "yearly revenue", "turnover", "umsatz", "jahresumsatz"),
        "founded_year": ("founded", "year established", "year founded", "established", "grundungsjahr"),
        "street": ("address", "street address", "address line 1", "strasse"),
        "postal_code": ("zip", "zip code", "postcode", "plz"),
        "city": ("town", "ort", "stadt"),
        "region": ("state", "province", "county", "bundesland"),
        "country": ("nation", "land", "country name"),
        "parent_id": ("parent", "parent company", "subsidiary of", "muttergesellschaft"),
        "owner_id": (
            "account owner", "account manager", "sales rep", "rep", "assigned to", "responsible", "kundenbetreuer",
            "verantwortlich", "zustandig",
        ),
        "description": ("notes", "note", "comments", "remark", "remarks", "bemerkung", "beschreibung"),
        "tags": ("labels", "categories"),
        "currency": ("currency code", "iso currency", "wahrung"),
    }  # fmt: skip


class ContactRules(ImportRules):
    headings: ClassVar = {
        "first_name": ("first", "given name", "forename", "vorname", "prenom"),
        "last_name": ("last", "surname", "family name", "nachname", "nom"),
        "full_name": ("name", "contact", "contact name", "person", "full name", "display name", "ansprechpartner"),
        "account_id": (
            "company", "company name", "organisation", "organization", "account name", "employer", "customer", "firma",
            "unternehmen",
        ),
        "email": ("mail", "email address", "e-mail", "e mail", "work email", "business email"),
        "phone": ("telephone", "tel", "phone number", "work phone", "business phone", "telefon"),
        "mobile": ("mobile phone", "mobile phone number", "cell", "cell phone", "handy", "mobil"),
        "title": ("job title", "position", "role", "function", "funktion"),
        "department": ("abteilung", "division"),
        "city": ("town", "ort", "stadt"),
        "country": ("nation", "land", "country region"),
        "lead_source": ("source", "original source", "quelle"),
        "owner_id": ("contact owner", "sales rep", "rep", "assigned to", "responsible", "kundenbetreuer"),
        "description": ("notes", "note", "comments", "remark", "remarks", "bemerkung"),
        "tags": ("labels", "categories", "groups"),
    }  # fmt: skip
    extra: ClassVar = (FieldSpec("full_name", "Full name", Kind.text, nullable=True, max_length=200),)

    async def complete(self, uow: UnitOfWork, rows: Rows) -> None:
        """The last word of a whole name is the last name, where the file has no column for it."""
        if not rows.has("full_name"):
            return
        parts = [_parted(t) for t in rows.frame["full_name"].to_list()]
        lacks = rows.col("last_name").is_null()
        for name, place in (("last_name", 1), ("first_name", 0)):
            values = pl.Series(name, [p[place] for p in parts], dtype=pl.String)
            nothing = pl.Series(name, [None], dtype=pl.String).new_from_index(0, len(rows))
            rows.fill(name, values.zip_with(lacks, nothing))


def _parted(text: str | None) -> tuple[str | None, str | None]:
    """First and last name; "Berg, Ida" is written the other way round."""
    if not text:
        return None, None
    if "," in text:
        last, _, first = text.partition(",")
        return first.strip()[:100] or None, last.strip()[:100] or None
    first, _, last = text.strip().rpartition(" ")
    return first.strip()[:100] or None, last[:100] or None


class ProductRules(ImportRules):
    headings: ClassVar = {
        "name": ("product", "product name", "item", "title", "artikel", "produkt"),
        "sku": ("code", "product code", "item number", "article number", "artikelnummer"),
        "family": ("series", "category", "product family", "group", "kategorie"),
        "price_minor": ("price", "sales price", "unit price", "list price", "preis"),
        "currency": ("currency code", "iso currency", "wahrung"),
        "is_active": ("active", "enabled"),
    }


register("account", AccountRules())
register("contact", ContactRules())
register("product", ProductRules())
