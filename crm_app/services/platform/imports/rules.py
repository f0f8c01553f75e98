"""What an import must know of an entity beyond its declaration: services/<area>/import_rules.py registers it here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from crm_app.core.registry import FieldSpec
from crm_app.services.platform.imports.frames import pl
from crm_app.store.uow import UnitOfWork

if TYPE_CHECKING:
    from crm_app.services.platform.imports.rows import Rows


Follow = Callable[[UnitOfWork, Iterable[UUID]], Awaitable[Any]]


class ImportRules:
    """Subclass per entity and register an instance. The default is an entity whose declaration says it all."""

    extra: ClassVar[tuple[FieldSpec, ...]] = ()  # further fields that a file may fill and `complete` understands
    writable: ClassVar[frozenset[str]] = frozenset()  # read-only fields that a file may fill nevertheless
    within: ClassVar[Mapping[str, str]] = {}  # link -> the link whose record the linked one must belong to
    follows: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # field -> written by updates only when one of these changes
    late: ClassVar[frozenset[str]] = frozenset()  # required fields that `before_write` fills
    keeps_guards: ClassVar[bool] = False  # `complete` says what the entity's guards say, for all rows at once
    parts: ClassVar[tuple[Any, ...]] = ()  # models of records that go with the entity's when it is removed
    shadows: ClassVar[tuple[Any, ...]] = ()  # the same, but the database itself removes them
    headings: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # field -> what files call it beside its label
    permission: ClassVar[str] = ""  # asked for instead of <entity>.import
    leads: ClassVar[Mapping[str, Follow]] = {}  # link -> works out anew what it points or pointed to
    sum_of: ClassVar[str] = ""  # money field whose sum by currency is announced, and checked after the run

    async def complete(self, uow: UnitOfWork, rows: Rows) -> None:
        """Fill what follows from what was given, reject rows that break a rule. Runs once for all rows."""

    async def before_write(self, uow: UnitOfWork, frame: pl.DataFrame) -> pl.DataFrame:
        """Last values that only the run may take, such as running numbers."""
        return frame

    async def children(self, rows: Rows) -> dict[Any, pl.DataFrame]:
        """Records that belong to the new ones and go with them: model -> rows with an `id` and the parent's link."""
        return {}


_rules: dict[str, ImportRules] = {}


def register(entity_name: str, rules: ImportRules) -> None:
    _rules[entity_name] = rules


def rules_of(entity_name: str) -> ImportRules:
    return _rules.get(entity_name) or ImportRules()
