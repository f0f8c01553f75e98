"""A forgotten password: asked for by anybody, brought by mail, or by an admin where no mail leaves.

docs/adr/0030-password-reset-without-mail.md says why no link is kept for an admin to read later.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from crm_app.core.context import Actor
from crm_app.core.errors import Conflict
from crm_app.core.events import DomainEvent
from crm_app.integrations import smtp
from crm_app.integrations.smtp import MailRefused
from crm_app.models.people.sessions import LinkPurpose
from crm_app.models.people.users import User, UserStatus
from crm_app.services.people import checks, letters, links, passwords, sessions, users
from crm_app.services.people.invitations import Handed, hand_over
from crm_app.store import identity
from crm_app.store.identity import Candidate, LinkRow
from crm_app.store.uow import unit_of_work

log = logging.getLogger(__name__)
_MOST_AN_HOUR = 3  # letters to one person


@dataclass(frozen=True, kw_only=True)
class ResetLinkMade(DomainEvent):
    """An admin made a link with which this user's password can be set."""

    name = "user.reset_link_made"
    entity = "user"


async def ask(email: str, *, ip: str = "", user_agent: str = "") -> None:
    """Send a link to everybody who signs in with this address. Says and raises nothing: the caller answers the same
    whether anybody does, and does not wait for it."""
    if not checks.is_email(checks.email_key(email)):
        return
    for candidate in await identity.sign_in_candidates(checks.email_key(email)):
        if candidate.status == UserStatus.active:
            await _answer(candidate, ip, user_agent)


async def _answer(candidate: Candidate, ip: str, user_agent: str) -> None:
    actor = Actor(candidate.tenant_id, candidate.user_id, ip=ip, user_agent=user_agent)
    token = ""
    async with unit_of_work(actor) as uow:
        user = await uow.get(User, candidate.user_id, lock=True)
        if smtp.is_configured():
            if await links.made_since(uow, user.id, LinkPurpose.reset, timedelta(hours=1)) >= _MOST_AN_HOUR:
                return
            token = await links.make(uow, user.id, LinkPurpose.reset)
        else:
            user.reset_asked_at = uow.now
            await uow.flush()
            uow.changed("user", user.id, user.version)
    if token and not await _sent(token):
        async with unit_of_work(actor) as uow:
            (await uow.get(User, candidate.user_id, lock=True)).reset_asked_at = uow.now


async def _sent(token: str) -> bool:
    row = await look_up(token)
    try:
        await smtp.mailer().send(letters.reset(row, links.address(token, LinkPurpose.reset)))
    except MailRefused as refused:
        log.warning("a reset letter did not leave; an admin can help: %s", refused)
        return False
    return True


async def help_in(actor: Actor, user_id: UUID) -> Handed:
    """An admin helps somebody back in: a letter with a link, or the link itself, shown this once."""
    async with unit_of_work(actor) as uow:
        user = await users.managed(uow, user_id)
        if user.status is not UserStatus.active:
            raise Conflict(f"{user.name} is {user.status.value}: invite or enable them instead.")
        user.reset_asked_at = None
        token = await links.make(uow, user.id, LinkPurpose.reset)
        await uow.flush()
        uow.emit(ResetLinkMade(record_id=user.id))
        uow.changed("user", user.id, user.version)
    url = links.address(token, LinkPurpose.reset)
    return await hand_over(user, url, letters.reset(await look_up(token), url))


async def look_up(token: str) -> LinkRow:
    """Whose password it is; LinkExpired when the link is no good any more."""
    return await links.look_up(token, LinkPurpose.reset)


async def reset(token: str, password: str, *, ip: str = "", user_agent: str = "") -> None:
    """Set the new password and end every session. Does not sign in: that takes the new password."""
    row = await look_up(token)
    passwords.check_new(password, row.email)
    hashed = await passwords.hash_password(password)
    async with unit_of_work(links.bearer(row, ip=ip, user_agent=user_agent)) as uow:
        await links.use(uow, row.link_id)
        user = await uow.get(User, row.user_id, lock=True)
        user.password_hash, user.reset_asked_at = hashed, None
        await sessions.revoke_all_of(uow, user.id)
        await links.close_all(uow, user.id)
    await identity.forget_attempts(checks.email_key(row.email))
