"""What every table shares: identity, tenant, stamps, version; and the helpers that mark a column's kind."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
import uuid_utils
import uuid_utils.compat as uuids
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlmodel import Field, SQLModel

from crm_app.core.clock import utcnow

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
TZ = sa.DateTime(timezone=True)
Derived = Mapping[str, Callable[[Mapping[str, Any]], Any]]


def new_id() -> UUID:
    """UUID v7: sorts by creation; shows the creation time, so never a secret."""
    return uuids.uuid7()


def new_id_texts(count: int) -> list[str]:
    """Many ids at once, as text: a fifth of the time, for rows that go to the database by COPY."""
    make = uuid_utils.uuid7
    return [str(make()) for _ in range(count)]


class TenantScoped(SQLModel):
    """A row of one workspace. The unit of work stamps `tenant_id`; row-level security keeps it in."""

    tenant_id: UUID = Field(default=None, primary_key=True)
    id: UUID = Field(default_factory=new_id, primary_key=True)


class Record(TenantScoped):
    """What a CRM record has: stamps, a version that every change raises, custom fields, the trash."""

    derived: ClassVar[Derived] = {}  # column -> how it follows from the row's other values

    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    created_by_id: UUID | None = Field(default=None, sa_column_kwargs={"info": {"target": "user"}})
    updated_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    updated_by_id: UUID | None = Field(default=None, sa_column_kwargs={"info": {"target": "user"}})
    version: int = Field(default=1)
    deleted_at: datetime | None = Field(default=None, sa_type=TZ)
    deleted_by_id: UUID | None = Field(default=None)
    custom: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": sa.text("'{}'")}
    )


def money(currency_field: str = "currency", **kw: Any) -> Any:
    """Integer minor units (bigint: comparisons on it use indexes under row-level security)."""
    return Field(
        sa_type=sa.BigInteger, sa_column_kwargs={"info": {"kind": "money", "currency_field": currency_field}}, **kw
    )


def percent(**kw: Any) -> Any:
    return Field(ge=0, le=100, sa_column_kwargs={"info": {"kind": "percent"}}, **kw)


def link(target: str, *, on_delete: str = "", **kw: Any) -> Any:
    """UUID of a record of `target`; add `tenant_fk` to the table arguments. `on_delete` as FieldSpec has it."""
    return Field(sa_column_kwargs={"info": {"kind": "link", "target": target, "on_delete": on_delete}}, **kw)


def typed(name: str, **kw: Any) -> Any:
    """A field whose kind the type alone does not tell: long_text, email, phone, url."""
    return Field(sa_column_kwargs={"info": {"kind": name}}, **kw)


def json_list() -> Any:
    return Field(default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": sa.text("'[]'")})


def searchable(*columns: str) -> Any:
    """A generated tsvector over folded text; read by crm_search and crm_search_any only (see alembic/sql)."""
    text = " || ' ' || ".join(f"coalesce({c}, '')" for c in columns)
    computed = sa.Computed(f"to_tsvector('simple'::regconfig, crm_fold({text}))", persisted=True)
    info = {"info": {"of": columns}}  # for whom some of them are hidden, is found by the others
    return Field(default=None, sa_type=TSVECTOR, sa_column_args=[computed], sa_column_kwargs=info)


def when(**kw: Any) -> Any:
    """A UTC moment."""
    return Field(sa_type=TZ, **kw)


def choice(enum: type[Any], **kw: Any) -> Any:
    """A StrEnum stored as text: adding a value needs no migration of a database type."""
    return Field(sa_type=_StrEnumType(enum), **kw)


class _StrEnumType(sa.types.TypeDecorator[Any]):
    impl = sa.String
    cache_ok = True

    def __init__(self, enum: type[Any]) -> None:
        super().__init__(length=32)
        self.enum = enum

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else self.enum(value)


def tenant_fk(column: str, parent: str) -> sa.ForeignKeyConstraint:
    """Foreign key over (tenant_id, column): a row of another tenant can never be pointed at."""
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"{parent}.tenant_id", f"{parent}.id"])


def live_index(
    name: str, *columns: Any, where: str = "deleted_at IS NULL", include: Iterable[str] = (), unique: bool = False
) -> sa.Index:
    """An index over (tenant_id, columns...) of the rows that are not in the trash; "x DESC" is understood."""
    parts = [sa.text(c) if isinstance(c, str) and " " in c else c for c in columns]
    return sa.Index(
        name, "tenant_id", *parts, unique=unique, postgresql_where=sa.text(where), postgresql_include=list(include)
    )


def trash_index(table: str) -> sa.Index:
    """What lies in the trash, by when it went there."""
    return live_index(f"ix_{table}_trash", "deleted_at", "id", where="deleted_at IS NOT NULL")


def full_index(name: str, link: str, *columns: str) -> sa.Index:
    """An index of all rows, the trash included, by what a link points to: foreign keys are checked with it when that
    record goes for good, and a partial index is no help there.

    The link stands before the tenant. Behind it, the planner takes this index for checks of the primary key while a
    table has no statistics yet, as in a workspace that imports its first files, and reads the whole tenant each time.
    """
    return sa.Index(name, link, "tenant_id", *(sa.text(c) if " " in c else c for c in columns))


def table_of(model: type[SQLModel]) -> sa.Table:
    """The Core table of a model: what reads select from."""
    table: sa.Table = model.__table__  # type: ignore[attr-defined]
    return table
