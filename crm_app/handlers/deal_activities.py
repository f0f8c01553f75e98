"""After an activity: the deal knows what was done last and what comes next."""

from uuid import UUID

from crm_app.core.events import StoredEvent, on
from crm_app.models.activities.activities import Activity
from crm_app.services.sales import activity_facts
from crm_app.store.uow import UnitOfWork


@on("activity.created")
@on("activity.updated")
@on("activity.deleted")
@on("activity.restored")
async def refresh_deal(uow: UnitOfWork, fact: StoredEvent) -> None:
    """May run twice: it works the facts out anew. A deal the activity was taken away from is refreshed too."""
    activity = await uow.get(Activity, fact.record_id, in_trash=True)
    before = (fact.payload.get("diff") or {}).get("opportunity_id") or []
    deals = {activity.opportunity_id, *(UUID(i) for i in before if i)}
    await activity_facts.refresh(uow, [d for d in deals if d is not None])
