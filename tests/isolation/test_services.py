"""Mallory through every service that takes an id: she learns nothing, changes nothing, and nothing breaks."""

import importlib
import inspect
import pkgutil
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from crm_app import parts, services
from crm_app.core.errors import CrmError
from crm_app.core.notices import NoticeKind
from crm_app.core.registry import Entity
from crm_app.core.views import View
from crm_app.models.base import new_id
from crm_app.services.activities.activities import With
from crm_app.services.platform.audit_log import Asked
from crm_app.services.platform.imports import outline
from crm_app.services.platform.notifications import JOB_DONE
from crm_app.services.sales.board import Filters
from crm_app.services.sales.opportunities import Closing, Moved
from crm_app.store.uow import UnitOfWork, unit_of_work
from tests.entities.values import ENTITIES
from tests.isolation.world import World
from tests.jobs.test_repeats import picture

parts.load()
# Not reached with an id of one's own choosing: who calls them has looked the record up before.
INNER = {
    "activities.activities.keep_rules": "a guard, called by records",
    "sales.opportunity_rules.keep_rules": "a guard, called by records",
    "sales.held_deals": "called by services that have asked",
    "sales.places": "positions in a column, for deals that were locked",
    "sales.deal_page.neighbours": "takes the values of a deal that was read",
    "platform.imports.following": "takes the step or the batch of a running import",
    "platform.merge_links": "takes the merge of records that were locked",
    "platform.merge_values": "takes the merge of records that were locked",
    "platform.imports.settling": "takes the rows of a running import",
    "platform.imports.joining": "takes the rows of a running import",
    "platform.imports.writing": "takes the plan of a running import",
    "platform.imports.directory": "keys of a running import, tried through the import itself",
    "platform.imports.planning": "files, no ids",
    "platform.imports.guided": "files, no ids",
    "platform.history.names_of": "takes changes that were read",
    "platform.about": "asked with the record that something hangs on; tried through what hangs there",
    "platform.attachments.unknown": "ids of files that lie in the workspace's own folder",
    "platform.exporting.ask": "takes what its callers have asked the right to",
    "platform.exporting.unknown": "ids of files that lie in the workspace's own folder",
    "platform.audit.note": "an act about what its caller has found",
    "platform.bulk_chunks": "takes an operation that was begun or found by its caller",
    "platform.exporting.write": "takes a condition of its caller and reads by records.stream",
    "platform.bulk_rows": "takes the records of a chunk",
    "platform.validation.check_links": "tried for every link of every entity in tests/entities",
}
# The database's own refusal is their answer: their callers have found the user before.
REFUSED_BY_KEY = {"people.links.make", "people.sessions.open_session", "people.sign_ins.record"}
IDS = (UUID, With, Closing, Moved, Asked)


@dataclass(frozen=True)
class Probe:
    """One call: a service, the parameter that gets a foreign id, the entity where it asks for one."""

    name: str
    fn: Callable[..., Any]
    parameter: str
    entity: Entity | None

    def __str__(self) -> str:
        return f"{self.name}({self.parameter}{f' of {self.entity.name}' if self.entity else ''})"


def service_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in pkgutil.walk_packages(services.__path__, "crm_app.services."):
        loaded = importlib.import_module(module.name)
        for name, fn in sorted(vars(loaded).items()):
            if inspect.iscoroutinefunction(fn) and fn.__module__ == module.name and not name.startswith("_"):
                short = f"{module.name.removeprefix('crm_app.services.')}.{name}"
                if next(iter(inspect.signature(fn).parameters), "") == "uow":
                    yield short, fn


def hints(fn: Callable[..., Any]) -> dict[str, Any]:
    return {n: h for n, h in get_type_hints(fn).items() if n not in ("uow", "return")}


def bears_id(hint: Any) -> bool:
    """Whether a value of this type can name a record."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType, list, tuple) or origin in (Sequence, Iterable, Mapping):
        inner = [a for a in get_args(hint) if a is not type(None)]
        return not _is_mark(hint) and any(bears_id(a) for a in inner)
    return hint in IDS


def _is_mark(hint: Any) -> bool:
    """Where a page goes on: (moment or value, id)."""
    return get_origin(hint) is tuple and len(get_args(hint)) == 2 and get_args(hint)[0] is not str


def probes() -> Iterator[Probe]:
    for name, fn in service_functions():
        if name in INNER or name.rpartition(".")[0] in INNER:
            continue
        types_of = hints(fn)
        for parameter in [p for p, h in types_of.items() if bears_id(h)]:
            is_any = Entity in types_of.values()
            for entity in ENTITIES if is_any else [None]:
                yield Probe(name, fn, parameter, entity)


def value_for(parameter: str, hint: Any, world: World, entity: Entity | None) -> Any:
    """A value for a parameter, ids out of this world. LookupError says what to teach this file."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = next(a for a in args if a is not type(None))
        return value_for(parameter, inner, world, entity) if bears_id(inner) else None
    if hint is UUID:
        return world.id_for(parameter, entity.name if entity else "")
    if origin in (Sequence, Iterable, list) and bears_id(args[0]):
        return world.moved if args[0] is Moved else [value_for(parameter, args[0], world, entity)]
    if origin is Mapping and args[0] is UUID:
        return {world.ids["record_id"]: world.ids["stage_id"]}
    if origin is tuple and args[0] is str:
        return ("opportunity", world.ids["record_id"])
    if hint is With:
        return With(opportunity_id=world.ids["opportunity_id"])
    if hint is Asked:
        return Asked(record_id=world.ids["record_id"])
    if hint is Closing:
        return Closing(reason_id=world.ids["reason_id"], competitor_id=world.ids["competitor_id"])
    return _plain(parameter, hint, entity)


_NAMED = {
    "email": "somebody.new@example.com",
    "one": outline.source("x", "x", "x.csv", "", 1, "", []) | {"entity": "account"},
}


def _plain(parameter: str, hint: Any, entity: Entity | None) -> Any:
    if hint is Entity:
        return entity
    if parameter == "entity":
        return entity.name if entity else "opportunity"
    if parameter == "kind" and hint is str:
        return "call"
    if _is_mark(hint):
        return datetime.now(UTC), new_id()
    if parameter in _NAMED:
        return _NAMED[parameter]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[-1]
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    simple: dict[Any, Any] = {
        str: "x", int: 1, bool: True, Decimal: Decimal(1), datetime: datetime.now(UTC), Filters: Filters(),
        timedelta: timedelta(hours=1), Path: Path("/dev/null"), NoticeKind: JOB_DONE, View: View(), Any: None,
    }  # fmt: skip
    if hint in simple:
        return simple[hint]
    if get_origin(hint) is Callable:
        return lambda value: value
    if (get_origin(hint) or hint) in (dict, Mapping):
        return {}
    if get_origin(hint) in (Sequence, Iterable, list):
        return []
    raise LookupError(f"no value is known for {parameter}: {hint}; add it to tests/isolation/test_services.py")


def told(value: Any) -> Iterator[UUID | str]:
    """Every id and text in an answer, however deep."""
    if isinstance(value, UUID | str):
        yield value
    elif isinstance(value, Mapping):
        for k, v in value.items():
            yield from told(k)
            yield from told(v)
    elif is_dataclass(value) and not isinstance(value, type):
        for f in fields(value):
            yield from told(getattr(value, f.name))
    elif isinstance(value, SQLModel):
        yield from told(dict(value.__dict__))
    elif hasattr(value, "_mapping"):
        yield from told(dict(value._mapping))
    elif isinstance(value, Iterable) and not isinstance(value, bytes | date):
        for v in value:
            yield from told(v)


async def call(uow: UnitOfWork, probe: Probe, ours: World, hers: World) -> Any:
    """With our id in the one place and hers everywhere else."""
    given = {}
    for name, hint in hints(probe.fn).items():
        parameter = inspect.signature(probe.fn).parameters[name]
        is_optional = parameter.default is not inspect.Parameter.empty
        if is_optional and name != probe.parameter and (not bears_id(hint) or name == "parent_id"):
            continue
        given[name] = value_for(name, hint, ours if name == probe.parameter else hers, probe.entity)
    return await probe.fn(uow, **given)


@pytest.mark.parametrize("probe", list(probes()), ids=str)
async def test_she_learns_and_changes_nothing(ours, hers, probe):
    before = await picture(ours.actor.tenant_id)
    answer: Any = None
    try:
        async with unit_of_work(hers.actor) as uow:
            answer = await call(uow, probe, ours, hers)
            raise _Enough  # what she did to herself is taken back
    except (CrmError, _Enough):
        pass
    except DBAPIError as error:
        assert probe.name in REFUSED_BY_KEY, error
        assert isinstance(error.orig, psycopg.errors.ForeignKeyViolation)
    if probe.parameter == "operation_id":  # of the browser's making, and repeated in the answer
        ours = replace(ours, everything=ours.everything - {ours.ids["operation_id"]})
    leaked = {t for t in told(answer) if (t in ours.everything if isinstance(t, UUID) else ours.secret in t)}
    assert leaked == set()
    assert await picture(ours.actor.tenant_id) == before


class _Enough(Exception):
    pass


def test_there_are_probes_for_every_area():
    names = {p.name.partition(".")[0] for p in probes()}
    assert {"activities", "people", "platform", "sales"} <= names
    assert len({p.name for p in probes()}) > 50


def test_exceptions_are_still_there():
    known = {name for name, _ in service_functions()}
    modules = {n.rpartition(".")[0] for n in known} | {
        m.name.removeprefix("crm_app.services.") for m in pkgutil.walk_packages(services.__path__, "crm_app.services.")
    }
    assert {n for n in INNER if n not in known | modules} == set()
    assert known >= REFUSED_BY_KEY


async def test_on_her_own_records_she_may(hers):
    """The calls are real ones: what was refused above was refused for the foreign id alone."""
    refused = {}
    for probe in probes():
        try:
            async with unit_of_work(hers.actor) as uow:
                await call(uow, probe, hers, hers)
                raise _Enough
        except _Enough:
            continue
        except (CrmError, DBAPIError) as refusal:
            refused[str(probe)] = str(refusal)
    assert len(refused) < len(list(probes())) / 3, refused
