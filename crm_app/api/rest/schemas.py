"""Fields of a declaration as JSON Schema (2020-12, as OpenAPI 3.1 has it)."""

from collections.abc import Callable
from typing import Any

from crm_app.api.rest.bodies import FILLED_IN
from crm_app.core import registry
from crm_app.core.money import CURRENCIES
from crm_app.core.registry import Entity, FieldSpec, Kind

Schema = dict[str, Any]
_ID = "0190d5c2-7a3e-7c1b-9f00-000000000001"
_WORD = r"\S"
_TYPES: dict[Kind, Schema] = {
    Kind.number: {"type": "integer"},
    Kind.money: {"type": "integer"},
    Kind.percent: {"type": "integer"},
    Kind.decimal: {"type": "string", "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,10})?$"},
    Kind.flag: {"type": "boolean"},
    Kind.date: {"type": "string", "format": "date"},
    Kind.datetime: {"type": "string", "format": "date-time"},
    Kind.link: {"type": "string", "format": "uuid"},
    Kind.choices: {"type": "array", "items": {"type": "string", "pattern": _WORD}},
    Kind.json: {"type": ["object", "array"]},
}
_EXAMPLES: dict[Kind, Any] = {
    Kind.number: 3,
    Kind.money: 125_000,
    Kind.percent: 40,
    Kind.decimal: "12.5",
    Kind.flag: True,
    Kind.date: "2027-03-31",
    Kind.datetime: "2027-03-31T09:30:00Z",
    Kind.link: _ID,
    Kind.choices: ["pilot"],
    Kind.json: [],
    Kind.email: "grace@example.com",
    Kind.phone: "+49 30 1234567",
    Kind.url: "https://example.com",
}


def camel(entity: Entity) -> str:
    """The name of its schemas: ActivityType."""
    return "".join(part.capitalize() for part in entity.name.split("_"))


def a(label: str) -> str:
    """ "an account", "a user" """
    word = label.lower()
    return f"{'an' if word[:1] in 'aeio' else 'a'} {word}"


def field(spec: FieldSpec, *, required: bool = False) -> Schema:
    schema: Schema = dict(_TYPES.get(spec.kind, {"type": "string"}))
    if spec.kind in (Kind.number, Kind.money, Kind.percent):
        bounds = {"minimum": spec.minimum, "maximum": spec.maximum}
        schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    if schema["type"] == "string" and spec.kind not in _TYPES:
        schema |= {"maxLength": spec.max_length} if spec.max_length else {}
        schema |= {"minLength": 1, "pattern": _WORD} if required else {}
    if spec.choices:
        schema = {"type": "string", "enum": [c.value for c in spec.choices]}
    if spec.name == "currency":
        schema = {"type": "string", "enum": sorted(CURRENCIES)}
    if spec.nullable:
        schema["type"] = [*(schema["type"] if isinstance(schema["type"], list) else [schema["type"]]), "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return {**schema, "title": spec.label, **_about(spec), "examples": [example(spec)]}


def _about(spec: FieldSpec) -> Schema:
    if spec.kind is Kind.money:
        unit = f" of the currency in `{spec.currency_field}`" if spec.currency_field else ""
        return {"description": f"Minor units{unit}: 125000 is 1,250.00 where the currency has two decimals."}
    if spec.kind is Kind.link and (target := registry.find(spec.target)):
        return {"description": f"Id of {a(target.label)} (/api/{target.slug}/)."}
    if spec.kind is Kind.decimal:
        return {"description": "A decimal number as text, so that no digit is lost."}
    if spec.choices:
        return {"description": ", ".join(f"`{c.value}`: {c.label}" for c in spec.choices[:30])}
    return {}


def example(spec: FieldSpec) -> Any:
    """A value that fits."""
    if spec.choices:
        return spec.choices[0].value
    if spec.name == "currency":
        return "EUR"
    value = _EXAMPLES.get(spec.kind, spec.label)
    if isinstance(value, int) and not isinstance(value, bool):
        low, high = spec.minimum, spec.maximum
        value = max(value, low) if low is not None else value
        value = min(value, high) if high is not None else value
    return value[: spec.max_length] if isinstance(value, str) and spec.kind not in _EXAMPLES else value


def needed(entity: Entity) -> list[str]:
    """What a new record must be given; the owner and running numbers are filled in."""
    mine = (s for s in entity.fields.values() if s.required and s.name not in entity.readonly)
    return [s.name for s in mine if s.name not in FILLED_IN]


def writable(entity: Entity, *, is_new: bool) -> list[FieldSpec]:
    allowed = entity.at_start if is_new else frozenset()
    return [s for s in entity.fields.values() if s.name not in entity.readonly or s.name in allowed]


def record(entity: Entity) -> Schema:
    """What a request for a record or a list gives; relations only where they were asked for by `expand`."""
    properties = {
        s.name: field(s) | ({"readOnly": True} if s.name in entity.readonly else {}) for s in entity.fields.values()
    }
    for name, relation in registry.relations(entity).items():
        other: Schema = {"type": "object", "description": f"With expand={name}."}
        properties[name] = {"type": "array", "items": other} if relation.many else other | {"type": ["object", "null"]}
    return {
        "type": "object",
        "title": entity.label,
        "properties": properties,
        "required": ["id", "version"],
        "additionalProperties": False,
    }


def new(entity: Entity) -> Schema:
    must = needed(entity)
    return _body(entity, {s.name: field(s, required=s.name in must) for s in writable(entity, is_new=True)}, must)


def change(entity: Entity) -> Schema:
    must = needed(entity)
    properties = {s.name: field(s, required=s.required) for s in writable(entity, is_new=False)}
    schema = _body(entity, {**properties, "version": VERSION}, must[:1])
    return {n: v for n, v in schema.items() if n != "required"}


def whole(entity: Entity) -> Schema:
    must = needed(entity)
    properties = {s.name: field(s, required=s.required) for s in writable(entity, is_new=False)}
    return _body(entity, {**properties, "version": VERSION}, must)


def _body(entity: Entity, properties: dict[str, Schema], must: list[str]) -> Schema:
    known = [n for n in must if n in properties]
    return {
        "type": "object",
        "properties": properties,
        "required": known,
        "additionalProperties": False,
        "examples": [{n: example(entity.fields[n]) for n in known}],
    }


VERSION: Schema = {
    "type": "integer",
    "description": "The version you read. With another one now, the change is refused with 409.",
    "examples": [3],
}
Maker = Callable[[Entity], Schema]
