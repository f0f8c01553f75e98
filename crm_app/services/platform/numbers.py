"""Running numbers of documents, one series a key and workspace, without gaps from lost races."""

from sqlalchemy.dialects.postgresql import insert

from crm_app.models.base import new_id, table_of
from crm_app.models.platform.workspaces import NumberSeries
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


async def document_number(uow: UnitOfWork, prefix: str) -> str:
    """The next number in the house form: OPP-2026-0412."""
    year = uow.today.year
    number = await take(uow, f"{prefix}:{year}")
    return f"{prefix}-{year}-{number:04d}"
