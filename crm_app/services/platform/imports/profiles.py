"""Files that other systems export: known by their headings, matched without a question.

Headings stand here in plain form (letters and digits, small), as `suggesting.plain` makes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crm_app.services.platform.imports.suggesting import plain

_PLANNED = dict.fromkeys(
    ("not started", "in progress", "waiting on someone else", "deferred", "open", "to do", "scheduled"), "planned"
)
_DONE = dict.fromkeys(("completed", "done", "closed", "finished"), "done")
STATUS = {**_PLANNED, **_DONE}
KINDS = {
    "call": "call", "email": "email", "e-mail": "email", "meeting": "meeting", "event": "meeting", "task": "task",
    "to-do": "task", "todo": "task", "other": "task", "note": "note", "lunch": "meeting", "deadline": "task",
}  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """One kind of file of one system. `signature`: headings that only it has together; `foreign`: fields that hold ids
    of that system; `templates`: field -> headings whose texts together say it, joined by a slash."""

    system: str
    entity: str
    noun: str
    signature: frozenset[str]
    columns: Mapping[str, str]
    id_column: tuple[str, ...] = ()
    foreign: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def said(self) -> str:
        return f"{self.noun} from {self.system}"


def recognise(headings: Sequence[str]) -> Profile | None:
    """The profile whose headings these are; of several, the one that explains most."""
    known = {plain(h) for h in headings}
    fitting = [p for p in _PROFILES if p.signature <= known]
    return max(fitting, key=lambda p: len(known & {*p.columns, *p.id_column}), default=None)


def fields_of(profile: Profile, headings: Sequence[str]) -> dict[str, str]:
    """Heading -> field; the first heading that fills a field has it."""
    found: dict[str, str] = {}
    by_plain: dict[str, str] = {}
    for heading in headings:
        by_plain.setdefault(plain(heading), heading)
    for name, target in profile.columns.items():
        if name in by_plain and target not in found.values():
            found[by_plain[name]] = target
    return found


def id_heading(profile: Profile, headings: Sequence[str]) -> str:
    return next((h for h in headings if plain(h) in profile.id_column), "")


def _columns(**by_field: str) -> dict[str, str]:
    """ "heading heading" by field -> heading: field."""
    return {heading: name for name, headings in by_field.items() for heading in headings.split()}


_SALESFORCE_ADDRESS = {"city": "mailingcity othercity city", "country": "mailingcountry othercountry country"}
_PROFILES: tuple[Profile, ...] = (
    Profile(
        "Salesforce", "account", "Accounts", frozenset({"id", "name", "parentid", "billingcity", "numberofemployees"}),
        _columns(
            name="name", parent_id="parentid", street="billingstreet", city="billingcity", region="billingstate",
            postal_code="billingpostalcode", country="billingcountry", phone="phone", website="website",
            industry="industry", annual_revenue_minor="annualrevenue", employees="numberofemployees",
            founded_year="yearstarted", description="description", owner_id="ownerid", currency="currencyisocode",
        ),
        ("id",), frozenset({"parent_id", "owner_id"}),
    ),
    Profile(
        "Salesforce", "contact", "Contacts", frozenset({"id", "lastname", "firstname", "accountid", "mailingcity"}),
        _columns(
            first_name="firstname", last_name="lastname", account_id="accountid", email="email", phone="phone",
            mobile="mobilephone", title="title", department="department", lead_source="leadsource",
            description="description", owner_id="ownerid", **_SALESFORCE_ADDRESS,
        ),
        ("id",), frozenset({"account_id", "owner_id"}),
    ),
    Profile(
        "Salesforce", "contact", "Leads", frozenset({"id", "lastname", "firstname", "company", "isconverted"}),
        _columns(
            first_name="firstname", last_name="lastname", account_id="company", email="email", phone="phone",
            mobile="mobilephone", title="title", lead_source="leadsource", description="description",
            owner_id="ownerid", city="city", country="country",
        ),
        ("id",), frozenset({"owner_id"}),
    ),
    Profile(
        "Salesforce", "opportunity", "Opportunities", frozenset({"id", "name", "stagename", "closedate", "accountid"}),
        _columns(
            name="name", account_id="accountid", amount_minor="amount", actual_close_on="closedate",
            stage_id="stagename", next_step="nextstep", lead_source="leadsource", description="description",
            created_at="createddate", owner_id="ownerid", currency="currencyisocode",
        ),
        ("id",), frozenset({"account_id", "owner_id"}),
    ),
    Profile(
        "Salesforce", "activity", "Tasks", frozenset({"id", "whoid", "whatid", "subject", "activitydate"}),
        _columns(
            subject="subject", contact_id="whoid", opportunity_id="whatid", account_id="accountid",
            happens_at="activitydate", status="status", body="description", kind="typec type tasksubtype",
            owner_id="ownerid",
        ),
        ("id",), frozenset({"contact_id", "opportunity_id", "account_id", "owner_id"}),
        {"status": STATUS, "kind": KINDS}, {"kind": "task"},
    ),
    Profile(
        "Salesforce", "activity", "Events", frozenset({"id", "whoid", "whatid", "subject", "startdatetime"}),
        _columns(
            subject="subject", contact_id="whoid", opportunity_id="whatid", account_id="accountid",
            happens_at="startdatetime", body="description", kind="type", location="location",
            duration_minutes="durationinminutes", owner_id="ownerid",
        ),
        ("id",), frozenset({"contact_id", "opportunity_id", "account_id", "owner_id"}),
        {"kind": KINDS}, {"kind": "meeting"},
    ),
    Profile(
        "Salesforce", "product", "Products", frozenset({"id", "name", "productcode", "isactive"}),
        _columns(name="name", sku="productcode", family="family", description="description", is_active="isactive"),
        ("id",),
    ),
    Profile(
        "HubSpot", "contact", "Contacts", frozenset({"recordid", "firstname", "lastname", "email"}),
        _columns(
            first_name="firstname", last_name="lastname", email="email", phone="phonenumber",
            mobile="mobilephonenumber", title="jobtitle", account_id="associatedcompany companyname",
            owner_id="contactowner", city="city", country="countryregion", lead_source="originalsource",
        ),
        ("recordid",),
    ),
    Profile(
        "HubSpot", "contact", "Contacts", frozenset({"contactid", "firstname", "lastname", "email"}),
        _columns(
            first_name="firstname", last_name="lastname", email="email", phone="phonenumber",
            mobile="mobilephonenumber", title="jobtitle", account_id="associatedcompany companyname",
            owner_id="contactowner", city="city", country="countryregion", lead_source="originalsource",
        ),
        ("contactid",),
    ),
    Profile(
        "HubSpot", "account", "Companies", frozenset({"recordid", "companyname", "companyowner"}),
        _columns(
            name="companyname", owner_id="companyowner", website="companydomainname", phone="phonenumber",
            city="city", region="stateregion", country="countryregion", industry="industry",
            annual_revenue_minor="annualrevenue", employees="numberofemployees",
        ),
        ("recordid",),
    ),
    Profile(
        "HubSpot", "opportunity", "Deals", frozenset({"dealname", "dealstage", "dealowner"}),
        _columns(
            name="dealname", stage_id="dealstage", pipeline_id="pipeline", amount_minor="amount",
            actual_close_on="closedate", created_at="createdate", owner_id="dealowner",
            account_id="associatedcompanyidsprimary associatedcompany",
            primary_contact_id="associatedcontactids associatedcontact",
        ),
        ("recordid", "dealid"), frozenset(),
    ),
    Profile(
        "Pipedrive", "opportunity", "Deals", frozenset({"dealtitle", "dealvalue", "dealstage", "dealstatus"}),
        _columns(
            name="dealtitle", amount_minor="dealvalue", currency="dealcurrencyofvalue", owner_id="dealowner",
            account_id="dealorganizationid dealorganization",
            primary_contact_id="dealcontactpersonid dealcontactperson", pipeline_id="dealpipeline",
            stage_id="dealstage", actual_close_on="dealdealclosedon", expected_close_on="dealexpectedclosedate",
            created_at="dealdealcreated", lead_source="dealsourceorigin",
        ),
        ("dealid",), frozenset(), templates={"stage_id": ("dealstatus", "dealstage")},
    ),
    Profile(
        "Pipedrive", "contact", "People", frozenset({"personname", "personid"}),
        _columns(
            first_name="personfirstname", last_name="personlastname", full_name="personname",
            account_id="personorganizationid personorganization", title="personjobtitle",
            email="personemailwork personemail personemailhome", phone="personphonework personphone",
            mobile="personphonemobile", owner_id="personowner", tags="personlabels", description="personnotes",
        ),
        ("personid",),
    ),
    Profile(
        "Pipedrive", "account", "Organizations", frozenset({"organizationname", "organizationid"}),
        _columns(
            name="organizationname", street="organizationaddress", postal_code="organizationzippostalcodeofaddress",
            annual_revenue_minor="organizationannualrevenue", employees="organizationnumberofemployees",
            owner_id="organizationowner", tags="organizationlabels",
        ),
        ("organizationid",),
    ),
    Profile(
        "Pipedrive", "contact", "People and organizations",
        frozenset({"personname", "personphone", "organizationname"}),
        _columns(
            first_name="personfirstname", last_name="personlastname", full_name="personname",
            account_id="organizationname", email="personemailwork personemail personemailhome", phone="personphone",
        ),
    ),
)  # fmt: skip
