"""Statements of the hot paths: compiled once, sent over psycopg itself. One costs a third of what it does through a
session, and several can share one way to the database and back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn
from weakref import WeakSet

import psycopg
import sqlalchemy as sa
from psycopg import AsyncConnection, AsyncCursor
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.rows import dict_row
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]
Rows = list[dict[str, Any]]
_dialect = PGDialectAsync_psycopg()
_made: "WeakSet[Ready]" = WeakSet()
watchers: list[Callable[[str], None]] = []  # told of every statement: the engine's events do not see these


class Ready:
    """A Core statement whose values are all `bindparam`s, or columns that it writes (`writes`). Lists go in as arrays
    (`= ANY (...)`): a list spelt out would be another statement for each length."""

    def __init__(self, statement: sa.Executable, *, writes: Sequence[str] | None = None) -> None:
        self.statement, self.writes = statement, writes
        _made.add(self)

    def prepare(self) -> None:
        """Compile it now instead of at its first use."""
        assert self.sql is not None and self._given is not None and self._in is not None and self._out is not None

    @cached_property
    def _compiled(self) -> SQLCompiler:
        keys = None if self.writes is None else list(self.writes)
        compiled = self.statement.compile(dialect=_dialect, column_keys=keys)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        return compiled

    @cached_property
    def sql(self) -> bytes:
        return str(self._compiled).encode()

    @cached_property
    def _given(self) -> dict[str, Any]:
        """Values that stand in the statement itself."""
        compiled = self._compiled
        return {n: p.effective_value for p, n in compiled.bind_names.items() if not p.required and n not in self._asked}

    @cached_property
    def _asked(self) -> frozenset[str]:
        return frozenset(self.writes or ()) | {n for p, n in self._compiled.bind_names.items() if p.required}

    @cached_property
    def _in(self) -> dict[str, Callable[[Any], Any]]:
        made = (
            (n, p.type.dialect_impl(_dialect).bind_processor(_dialect)) for p, n in self._compiled.bind_names.items()
        )
        return {n: process for n, process in made if process is not None}

    @cached_property
    def _out(self) -> dict[str, Callable[[Any], Any]]:
        """Types of our own; all others are psycopg's."""
        own = {c.keyname: c.type for c in self._compiled._result_columns if isinstance(c.type, sa.types.TypeDecorator)}
        made = ((n, t.result_processor(_dialect, None)) for n, t in own.items())
        return {n: process for n, process in made if process is not None}

    def _values(self, values: Values) -> dict[str, Any]:
        if values.keys() != self._asked:
            raise TypeError(f"values {sorted(values)} for a statement that asks for {sorted(self._asked)}")
        whole = {**self._given, **values}
        for name, process in self._in.items():
            whole[name] = process(whole[name])
        return whole

    async def send(self, driver: AsyncConnection[Any], values: Values) -> AsyncCursor[dict[str, Any]]:
        for told in watchers:
            told(self.sql.decode())
        cursor = driver.cursor(row_factory=dict_row)
        return await cursor.execute(self.sql, self._values(values))

    async def rows(self, cursor: AsyncCursor[dict[str, Any]]) -> Rows:
        if cursor.description is None:
            return []
        found = await cursor.fetchall()
        for name, process in self._out.items():
            for row in found:
                row[name] = process(row[name])
        return found


def made() -> list[Ready]:
    """Every statement there is."""
    return list(_made)


async def run(driver: AsyncConnection[Any], asked: Sequence[tuple[Ready, Values]]) -> list[Rows]:
    """All of them in this order on one way to the database and back; what each found. Errors are psycopg's."""
    if len(asked) == 1 and driver.pgconn.transaction_status != TransactionStatus.IDLE:  # else BEGIN goes along
        statement, values = asked[0]
        return [await statement.rows(await statement.send(driver, values))]
    try:
        async with driver.pipeline():
            cursors = [await statement.send(driver, values) for statement, values in asked]
    except BaseException:
        if is_stuck(driver):
            driver.pgconn.finish()
        raise
    return [await s.rows(c) for (s, _), c in zip(asked, cursors, strict=True)]


def is_stuck(driver: AsyncConnection[Any]) -> bool:
    """Whether a pipeline was left before all its answers had come, as psycopg leaves one that is cancelled at the wrong
    moment: whoever asked next would be given them."""
    return driver.pgconn.pipeline_status != PipelineStatus.OFF


def refuse(connection: sa.Connection, error: psycopg.Error, asked: Sequence[tuple[Ready, Values]]) -> NoReturn:
    """The error as SQLAlchemy raises it; a connection that is lost leaves the pool, with all that are as old."""
    told = "; ".join(s.sql.decode() for s, _ in asked)
    connection._handle_dbapi_exception(error, told, None, None, None)


def array(name: str, type_: Any) -> sa.BindParameter[Any]:
    """A parameter that takes a list."""
    return sa.bindparam(name, type_=sa.ARRAY(type_, dimensions=1))  # else a list of JSON lists is taken for a matrix


def one_of(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """`column` among the list that is given as `name`."""
    found: sa.ColumnElement[bool] = column == sa.any_(array(name, column.type))
    return found


def params(columns: Iterable[sa.Column[Any]]) -> dict[str, sa.BindParameter[Any]]:
    return {c.name: sa.bindparam(c.name, type_=c.type) for c in columns}
