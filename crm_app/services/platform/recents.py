"""The records that somebody opened last, on whatever machine."""

from uuid import UUID

import sqlalchemy as sa

from crm_app.services.platform import finding
from crm_app.services.platform.finding import Hit
from crm_app.store.uow import UnitOfWork

# The last twelve: what is opened again comes first and is not kept twice.
_NOTE = sa.text("""
    INSERT INTO recent_records AS mine (tenant_id, id, records)
    VALUES (:tenant, :person, jsonb_build_array(CAST(:entry AS text)))
    ON CONFLICT (tenant_id, id) DO UPDATE
    SET records = jsonb_path_query_array(excluded.records || (mine.records - CAST(:entry AS text)), '$[0 to 11]')
    WHERE mine.records ->> 0 IS DISTINCT FROM CAST(:entry AS text)
""")
_MINE = sa.text("SELECT records FROM recent_records WHERE id = :person")


async def note(uow: UnitOfWork, kind: str, record_id: UUID) -> Hit | None:
    """Remember that the actor has this record open, and name it; None, and nothing is remembered, when it is gone or
    not for them."""
    if uow.actor.user_id is None:
        return None
    named = await finding.named(uow, [(kind, record_id)])
    if not named:
        return None
    entry = {"entry": f"{kind}:{record_id}", "tenant": uow.actor.tenant_id, "person": uow.actor.user_id}
    await uow.execute(_NOTE, entry)
    return named[0]


async def recent(uow: UnitOfWork, *, limit: int = 8, but: tuple[str, UUID] | None = None) -> list[Hit]:
    """The last ones that are still there and still theirs to see, without `but`."""
    kept = await uow.scalar(_MINE, {"person": uow.actor.user_id}) or []
    wanted = [(kind, UUID(record_id)) for kind, _, record_id in (entry.partition(":") for entry in kept)]
    return (await finding.named(uow, [w for w in wanted if w != but]))[:limit]
