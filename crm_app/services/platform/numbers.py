"""Running numbers of documents, one series a key and workspace, without gaps from lost races."""

from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from crm_app.models.base import new_id, table_of
from crm_app.models.platform.workspaces import NumberSeries
from crm_app.store.ready import Ready
from crm_app.store.uow import UnitOfWork


async def take(uow: UnitOfWork, key: str, count: int = 1) -> int:
    """The first of `count` fresh numbers. The series stays locked until the transaction ends, so take it late."""
    table = table_of(NumberSeries)
    statement = (
        insert(table)
        .values(tenant_id=uow.actor.tenant_id, id=new_id(), key=key, next_value=1 + count)
        .on_conflict_do_update(index_elements=["tenant_id", "key"], set_={"next_value": table.c.next_value + count})
        .returning(table.c.next_value)
    )
    following: int = await uow.scalar(statement)
    return following - count


async def document_number(uow: UnitOfWork, prefix: str, column: sa.Column[str]) -> str:
    """The next number in the house form, OPP-2026-0412, that no living record has in `column`: people and imports bring
    numbers of their own. The series then goes on behind the highest of these."""
    start = f"{prefix}-{uow.today.year}-"
    key = f"{prefix}:{uow.today.year}"
    mine = {"tenant_id": uow.actor.tenant_id, "key": key}
    while True:
        found = (await uow.ready(_next(column), id=new_id(), start=start, **mine))[0]
        if not found["is_taken"]:
            return str(found["number"])
        living = sa.select(column).where(column.startswith(start, autoescape=True), column.table.c.deleted_at.is_(None))
        counts = [n.removeprefix(start) for n in (await uow.execute(living)).scalars()]
        highest = max(int(c) for c in counts if c.isascii() and c.isdigit())
        await _go_on_behind(uow, key, highest)


@cache
def _next(column: sa.Column[str]) -> Ready:
    """Takes the next number of a series; whether a living record has it in `column`."""
    table = table_of(NumberSeries)
    params = {n: sa.bindparam(n, type_=table.c[n].type) for n in ("tenant_id", "id", "key")}
    taken = (
        insert(table)
        .values(**params, next_value=sa.literal_column("2"))
        .on_conflict_do_update(index_elements=["tenant_id", "key"], set_={"next_value": table.c.next_value + 1})
        .returning((table.c.next_value - 1).label("count"))
        .cte("taken")
    )
    digits = sa.cast(taken.c.count, sa.Text())
    padded = sa.case((taken.c.count < 1000, sa.func.lpad(digits, 4, "0")), else_=digits)
    numbered = sa.select(sa.bindparam("start", type_=sa.Text()).concat(padded).label("number")).cte("numbered")
    living = sa.exists().where(column == numbered.c.number, column.table.c.deleted_at.is_(None))
    return Ready(sa.select(numbered.c.number, living.label("is_taken")))


async def _go_on_behind(uow: UnitOfWork, key: str, number: int) -> None:
    table = table_of(NumberSeries)
    await uow.execute(sa.update(table).where(table.c.key == key).values(next_value=number + 1))
