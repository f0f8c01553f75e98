"""What people keep about themselves."""

import logging
from dataclasses import dataclass
from typing import Any

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.errors import Conflict, Invalid
from crm_app.integrations import smtp
from crm_app.integrations.smtp import MailRefused
from crm_app.models.people.users import Role, User
from crm_app.services.people import checks, letters, links, passwords, sessions, users, workspaces
from crm_app.store import identity
from crm_app.store.uow import UnitOfWork, unit_of_work

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Profile:
    """`time_zone` empty means the workspace's, which is `workspace_time_zone`."""

    name: str
    email: str
    title: str
    phone: str
    time_zone: str
    workspace_time_zone: str
    role: str
    workspace: str


async def read(uow: UnitOfWork) -> Profile:
    user = await uow.get(User, _me(uow.actor))
    role = await uow.get(Role, user.role_id)
    space = await workspaces.read(uow)
    return Profile(
        user.name, user.email, user.title, user.phone, user.time_zone, space.time_zone, role.name, space.name
    )


async def change(uow: UnitOfWork, *, name: str, title: str = "", phone: str = "", time_zone: str = "") -> None:
    """Name, title, phone, time zone; Invalid by field. An empty time zone is the workspace's."""
    user = await uow.get(User, _me(uow.actor), lock=True)
    new = {
        "name": checks.required_text("name", name, 120),
        "title": checks.optional_text("title", title, 120),
        "phone": checks.optional_text("phone", phone, 40),
        "time_zone": checks.time_zone(time_zone) if time_zone.strip() else "",
    }
    diff = {k: [getattr(user, k), v] for k, v in new.items() if getattr(user, k) != v}
    if not diff:
        return
    for field, (_, value) in diff.items():
        setattr(user, field, value)
    await uow.flush()
    users.tell(uow, user, "updated", diff)


async def set_preference(uow: UnitOfWork, key: str, value: Any) -> None:
    """Remember how somebody likes a screen; JSON values only."""
    user = await uow.get(User, _me(uow.actor), lock=True)
    user.preferences = {**user.preferences, key: value}


async def change_password(actor: Actor, *, current: str, new: str) -> int:
    """Set a new password after proving the old one; signs out everywhere else: how many places.

    Invalid by field; Throttled like sign-in, for an unlocked screen is no place to guess at.
    """
    async with unit_of_work(actor) as uow:
        user = await uow.get(User, _me(actor))
    await sessions.throttle(user.email_key, actor.ip, utcnow())
    fits, _ = await passwords.verify(current, user.password_hash)
    if not fits:
        raise Invalid(current="is not your password")
    await identity.forget_attempts(user.email_key, checks.network(actor.ip))
    passwords.check_new(new, user.email, field="new")
    if current == new:
        raise Invalid(new="is the password you have; choose another one")
    hashed, seen = await passwords.hash_password(new), user.password_hash
    async with unit_of_work(actor) as uow:
        user = await uow.get(User, _me(actor), lock=True)
        if user.password_hash != seen:
            raise Conflict("Your password was changed in the meantime. Sign in again.")
        user.password_hash = hashed
        await links.close_all(uow, user.id)
        ended = await sessions.revoke_others(uow)
    await _tell(actor, user.email)
    return ended


async def _tell(actor: Actor, email: str) -> None:
    """A letter of warning, where mail leaves; the change stands without it."""
    if smtp.is_configured():
        try:
            await smtp.mailer().send(letters.password_changed(actor, email))
        except MailRefused as refused:
            log.warning("the letter about a changed password did not leave: %s", refused)


def _me(actor: Actor) -> Any:
    assert actor.user_id is not None, "a profile belongs to a person"
    return actor.user_id
