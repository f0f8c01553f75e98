"""The quick log: a few words become an activity, done or planned."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import Invalid
from crm_app.core.text import clip
from crm_app.models.activities.activities import Activity, ActivityType
from crm_app.models.base import table_of
from crm_app.models.customers.contacts import Contact
from crm_app.services.activities import activities
from crm_app.services.activities.activities import With
from crm_app.store.uow import UnitOfWork

_types = table_of(ActivityType)
TALKS = ("call", "meeting")  # told by whom it was with, the words are what was said
_LONGEST = 200  # of a subject
_WORDS = {"call": "Call", "email": "Mail", "meeting": "Meeting", "note": "Note", "comment": "Comment"}


async def kinds(uow: UnitOfWork) -> Sequence[sa.RowMapping]:
    """Key, name and icon of the workspace's kinds of activities, in their order."""
    uow.require("activity.read")
    query = sa.select(_types.c.key, _types.c.name, _types.c.icon).where(_types.c.deleted_at.is_(None))
    return (await uow.execute(query.order_by(_types.c.position, _types.c.name))).mappings().all()


async def write(
    uow: UnitOfWork,
    whose: With,
    *,
    kind: str,
    text: str,
    contact_id: UUID | None = None,
    outcome: str = "",
    duration_minutes: int | None = None,
    happens_at: datetime | None = None,
) -> Activity:
    """Done at `happens_at` (UTC, default now), or planned for it when it is still to come; a task is always planned."""
    with_name = (await uow.get(Contact, contact_id)).name if contact_id else ""
    when = happens_at or uow.now
    is_planned = kind == "task" or when > uow.now
    if kind == "task" and happens_at is None:
        raise Invalid(happens_at="is needed: a task has a day")
    subject, body = headline(kind, text, with_name, is_planned=is_planned)
    links = {
        "opportunity_id": whose.opportunity_id,
        "account_id": whose.account_id,
        "contact_id": contact_id or whose.contact_id,
    }
    if is_planned:
        return await activities.plan(uow, kind=kind, subject=subject, body=body, due_at=when, **links)
    return await activities.log(
        uow,
        kind=kind,
        subject=subject,
        body=body,
        happens_at=when,
        outcome=outcome,
        duration_minutes=duration_minutes,
        **links,
    )


def headline(kind: str, text: str, with_name: str, *, is_planned: bool) -> tuple[str, str]:
    """(subject, body). What is planned, and a mail, is named by its first line; a talk by whom it was with; a note by
    what it is."""
    text = text.strip()
    first, _, rest = text.partition("\n")
    named = f"{_WORDS.get(kind, kind.capitalize())} with {with_name}" if with_name and kind in TALKS else ""
    if is_planned or kind == "email" or kind not in _WORDS:
        if first and len(first) <= _LONGEST:
            return first.strip(), rest.strip()
        if not first and not named and kind != "email":
            raise Invalid(text="is needed: say what is to be done")
        return (clip(first, _LONGEST), text) if first else (named or _WORDS[kind], "")
    if not text and not named:
        raise Invalid(text="is needed: write what was said")
    return clip(named or _WORDS[kind], _LONGEST), text
