"""What a workspace changes of the fields that every workspace has: their names, whether they are asked for, and what
there is to choose from."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.errors import Invalid, NotFound
from crm_app.core.registry import FieldSpec, Kind
from crm_app.core.text import fold
from crm_app.models.base import table_of
from crm_app.models.platform.fields import FieldSetting
from crm_app.services.platform import schema
from crm_app.services.platform.field_choices import stored_choices
from crm_app.store.uow import UnitOfWork

_settings = table_of(FieldSetting)


def has_choices(spec: FieldSpec) -> bool:
    """Whether a workspace says what there is to choose from: the words and colours of what the program knows, or a
    list of its own for a short text."""
    return spec.kind is Kind.choice or (spec.kind is Kind.text and (spec.max_length or 0) >= 60)


async def set_up(
    uow: UnitOfWork,
    entity_name: str,
    field: str,
    *,
    label: str = "",
    required: bool = False,
    choices: Sequence[Mapping[str, str]] | None = None,
) -> None:
    """An empty label is the declared one; `choices` None leaves the declared ones, or a free text."""
    uow.require("settings.manage")
    declared = registry.find(entity_name)
    spec = declared.fields.get(field) if declared else None
    if declared is None or spec is None:
        raise NotFound("There is no such field.")
    entity = await schema.entity_of(uow, entity_name)
    wrong: dict[str, str] = {}
    label = "" if " ".join(label.split()) == spec.label else " ".join(label.split())
    if len(label) > 60 or "{" in label or "}" in label:
        wrong["label"] = "give it a name of up to 60 characters, without braces"
    elif label and any(fold(s.label) == fold(label) for n, s in entity.fields.items() if n != field):
        wrong["label"] = f"{entity.plural} have a field of that name already"
    if required and (field in declared.readonly or spec.kind is Kind.flag):
        wrong["required"] = "nobody fills it in by hand"
    own = None
    if choices is not None and has_choices(spec):
        known = [{"value": c.value, "label": c.label} for c in (spec.choices or entity.fields[field].choices)]
        own = stored_choices(wrong, choices, before=known)
        if spec.choices and {c["value"] for c in own} != {c.value for c in spec.choices}:
            wrong["choices"] = "are those the program works with: none can be added or left out"
        if not spec.choices:  # what records hold is what people read
            own = [{**c, "value": c["label"]} for c in own]
    if wrong:
        raise Invalid(**wrong)
    await uow.renew_schema()
    uow.changed_many(entity_name)
    await _keep(uow, entity_name, field, label, required and not spec.required, own)


async def _keep(
    uow: UnitOfWork, entity: str, field: str, label: str, required: bool, choices: list[dict[str, str]] | None
) -> None:
    mine = sa.and_(_settings.c.entity_name == entity, _settings.c.field == field)
    row = (await uow.session.execute(sa.select(FieldSetting).where(mine))).scalar_one_or_none()
    if row is None:
        row = FieldSetting(entity_name=entity, field=field)
        uow.add(row)
    row.label, row.required, row.choices = label, required, choices
    await uow.flush()
