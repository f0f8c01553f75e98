"""What registers itself when it is imported is imported: nothing is silently left out."""

import pytest
from sqlmodel import SQLModel

from crm_app import parts
from crm_app.core import changes, events, jobs, registry
from crm_app.models.base import Record, TenantScoped
from tests.house.sources import application

ENTITIES = {
    "account", "activity", "activity_type", "competitor", "contact", "opportunity", "pipeline", "product", "role",
    "stage", "team", "territory", "user", "win_loss_reason",
}  # fmt: skip
HANDLERS = {
    "deal_activities.refresh_deal": {"activity.created", "activity.updated", "activity.deleted", "activity.restored"},
}
TICKS = {"empty_trash", "find_duplicates", "refresh_health", "seal_audit", "sweep", "sweep_files"}
GUARDS = {"activity_type", "activity", "opportunity", "pipeline", "stage", "team", "territory"}


@pytest.fixture(scope="module", autouse=True)
def loaded() -> list[str]:
    return parts.load()


def test_every_module_that_registers_something_is_loaded(loaded):
    """A folder without __init__.py would be passed over without a word."""
    wanted = {
        s.name.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
        for s in application()
        if s.layer in parts.REGISTERING and s.name.count("/") > 1
    } - {f"crm_app.{layer}" for layer in parts.REGISTERING}
    assert set(loaded) == wanted


def test_whatever_registers_stands_where_it_is_looked_for():
    """`declare`, `@on`, `@every` and `@guards` in a layer that nobody walks would never be heard."""
    words = ("@on(", "@every(", "@guards(", "= declare(")
    found = [
        s.name for s in application() if any(w in s.text for w in words) and s.layer not in (*parts.REGISTERING, "core")
    ]
    assert found == []


def test_the_entities_are_those_we_know():
    mine = {e.name for e in registry.all_entities() if e.model.__module__.startswith("crm_app.")}
    assert mine == ENTITIES


def test_the_handlers_are_those_we_know():
    found: dict[str, set[str]] = {}
    for event, handlers in events._handlers.items():
        for name, fn in handlers.items():
            if fn.__module__.startswith("crm_app."):
                found.setdefault(name, set()).add(event)
    assert found == HANDLERS


def test_the_jobs_of_the_clock_are_those_we_know():
    assert {n for n, t in jobs.ticks().items() if t.run.__module__.startswith("crm_app.")} == TICKS


def test_the_guarded_entities_are_those_we_know():
    ours = {n for n, fns in changes._guards.items() if any(f.__module__.startswith("crm_app.") for f in fns)}
    assert ours == GUARDS


def test_every_guard_and_handler_is_of_something_that_exists():
    names = {e.name for e in registry.all_entities()}
    assert {n for n in changes._guards if n not in names} == set()
    known = {f"{n}.{verb}" for n in names for verb in ("created", "updated", "deleted", "restored")}
    emitted = {f.name for f in _subclasses(events.DomainEvent) if isinstance(getattr(f, "name", None), str)}
    heard = {n for n, h in events._handlers.items() if any(f.__module__.startswith("crm_app.") for f in h.values())}
    assert heard - known - emitted - {"*"} == set()


def test_every_record_of_people_is_declared_or_part_of_one():
    """A table of records without declaration has no list, no permission and no import."""
    parts_of_a_deal = {"OpportunityLine", "OpportunityStakeholder"}
    tables = {c.__name__ for c in _subclasses(Record) if c.__module__.startswith("crm_app.")}
    declared = {e.model.__name__ for e in registry.all_entities()}
    assert tables - declared == parts_of_a_deal


def test_tables_of_tenants_inherit_the_tenant():
    ours = {
        m.class_.__tablename__
        for m in SQLModel._sa_registry.mappers
        if m.class_.__module__.startswith("crm_app.") and "tenant_id" in m.class_.__table__.c
    }
    scoped = {c.__tablename__ for c in _subclasses(TenantScoped) if hasattr(c, "__table__")}
    # Written by triggers only, with keys of their own.
    assert ours - scoped == {"audit_log", "stage_total", "territory_account"}


def _subclasses(base: type) -> set[type]:
    found = set()
    for cls in base.__subclasses__():
        found |= {cls, *_subclasses(cls)}
    return found
