"""One transaction, one actor: the only way to the database outside migrations, and the only place that commits."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.errors import DeadlockDetected, ReadOnlySqlTransaction, SerializationFailure
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.util import await_only
from sqlmodel import SQLModel

from crm_app.core import registry
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.errors import Forbidden, NotFound
from crm_app.core.events import DomainEvent, is_heard
from crm_app.core.text import label_of
from crm_app.models.base import Record, TenantScoped, new_id, table_of
from crm_app.store import queue, ready
from crm_app.store.engine import engine
from crm_app.store.ready import Ready, Rows, Values
from crm_app.store.visibility import grounds, is_wide, visible

M = TypeVar("M", bound=SQLModel)
T = TypeVar("T")
LIVE_CHANNEL = "crm_live"
_depth: ContextVar[int] = ContextVar("open_units_of_work", default=0)
_MOST_LIVE = 40  # more changed records than this in one transaction: screens are told to read anew
_CONTEXT = Ready(
    sa.text(
        "SELECT set_config('app.tenant_id', :tenant, true), set_config('app.user_id', :user, true),"
        " set_config('app.source', :source, true), set_config('app.ip', :ip, true),"
        " set_config('app.user_agent', :agent, true), set_config('app.request_id', :request, true),"
        " crm_schema_version(CAST(:tenant AS uuid)) AS schema_version"
    )
)
_READ_ONLY = Ready(sa.text("SET TRANSACTION READ ONLY"))
_RENEW = sa.text("UPDATE workspace SET schema_version = :version WHERE id = :tenant")
_NOTIFY = Ready(sa.text("SELECT pg_notify(:channel, :payload)"))
_STORE = Ready(
    sa.text("""
    WITH stored AS (
      INSERT INTO event (tenant_id, id, name, entity, record_id, payload, user_id, depth, created_at)
      SELECT tenant_id, id, name, entity, record_id, payload, user_id, depth, created_at
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(tenant_id uuid, id uuid, name text, entity text,
        record_id uuid, payload jsonb, user_id uuid, depth int, created_at timestamptz)
    )
    SELECT CASE WHEN CAST(:payload AS text) IS NOT NULL THEN pg_notify(:channel, :payload) END
""")
)


class ActorSession(Session):
    """A session that tells PostgreSQL who acts, and stamps what it writes."""


@event.listens_for(ActorSession, "after_begin")
def _tell_postgres(session: Session, transaction: SessionTransaction, connection: sa.Connection) -> None:
    if transaction.nested:  # a savepoint keeps the settings of its transaction
        return
    actor: Actor = session.info["actor"]  # KeyError: a session opened outside unit_of_work
    values = {
        "tenant": str(actor.tenant_id),
        "user": str(actor.user_id or ""),
        "source": actor.source.value,
        "ip": actor.ip,
        "agent": actor.user_agent[:300],
        "request": actor.request_id,
    }
    driver: Any = connection.connection.driver_connection
    session.info["driver"] = driver
    try:
        asked = [(_CONTEXT, values), (_READ_ONLY, {})] if actor.looker_id else [(_CONTEXT, values)]
        told = await_only(ready.run(driver, asked))
    except psycopg.Error as error:
        ready.refuse(connection, error, [(_CONTEXT, values)])
    session.info["schema_version"] = told[0][0]["schema_version"]


@event.listens_for(ActorSession, "before_flush")
def _stamp(session: Session, *_: Any) -> None:
    actor: Actor = session.info["actor"]
    now: datetime = session.info["now"]
    for row in session.new:
        if isinstance(row, TenantScoped):
            row.tenant_id = actor.tenant_id
        if isinstance(row, Record):
            row.created_at = row.updated_at = now
            row.created_by_id = row.updated_by_id = actor.user_id
            _derive(row)
    for row in session.dirty:
        if isinstance(row, Record) and session.is_modified(row):
            row.updated_at, row.updated_by_id = now, actor.user_id
            row.version += 1
            _derive(row)


def _derive(row: Record) -> None:
    for column, follow in type(row).derived.items():
        setattr(row, column, follow(row.__dict__))


class UnitOfWork:
    """Reads and writes of one actor in one transaction. `now` is fixed at its start; `today` is the actor's day."""

    def __init__(self, session: AsyncSession, actor: Actor, now: datetime, depth: int, is_silent: bool) -> None:
        self.session, self.actor, self.now, self.depth, self.is_silent = session, actor, now, depth, is_silent
        self.today: date = actor.day_of(now)
        self._facts: list[DomainEvent] = []
        self._live: dict[tuple[str, UUID], dict[str, Any]] = {}
        self._stale: set[str] = set()
        self._people: set[UUID] = set()
        self._last: list[tuple[Ready, Values]] = []

    def require(self, permission: str) -> None:
        """Forbidden, in words that say who can help, unless the actor's role has the permission."""
        if not self.actor.can(permission):
            noun, _, verb = permission.partition(".")
            raise Forbidden(
                f"Your role does not let you {verb.replace('_', ' ')} {label_of(noun).lower()} records."
                " An admin can change that under Settings, Roles.",
                permission=permission,
            )

    async def get(
        self,
        model: type[M],
        record_id: UUID,
        *,
        lock: bool = False,
        to_write: bool = False,
        in_trash: bool = False,
    ) -> M:
        """The record, if the actor may know of it; else NotFound. `lock` holds it until the transaction ends; with it,
        or `to_write`, a record that is shown to the actor to read only is Forbidden."""
        table = table_of(model)
        query = sa.select(model).where(table.c.id == record_id)
        entity = registry.of_model(model)
        if issubclass(model, Record) and not in_trash:
            query = query.where(table.c.deleted_at.is_(None))
        if entity is not None and (seen := visible(entity, self.actor)) is not None:
            query = query.where(seen)
        if lock:  # and read anew: what this session saw of it before may be old
            query = query.with_for_update().execution_options(populate_existing=True)
        row: M | None = (await self.session.execute(query)).scalar_one_or_none()
        if row is None:
            label = entity.label if entity else label_of(model.__name__)
            raise NotFound(f"This {label.lower()} does not exist, or you may not see it.")
        if entity is not None and (lock or to_write):
            await self._require_writable(entity, row)
        return row

    async def _require_writable(self, entity: registry.Entity, row: Any) -> None:
        """Asked of the few alone to whom more is shown than the owners say."""
        if entity.visibility == "all" or not is_wide(self.actor) or self.actor.sees_owner(row.owner_id):
            return
        theirs = sa.or_(*grounds(entity, self.actor, to_write=True).values())
        if not await self.scalar(sa.select(sa.exists().where(entity.table.c.id == row.id, theirs))):
            raise Forbidden(
                f"This {entity.label.lower()} is shown to you to read. Who owns it can let you change it.",
                permission=f"{entity.name}.update",
            )

    async def rows(self, query: sa.Executable, values: Any = None) -> Sequence[sa.Row[*tuple[Any, ...]]]:
        """Core rows: what lists and boards read."""
        return (await self.session.execute(query, values)).all()

    async def named(self, query: sa.Executable, values: Any = None) -> list[dict[str, Any]]:
        """Rows by column name; reading them costs a quarter of what it does in the mappings of SQLAlchemy."""
        result = await self.session.execute(query, values)
        names = tuple(result.keys())
        return [dict(zip(names, row, strict=True)) for row in result.all()]

    async def scalar(self, query: sa.Executable, values: Any = None) -> Any:
        return (await self.session.execute(query, values)).scalar()

    async def execute(self, statement: sa.Executable, values: Any = None) -> sa.Result[Any]:
        return await self.session.execute(statement, values)

    async def write(self, statement: sa.Executable, values: Any = None) -> int:
        """How many rows the insert, update or delete wrote."""
        done = await self.session.execute(statement, values)
        return int(done.rowcount)  # type: ignore[attr-defined]  # SQLAlchemy types what is read alone

    async def driver(self) -> Any:
        """The psycopg connection of this transaction, for COPY."""
        if "driver" not in self.session.info:
            await self.session.connection()
        return self.session.info["driver"]

    async def ready(self, statement: Ready, **values: Any) -> Rows:
        """Rows by column name: what the few statements read and write that every drop runs."""
        return (await self.together((statement, values)))[0]

    async def together(self, *asked: tuple[Ready, Values]) -> list[Rows]:
        """Several statements on one way to the database and back, in this order; none may need what another finds."""
        driver = await self.driver()
        try:
            return await ready.run(driver, asked)
        except psycopg.Error as error:
            connection = await self.session.connection()
            await connection.run_sync(ready.refuse, error, asked)
            raise

    async def schema_version(self) -> UUID | None:
        """Which fields the workspace has, as of the start of this transaction; another one after every change."""
        if "schema_version" not in self.session.info:
            await self.session.connection()
        version: UUID | None = self.session.info["schema_version"]
        return version

    async def renew_schema(self) -> None:
        """The fields of the workspace are others from this transaction on, and within it."""
        version = new_id()
        await self.session.execute(_RENEW, {"version": version, "tenant": self.actor.tenant_id})
        self.session.info["schema_version"] = version

    def add(self, record: SQLModel) -> None:
        self.session.add(record)

    async def flush(self) -> None:
        await self.session.flush()

    @asynccontextmanager
    async def part(self) -> AsyncIterator[None]:
        """A part of the work that may fail alone: what it wrote and told is taken back, and the rest goes on."""
        facts, live, stale, people = len(self._facts), dict(self._live), set(self._stale), set(self._people)
        try:
            async with self.session.begin_nested():
                await self.session.connection()  # the savepoint is set now: not every statement asks the session
                yield
                await self.session.flush()
        except BaseException:
            del self._facts[facts:]
            self._live, self._stale, self._people = live, stale, people
            raise

    def emit(self, fact: DomainEvent) -> None:
        """Store a fact with this transaction; its handlers run after it, each in one of its own."""
        if not self.is_silent:
            self._facts.append(fact)

    def at_end(self, statement: Ready, **values: Any) -> None:
        """Send this when the transaction is about to end, on one way with the facts."""
        self._last.append((statement, values))

    def changed(self, entity: str, record_id: UUID, version: int, action: str = "updated") -> None:
        """Tell open screens at commit that this record is another one now (created | updated | deleted)."""
        self._live[entity, record_id] = {"e": entity, "i": str(record_id), "v": version, "a": action}

    def changed_many(self, entity: str) -> None:
        """Tell open screens at commit that many records of this kind changed: they read anew."""
        self._stale.add(entity)

    def tell_person(self, user_id: UUID) -> None:
        """Tell this person's open screens at commit that there is news for them alone."""
        self._people.add(user_id)

    async def finish(self) -> None:
        """Write what was emitted; called by unit_of_work before it commits."""
        await self.session.flush()
        message = self._live_message()
        rows = self._fact_rows()
        if rows:
            self.at_end(_STORE, rows=json.dumps(rows), channel=LIVE_CHANNEL, payload=message or None)
        elif message:
            self.at_end(_NOTIFY, channel=LIVE_CHANNEL, payload=message)
        if self._last:
            await self.together(*self._last)
        heard = [r["id"] for r in rows if is_heard(r["name"])]
        if heard:  # one job for all of them
            await queue.defer(await self.driver(), queue.DELIVER, tenant_id=str(self.actor.tenant_id), event_ids=heard)

    def _fact_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "tenant_id": str(self.actor.tenant_id),
                "id": str(new_id()),
                "name": f.name,
                "entity": f.entity,
                "record_id": str(f.record_id),
                "payload": f.payload(),
                "user_id": str(self.actor.user_id) if self.actor.user_id else None,
                "depth": self.depth,
                "created_at": self.now.isoformat(),
            }
            for f in self._facts
        ]

    def _live_message(self) -> str:
        """What open screens are told at commit; empty when nothing of theirs changed."""
        live = list(self._live.values())
        if len(live) > _MOST_LIVE:
            self._stale |= {m["e"] for m in live}
            live = []
        if not live and not self._stale and not self._people:
            return ""
        message: dict[str, Any] = {"t": str(self.actor.tenant_id), "u": str(self.actor.user_id or ""), "c": live}
        if self._stale:
            message["s"] = sorted(self._stale)
        if self._people:  # a message holds 8,000 bytes
            message["n"] = [p.hex for p in self._people] if len(self._people) <= _MOST_LIVE else []
        return json.dumps(message, separators=(",", ":"))


def is_open() -> bool:
    """Whether this task is inside a unit of work: the outside world is called only when it is not."""
    return _depth.get() > 0


@asynccontextmanager
async def unit_of_work(
    actor: Actor, *, now: datetime | None = None, depth: int = 0, silent: bool = False
) -> AsyncIterator[UnitOfWork]:
    """Open a transaction for the actor; commit when the block ends, roll back when it raises.

    `now` (aware UTC) is for callers that tell of another moment, as the demo data does; `depth` counts the events that
    led here; `silent` work, as an import, stores no facts, so that no handler runs. Reads commit too: psycopg
    forgets its prepared statements on ROLLBACK.
    """
    moment = now or utcnow()
    info = {"actor": actor, "now": moment}
    session = AsyncSession(engine(), sync_session_class=ActorSession, expire_on_commit=False, info=info)
    _depth.set(_depth.get() + 1)
    try:
        async with session, session.begin():
            uow = UnitOfWork(session, actor, moment, depth, silent)
            yield uow
            await uow.finish()
    except (DBAPIError, psycopg.Error) as error:
        if isinstance(getattr(error, "orig", error), ReadOnlySqlTransaction):
            raise Forbidden(
                f"You look at this as {actor.name}, so nothing is changed. End that first.", permission="user.view_as"
            ) from error
        raise
    finally:
        _depth.set(max(0, _depth.get() - 1))


async def retrying(
    actor: Actor, work: Callable[[UnitOfWork], Awaitable[T]], *, now: datetime | None = None, attempts: int = 4
) -> T:
    """`work(uow)` in a unit of work of its own, begun anew when PostgreSQL ended it to break a deadlock: two people who
    move several deals at once may each hold what the other needs. Nothing of the ended attempt remains."""
    for attempt in range(attempts):
        try:
            async with unit_of_work(actor, now=now) as uow:
                return await work(uow)
        except DBAPIError as error:
            if attempt + 1 == attempts or not isinstance(error.orig, DeadlockDetected | SerializationFailure):
                raise
    raise AssertionError("attempts must be at least 1")


def is_passing(error: Exception) -> bool:
    """Whether the database could not answer just then, so that the same may work in a moment."""
    return isinstance(error, InterfaceError | OperationalError | PoolTimeoutError | OSError)


async def signal(actor: Actor, topic: str, body: dict[str, Any]) -> None:
    """Send a passing word to the tenant's open screens, outside any transaction's result (see store.live.Signal)."""
    if actor.looker_id:
        return
    payload = json.dumps({"t": str(actor.tenant_id), "p": topic, "b": body}, separators=(",", ":"))
    async with engine().begin() as connection:
        await connection.execute(_NOTIFY.statement, {"channel": LIVE_CHANNEL, "payload": payload})
