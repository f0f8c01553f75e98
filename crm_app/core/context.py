"""Who acts, for whom, from where. Built once at an edge: request, event, job, command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo


class Scope(StrEnum):
    """Whose records an actor sees: the row visibility of the role."""

    own = "own"
    team = "team"
    territory = "territory"  # the team's, and what lies in one's territories
    all = "all"


class FieldRight(StrEnum):
    """What a role may do with a field; a role stores all but `write`."""

    hidden = "hidden"
    masked = "masked"
    read = "read"
    write = "write"


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

    `team_ids` are the users whose records the scopes `team` and `territory` show; the actor is among them.
    `territory_ids` are those the scope `territory` shows; `shared` are kinds of records of which some are shown to this
    actor beside (store.visibility looks which).
    `time_zone` is an IANA name; it decides what "today" means for this actor.
    """

    tenant_id: UUID
    user_id: UUID | None
    name: str = ""
    permissions: frozenset[str] = frozenset()
    scope: Scope = Scope.own
    team_ids: frozenset[UUID] = frozenset()
    territory_ids: frozenset[UUID] = frozenset()
    shared: frozenset[str] = frozenset()
    time_zone: str = "UTC"
    currency: str = "USD"
    ip: str = ""
    user_agent: str = ""
    source: Source = Source.ui
    session_id: UUID | None = None
    looker_id: UUID | None = None  # who looks as this actor: nothing is written then
    request_id: str = ""
    # What the role may do with fields, as "entity.field" ("account.custom.tier" too); all others it may read and write.
    hidden_fields: frozenset[str] = field(default_factory=frozenset)  # they do not exist for it
    masked_fields: frozenset[str] = field(
        default_factory=frozenset
    )  # it sees whether they are filled in, not what with
    fixed_fields: frozenset[str] = field(default_factory=frozenset)  # it reads and does not write them

    def can(self, permission: str) -> bool:
        return permission in self.permissions or "*" in self.permissions

    def with_field_rights(self, stored: Mapping[str, str]) -> "Actor":
        """Under what a role stores: {"account.phone": "masked"}."""
        of = {r: frozenset(n for n, given in stored.items() if given == r) for r in FieldRight}
        return replace(
            self,
            hidden_fields=of[FieldRight.hidden],
            masked_fields=of[FieldRight.masked],
            fixed_fields=of[FieldRight.read],
        )

    def sees_owner(self, owner_id: UUID | None) -> bool:
        """Whether the owner alone lets the actor see a record; store.visibility says the same in SQL, and what else may
        show it."""
        if self.scope is Scope.all or owner_id is None:
            return True
        return owner_id == self.user_id if self.scope is Scope.own else owner_id in self.team_ids

    def day_of(self, moment: datetime) -> date:
        """The calendar day of a UTC moment where the actor lives."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()
