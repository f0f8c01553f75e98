"""Sign-in and the sessions it opens. The browser holds a random token in a cookie, we hold its digest."""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor, Source
from crm_app.core.errors import NotFound, Throttled, Unauthenticated
from crm_app.models.base import table_of
from crm_app.models.people.api_keys import ApiToken
from crm_app.models.people.sessions import OneTimeLink, SignInAttempt, SignInWay, UserSession
from crm_app.models.people.users import User, UserStatus
from crm_app.services.people import passwords, sign_ins, standing
from crm_app.services.people.checks import email_key, is_email, network
from crm_app.services.people.roles import expand
from crm_app.settings import settings
from crm_app.store import identity
from crm_app.store.uow import UnitOfWork, unit_of_work

WINDOW = timedelta(minutes=15)
MOST_BY_EMAIL, MOST_BY_IP = 5, 20  # failures within the window
_MOST_DEAD = 10_000
_dead: OrderedDict[str, None] = OrderedDict()  # tokens the database does not know, so as to ask once
_TOUCH_EVERY = timedelta(minutes=1)
_sessions: Any = table_of(UserSession)
_users: Any = table_of(User)
_tokens: Any = table_of(ApiToken)
_links: Any = table_of(OneTimeLink)
_attempts: Any = table_of(SignInAttempt)


class WrongPassword(Unauthenticated):
    """No such address, or not its password: nobody is told which. `left`: further tries before it is throttled."""

    def __init__(self, *, left: int) -> None:
        super().__init__("The e-mail address or the password is not right.")
        self.left = left


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is behind a request, with what the frame of every page shows."""

    actor: Actor
    email: str
    role: str
    workspace: str
    preferences: dict[str, Any]
    looks_until: datetime | None = None  # when somebody who looks as this person is themselves again


@dataclass(frozen=True, slots=True)
class SessionView:
    """A place where someone is signed in."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    ip: str
    user_agent: str
    is_current: bool


def cookie_name() -> str:
    """`__Host-` makes browsers insist on https, on the whole host and on no other host having set it."""
    return "__Host-sid" if settings().is_secure else "sid"


def token_in(cookie_header: str) -> str:
    """The session token in a raw Cookie header, or ""."""
    if cookie_name() not in cookie_header:
        return ""
    try:
        morsel = SimpleCookie(cookie_header).get(cookie_name())
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def visitor_of(
    cookie_header: str, *, ip: str = "", user_agent: str = "", request_id: str = "", touch: bool = True
) -> Visitor | None:
    """Who sent this Cookie header, or None. One round trip; once a minute a second one, when `touch`, keeps it alive.

    Roles, teams and revocation are read anew every time: a change counts from the next click on.
    """
    token = token_in(cookie_header)
    if not token or is_known_dead(cookie_header):
        return None
    row = await identity.session_user(digest(token))
    if row is None:
        _bury(token)
        return None
    actor = standing.actor_of(
        row,
        held=expand if row.viewer_id is None else standing.looking,
        ip=ip,
        user_agent=user_agent,
        session_id=row.session_id,
        looker_id=row.viewer_id,
        request_id=request_id,
    )  # fmt: skip
    now = utcnow()
    if touch and now - row.last_seen_at > _TOUCH_EVERY:
        await _touch(themselves(actor), now)
    return Visitor(actor, row.email, row.role, row.workspace, row.preferences, row.viewing_until)


def is_known_dead(cookie_header: str) -> bool:
    """Whether this process has already been told that the session ended. Costs nothing; a token never comes back."""
    return token_in(cookie_header) in _dead


def _bury(token: str) -> None:
    _dead[token] = None
    if len(_dead) > _MOST_DEAD:
        _dead.popitem(last=False)


async def actor_of(
    cookie_header: str, *, ip: str = "", user_agent: str = "", request_id: str = "", touch: bool = True
) -> Actor | None:
    """Who acts with this Cookie header; see visitor_of."""
    visitor = await visitor_of(cookie_header, ip=ip, user_agent=user_agent, request_id=request_id, touch=touch)
    return visitor.actor if visitor else None


def themselves(actor: Actor) -> Actor:
    """Whose session it is, whoever they look as."""
    return actor if actor.looker_id is None else replace(actor, user_id=actor.looker_id, looker_id=None)


async def _touch(actor: Actor, now: datetime) -> None:
    """Seen now: the idle limit starts anew, the limit on the whole session stays."""
    ends = sa.func.least(now + _idle(), _sessions.c.created_at + _longest())
    async with unit_of_work(actor, now=now) as uow:
        await uow.execute(
            sa.update(_sessions).where(_sessions.c.id == actor.session_id).values(last_seen_at=now, expires_at=ends)
        )
        await uow.execute(sa.update(_users).where(_users.c.id == actor.user_id).values(last_seen_at=now))


def _idle() -> timedelta:
    return timedelta(hours=settings().session_idle_hours)


def _longest() -> timedelta:
    return timedelta(days=settings().session_days)


async def sign_in(email: str, password: str, *, ip: str = "", user_agent: str = "") -> str:
    """Open a session; the token for the cookie. Unauthenticated or Throttled otherwise, whether the address is known
    or not."""
    now = utcnow()
    candidate = await proven(email, password, ip=ip, user_agent=user_agent, now=now)
    actor = Actor(candidate.tenant_id, candidate.user_id, ip=ip, user_agent=user_agent)
    async with unit_of_work(actor, now=now) as uow:
        return await open_session(uow, candidate.user_id)


async def proven(email: str, password: str, *, ip: str, user_agent: str, now: datetime) -> identity.Candidate:
    """The user who has just given the right password. WrongPassword or Throttled otherwise; renews an old hash. A
    failure is kept for those who have the address; the caller keeps the success."""
    key = email_key(email)
    if not is_email(key):
        await passwords.verify(password, "")
        raise WrongPassword(left=MOST_BY_EMAIL)
    tries = await throttle(key, ip, now, user_agent=user_agent, is_kept=True)
    found = await _matching(key, password)
    if found is None:
        await identity.note_failure(tries.id, key, "wrong_password", ip=ip, user_agent=user_agent, now=now)
        raise WrongPassword(left=max(0, MOST_BY_EMAIL - tries.by_email))
    candidate, renewed = found
    if renewed:
        async with unit_of_work(Actor(candidate.tenant_id, candidate.user_id, ip=ip), now=now) as uow:
            (await uow.get(User, candidate.user_id)).password_hash = renewed
    await identity.forget_attempts(key, network(ip))
    return candidate


async def _matching(key: str, password: str) -> tuple[identity.Candidate, str | None] | None:
    known = [c for c in await identity.sign_in_candidates(key) if c.status == UserStatus.active and c.password_hash]
    for candidate in known:
        fits, renewed = await passwords.verify(password, candidate.password_hash)
        if fits:
            return candidate, renewed
    if not known:
        await passwords.verify(password, "")
    return None


async def throttle(
    key: str, ip: str, now: datetime, *, user_agent: str = "", is_kept: bool = False
) -> identity.Attempts:
    """Count one attempt for this address and from this place; Throttled when there were too many lately, which is
    written into the sign-ins when `is_kept`."""
    tries = await identity.note_attempt(key, network(ip), now, WINDOW)
    waits = []
    if tries.by_email > MOST_BY_EMAIL and tries.oldest_by_email:
        waits.append(tries.oldest_by_email + WINDOW - now)
    if ip and tries.by_ip > MOST_BY_IP and tries.oldest_by_ip:
        waits.append(tries.oldest_by_ip + WINDOW - now)
    if waits:
        if is_kept:
            await identity.note_failure(tries.id, key, "throttled", ip=ip, user_agent=user_agent, now=now)
        await identity.forget_attempt(tries.id)
        seconds = max(1, int(max(waits).total_seconds()) + 1)
        raise Throttled(
            f"Too many attempts. Try again in {-(-seconds // 60)} min, or reset your password.", retry_after=seconds
        )
    return tries


async def open_session(uow: UnitOfWork, user_id: UUID, *, way: SignInWay = SignInWay.password) -> str:
    """A session for a user who has just proved to be the one; the token is told once."""
    token = secrets.token_urlsafe(32)
    actor = uow.actor
    uow.add(
        UserSession(
            user_id=user_id,
            token_hash=digest(token),
            created_at=uow.now,
            last_seen_at=uow.now,
            expires_at=uow.now + min(_idle(), _longest()),
            ip=actor.ip,
            user_agent=actor.user_agent[:300],
        )
    )
    await uow.flush()
    await uow.execute(sa.update(_users).where(_users.c.id == user_id).values(last_seen_at=uow.now))
    await sign_ins.record(uow, user_id, way)
    return token


async def sign_out(actor: Actor) -> None:
    """End the session the actor came with."""
    if actor.session_id is not None:
        async with unit_of_work(replace(themselves(actor), source=Source.ui)) as uow:
            await _end(uow, _sessions.c.id == actor.session_id)


async def list_sessions(uow: UnitOfWork) -> list[SessionView]:
    """Where the actor is signed in, this place first, then the last seen."""
    live = sa.select(
        _sessions.c.id, _sessions.c.created_at, _sessions.c.last_seen_at, _sessions.c.ip, _sessions.c.user_agent
    ).where(
        _sessions.c.user_id == uow.actor.user_id, _sessions.c.revoked_at.is_(None), _sessions.c.expires_at > uow.now
    )
    here = uow.actor.session_id
    found = [
        SessionView(r.id, r.created_at, r.last_seen_at, r.ip, r.user_agent, r.id == here) for r in await uow.rows(live)
    ]
    return sorted(found, key=lambda s: (s.is_current, s.last_seen_at), reverse=True)


async def revoke(uow: UnitOfWork, session_id: UUID) -> None:
    """Sign one of the actor's own places out."""
    ended = await _end(uow, _sessions.c.id == session_id, _sessions.c.user_id == uow.actor.user_id)
    if not ended:
        raise NotFound("This session has ended already.")


async def revoke_others(uow: UnitOfWork) -> int:
    """Sign the actor out everywhere else; how many places that were."""
    here = _sessions.c.id != uow.actor.session_id if uow.actor.session_id else sa.true()
    if uow.actor.user_id is not None:
        await end_tokens(uow, uow.actor.user_id)
    return await _end(uow, _sessions.c.user_id == uow.actor.user_id, here)


async def revoke_all_of(uow: UnitOfWork, user_id: UUID) -> int:
    """Sign a user out everywhere: after a reset, when disabled. The caller has asked for the permission."""
    await end_tokens(uow, user_id)
    return await _end(uow, _sessions.c.user_id == user_id)


async def end_tokens(uow: UnitOfWork, user_id: UUID) -> None:
    """End what apps signed in with as this user. Keys stay: they are ended one by one."""
    live = sa.and_(_tokens.c.user_id == user_id, _tokens.c.revoked_at.is_(None))
    await uow.execute(sa.update(_tokens).where(live).values(revoked_at=uow.now))
    uow.changed_many("api_key")


async def sweep(uow: UnitOfWork) -> None:
    """Forget sessions and links that ended a month ago, and attempts that no window looks at any more."""
    month = uow.now - timedelta(days=30)
    await uow.execute(sa.delete(_sessions).where(sa.func.least(_sessions.c.expires_at, _sessions.c.revoked_at) < month))
    await uow.execute(sa.delete(_links).where(_links.c.expires_at < month))
    await uow.execute(sa.delete(_tokens).where(_tokens.c.expires_at < month))
    await sign_ins.sweep(uow)
    await uow.execute(sa.delete(_attempts).where(_attempts.c.at < uow.now - timedelta(days=1)))


async def _end(uow: UnitOfWork, *which: sa.ColumnElement[bool]) -> int:
    ended = sa.update(_sessions).where(_sessions.c.revoked_at.is_(None), *which).values(revoked_at=uow.now)
    return await uow.write(ended)
