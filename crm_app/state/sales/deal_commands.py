"""What the search palette offers on a deal beside the buttons of its page."""

from collections.abc import Sequence
from uuid import UUID

from crm_app.services.sales import stages
from crm_app.state.base import notice_action
from crm_app.state.platform.commands import Command
from crm_app.state.sales.deal import DealState
from crm_app.store.uow import UnitOfWork

_MOVE = "to_stage"


async def move_on(uow: UnitOfWork, record_id: UUID) -> Sequence[Command]:
    """The stage that comes next."""
    if not uow.actor.can("opportunity.move"):
        return ()
    coming = await stages.next_of(uow, record_id)
    return [] if coming is None else [Command(f"Move to {coming.name}", payload=f"{_MOVE}:{coming.id}")]


notice_action(_MOVE, DealState.go_to)
