"""A workspace a team can sell in from the first minute."""

from crm_app.core.context import Source
from crm_app.services.people import workspaces
from crm_app.services.people.workspaces import Founded
from crm_app.services.sales import defaults
from crm_app.store.uow import unit_of_work


async def found(
    *,
    workspace: str,
    name: str,
    email: str,
    password: str,
    currency: str = "USD",
    time_zone: str = "UTC",
    is_demo: bool = False,
    source: Source = Source.ui,
    ip: str = "",
    user_agent: str = "",
) -> Founded:
    """Workspace, roles, admin, team, pipeline, activity types and reasons, in one transaction. Invalid by field."""
    founder = await workspaces.check(
        workspace=workspace, name=name, email=email, password=password, currency=currency, time_zone=time_zone
    )
    actor = workspaces.founding_actor(founder, source=source, ip=ip, user_agent=user_agent)
    async with unit_of_work(actor) as uow:
        founded = await workspaces.sign_up(uow, founder, is_demo=is_demo)
        await defaults.install(uow)
    return founded
