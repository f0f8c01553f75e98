"""Importing accounts: what files call their fields."""

from typing import ClassVar

from crm_app.services.platform.imports.rules import ImportRules, register


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


register("account", AccountRules())
