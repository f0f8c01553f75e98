"""Bringing people into the workspace: an invitation, and its acceptance with a password."""

import logging
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from crm_app.core.context import Actor
from crm_app.core.errors import Conflict, Invalid
from crm_app.integrations import smtp
from crm_app.integrations.smtp import MailRefused
from crm_app.models.people.sessions import LinkPurpose, SignInWay
from crm_app.models.people.users import User, UserStatus
from crm_app.models.platform.workspaces import Workspace
from crm_app.services.people import checks, letters, links, passwords, sessions, users
from crm_app.store.identity import LinkRow
from crm_app.store.uow import UnitOfWork, unit_of_work

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Handed:
    """A link on its way. `url` is empty when a letter brings it; else it is to be shown, once, to the one who asked.

    `why` says what kept the letter from leaving.
    """

    user_id: UUID
    email: str
    url: str = ""
    why: str = ""


async def invite(actor: Actor, *, email: str, role_id: UUID, team_id: UUID | None = None, name: str = "") -> Handed:
    """Add the person and send the link, or hand it back where no mail leaves. Again for one who has not come yet."""
    async with unit_of_work(actor) as uow:
        user = await _expected(uow, email, role_id, team_id, name)
        token = await links.make(uow, user.id, LinkPurpose.invite)
        space = await uow.scalar(sa.select(col(Workspace.name)).where(col(Workspace.id) == actor.tenant_id))
    url = links.address(token, LinkPurpose.invite, workspace=space)
    letter = letters.invitation(to=user.email, workspace=space, by=actor.name or "A colleague", url=url)
    return await hand_over(user, url, letter)


async def hand_over(user: User, url: str, letter: smtp.Mail) -> Handed:
    """Send the letter; where that cannot be, hand the link to the one who asked. Outside any unit of work."""
    if not smtp.is_configured():
        return Handed(user.id, user.email, url, "This installation sends no mail. Pass the link on yourself.")
    try:
        await smtp.mailer().send(letter)
    except MailRefused as refused:
        log.warning("a letter to a user did not leave: %s", refused)
        return Handed(user.id, user.email, url, f"{refused} Pass the link on yourself.")
    return Handed(user.id, user.email)


async def _expected(uow: UnitOfWork, email: str, role_id: UUID, team_id: UUID | None, name: str) -> User:
    uow.require("user.manage")
    address = checks.email_address(email)
    known = await users.with_email(uow, address)
    if known is None:
        shown = name.strip() or address.partition("@")[0]
        return await users.add(uow, name=shown, email=address, role_id=role_id, team_id=team_id)
    if known.status is not UserStatus.invited:
        raise Invalid(email=f"{known.name} is in this workspace already")
    return await users.change(uow, known.id, role_id=role_id, team_id=team_id)


async def look_up(token: str) -> LinkRow:
    """Who is invited where; LinkExpired when the link is no good any more."""
    return await links.look_up(token, LinkPurpose.invite)


async def accept(token: str, *, name: str, password: str, ip: str = "", user_agent: str = "") -> str:
    """Take the place: name and password, and a session; its token for the cookie. LinkExpired or Invalid."""
    row = await look_up(token)
    passwords.check_new(password, row.email)
    hashed = await passwords.hash_password(password)
    async with unit_of_work(links.bearer(row, ip=ip, user_agent=user_agent)) as uow:
        await links.use(uow, row.link_id)
        user = await uow.get(User, row.user_id, lock=True)
        if user.status is not UserStatus.invited:
            raise Conflict("This invitation was taken already. Sign in instead.")
        user.name = checks.required_text("name", name, 120)
        user.password_hash, user.status = hashed, UserStatus.active
        await uow.flush()
        users.tell(uow, user, "updated", {"status": [UserStatus.invited.value, UserStatus.active.value]})
        return await sessions.open_session(uow, user.id, way=SignInWay.invitation)
