"""Fields of a workspace's own, and accounts that have them."""

from crm_app.core.context import Actor
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import custom_fields, records
from crm_app.store.uow import unit_of_work

COLORED = ({"label": "Gold", "color": "3"}, {"label": "Silver", "color": ""})


async def make(admin: Actor, label: str, kind: str = "text", *, entity: str = "account", **more) -> str:
    """The name of a new field."""
    if kind in ("choice", "choices"):
        more.setdefault("choices", COLORED)
    async with unit_of_work(admin) as uow:
        field = await custom_fields.create(uow, entity, label=label, kind=kind, **more)
    return f"custom.{field.key}"


async def account(actor: Actor, **values):
    async with unit_of_work(actor) as uow:
        return await records.create(uow, ACCOUNT, {"name": "Kessler", **values})
