"""Who acts, for whom, from where. Built once at an edge: request, event, job, command line."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo


class Scope(StrEnum):
    """Whose records an actor sees: the row visibility of the role."""

    own = "own"
    team = "team"
    all = "all"


class Source(StrEnum):
    """Through which door a change came; written to the audit log."""

    ui = "ui"
    api = "api"
    cli = "cli"
    import_ = "import"
    workflow = "workflow"
    job = "job"
    seed = "seed"


@dataclass(frozen=True, slots=True)
class Actor:
    """The one on whose behalf a unit of work runs.

    `team_ids` are the users whose records the scope `team` shows; the actor is among them.
    `time_zone` is an IANA name; it decides what "today" means for this actor.
    """

    tenant_id: UUID
    user_id: UUID | None
    name: str = ""
    permissions: frozenset[str] = frozenset()
    scope: Scope = Scope.own
    team_ids: frozenset[UUID] = frozenset()
    time_zone: str = "UTC"
    currency: str = "USD"
    ip: str = ""
    user_agent: str = ""
    source: Source = Source.ui
    session_id: UUID | None = None
    request_id: str = ""
    hidden_fields: frozenset[str] = field(default_factory=frozenset)  # "entity.field" the role may not see

    def can(self, permission: str) -> bool:
        return permission in self.permissions or "*" in self.permissions

    def sees_owner(self, owner_id: UUID | None) -> bool:
        """Row visibility in Python; store.visibility says the same in SQL."""
        if self.scope is Scope.all or owner_id is None:
            return True
        return owner_id in self.team_ids if self.scope is Scope.team else owner_id == self.user_id

    def day_of(self, moment: datetime) -> date:
        """The calendar day of a UTC moment where the actor lives."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()
