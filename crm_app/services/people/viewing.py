"""Looking at everything as another person sees it: to read only, for half an hour at most, written down in the log.

The session answers for that person meanwhile; who looks stays known beside (`Actor.looker_id`), and the database
refuses every write of such a unit of work.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor
from crm_app.core.errors import Conflict, Forbidden, Invalid
from crm_app.models.base import table_of
from crm_app.models.people.sessions import UserSession
from crm_app.models.people.users import Role, User, UserStatus
from crm_app.services.people import sessions
from crm_app.services.people.roles import require_role
from crm_app.services.platform import audit
from crm_app.store.uow import UnitOfWork, unit_of_work

LONGEST = timedelta(minutes=30)
_sessions: Any = table_of(UserSession)


async def begin(uow: UnitOfWork, user_id: UUID) -> str:
    """From the next click on this session looks as that person, who is named. Nobody looks as one who may do more."""
    uow.require("user.view_as")
    actor = uow.actor
    if actor.session_id is None:
        raise Forbidden("Only a person in a browser looks as another one.", permission="user.view_as")
    person = await uow.get(User, user_id)
    if person.id == actor.user_id:
        raise Invalid(user_id="is yourself")
    if person.status is not UserStatus.active:
        raise Conflict(f"{person.name} cannot come in, so there is nothing to see. Choose somebody who can.")
    role = await uow.get(Role, person.role_id)
    require_role(actor, role)
    until = uow.now + LONGEST
    here = sa.and_(_sessions.c.id == actor.session_id, _sessions.c.user_id == actor.user_id)
    await uow.execute(sa.update(_sessions).where(here).values(viewing_id=person.id, viewing_until=until))
    await audit.note(uow, "user", person.id, "view", {"until": until.isoformat()})
    return person.name


async def end(actor: Actor) -> None:
    """Oneself again. Who does not look as another one is that already."""
    if actor.looker_id is None:
        return
    looked_as = actor.user_id
    assert looked_as is not None
    async with unit_of_work(sessions.themselves(actor)) as uow:
        here = _sessions.c.id == actor.session_id
        await uow.execute(sa.update(_sessions).where(here).values(viewing_id=None, viewing_until=None))
        await audit.note(uow, "user", looked_as, "view_end", {})
