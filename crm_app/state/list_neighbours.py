"""The way through the list one came from: in the address of a record, and from one record to the next."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode
from uuid import UUID

from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity
from crm_app.core.views import View, fit, from_address, to_address
from crm_app.services.platform import lists
from crm_app.state.list_cells import number
from crm_app.store.uow import UnitOfWork

NOWHERE = {"place": "", "before_href": "", "after_href": ""}
_MARK = {"list": "1"}


def tail(view: View) -> str:
    """What the address of a record ends with that is opened from this view of its list: all that makes its order."""
    return "?" + urlencode(_MARK | to_address(replace(view, columns=(), density=View().density), View()))


def came_from(asked: Mapping[str, object]) -> View | None:
    """The view that the query of an address tells, as `tail` wrote it."""
    said = {k: v for k, v in asked.items() if isinstance(v, str)}
    return from_address(said, View()) if said.get("list") == _MARK["list"] else None


async def around(uow: UnitOfWork, entity: Entity, view: View, record_id: UUID) -> dict[str, str]:
    """The place of a record in a view ("3 of 20"), and the addresses of those before and after it."""
    view, _ = fit(view, entity, hidden=uow.actor.hidden_fields)
    try:
        found = await lists.neighbours(uow, entity, view, record_id)
    except Invalid:  # a list that this role may not ask for
        return NOWHERE

    def there(other: UUID | None) -> str:
        return f"/{entity.slug}/{other}{tail(view)}" if other else ""

    place = f"{number(found.place)} of {number(found.total)}" if found.place else ""
    return {"place": place, "before_href": there(found.before), "after_href": there(found.after)}
