"""The pages below /settings."""

import reflex as rx

from crm_app.components.people.api_keys import keys
from crm_app.components.people.profile import places, profile
from crm_app.components.people.roles import roles
from crm_app.components.people.signed_in import signed_in
from crm_app.components.people.teams import teams
from crm_app.components.people.users import people
from crm_app.components.people.workspace import workspace
from crm_app.components.platform.audit_log import audit_log
from crm_app.components.platform.custom_fields import custom_fields
from crm_app.components.platform.failures import failures
from crm_app.components.platform.tags import tags
from crm_app.components.sales.pipelines import pipelines
from crm_app.components.sales.territories import territories
from crm_app.components.settings import HOME, overview
from crm_app.state.base import AppState
from crm_app.state.people.api_keys import ApiKeysState
from crm_app.state.people.profile import PlacesState, ProfileState
from crm_app.state.people.roles import RolesState
from crm_app.state.people.signed_in import SignedInState
from crm_app.state.people.teams import TeamsState
from crm_app.state.people.users import UsersState
from crm_app.state.people.workspace import WorkspaceState
from crm_app.state.platform.audit_log import AuditLogState
from crm_app.state.platform.custom_fields import CustomFieldsState
from crm_app.state.platform.failures import FailuresState
from crm_app.state.platform.notifications import NoticeChoices
from crm_app.state.platform.tags import TagsState
from crm_app.state.sales.pipelines import PipelinesState
from crm_app.state.sales.territories import TerritoriesState

PAGES = (
    ("", overview, "Settings", AppState.enter),
    ("/profile", profile, "Profile", [ProfileState.load, NoticeChoices.load]),
    ("/places", places, "Signed-in places", PlacesState.load),
    ("/pipelines", pipelines, "Pipelines", PipelinesState.load),
    ("/fields", custom_fields, "Fields", CustomFieldsState.load),
    ("/tags", tags, "Tags", TagsState.load),
    ("/workspace", workspace, "Workspace", WorkspaceState.load),
    ("/people", people, "People", UsersState.load),
    ("/roles", roles, "Roles", RolesState.load),
    ("/teams", teams, "Teams", TeamsState.load),
    ("/api-keys", keys, "API keys", ApiKeysState.load),
    ("/territories", territories, "Territories", TerritoriesState.load),
    ("/sessions", signed_in, "Sessions", SignedInState.load),
    ("/audit", audit_log, "Audit log", AuditLogState.load),
    ("/jobs", failures, "Failed jobs", FailuresState.load),
)


def add(app: rx.App) -> None:
    for route, component, title, load in PAGES:
        app.add_page(component, route=f"{HOME}{route}", title=f"{title} · SalesCompass", on_load=load)
