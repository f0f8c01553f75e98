"""The OpenAPI 3.1 document of the REST interface, written from the declarations."""

from collections.abc import Iterable, Mapping
from typing import Any

from crm_app.api.rest import bulk, merging, openapi_files, openapi_hanging, queries, schemas, transitions, trash
from crm_app.api.rest.schemas import Schema, camel
from crm_app.core import registry
from crm_app.core.conditions import operators_for
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.services.platform.idempotency import LONGEST

_ERRORS = {
    400: "The request cannot be read.",
    401: "No token, or none that is good.",
    403: "The role of the user, or the scopes of the key, do not reach so far.",
    404: "There is no such record, or you may not see it.",
    409: "Somebody changed it meanwhile, or its state forbids this.",
    412: "If-Match names a version that is no longer the current one.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "A value does not fit; details.fields says which and what would.",
    429: "Too many requests; Retry-After says how many seconds to wait.",
    503: "The server is busy or starting.",
}
_READING = (400, 401, 403, 404, 422, 429, 503)
_WRITING = (400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503)
_IMPORTING = (400, 401, 403, 404, 409, 413, 422, 429, 503)
_LIMITS = {
    f"RateLimit-{name}": {"schema": {"type": "integer"}, "description": about}
    for name, about in (
        ("Limit", "Requests this key may send in a minute."),
        ("Remaining", "Requests left now."),
        ("Reset", "Seconds until all are back."),
    )
}
_ABOUT = """Every kind of record at `/api/<plural>/`, through the same rules as the screens.

**Who calls**: `Authorization: Bearer <token>`, an API key (Settings, API keys) or an access token from `/api/token/`.
Cookies are never looked at.

**Conditions**: `?name[contains]=acme&created_at[in_last_days]=30`, every field with every operator that fits it; or a
tree as JSON in `filter`, with `all`, `any`, `not` and related records. `me` stands for yourself.

**Pages**: `page_size` and the `after` of the page before reach any depth; `page` counts, and brings the total.

**Money** is in minor units with its currency beside it. **Times** are UTC, ISO 8601. A slash at the end is optional.

**Twice**: an `Idempotency-Key` makes a change happen once, however often it is sent within a day.

**Errors** are `error_code`, `message`, `details`."""


def document(entities: Iterable[Entity], *, server: str = "/api") -> dict[str, Any]:
    known = sorted((e for e in entities if e.columns), key=lambda e: e.plural)
    return {
        "openapi": "3.1.0",
        "info": {"title": "SalesCompass", "version": "1", "description": _ABOUT},
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "tags": [
            {"name": n} for n in (*(e.plural for e in known), *openapi_hanging.TAGS, "Trash", "Imports", "Tokens")
        ],
        "paths": {path: item for e in known for path, item in _paths(e).items()}
        | _imports()
        | _tokens()
        | _me()
        | _trash()
        | openapi_hanging.alone(_answers, [_IDEMPOTENCY, _IF_NONE_MATCH], _UNCHANGED),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {name: schema for e in known for name, schema in _schemas(e).items()} | _shared(),
            "responses": {str(code): _refusal(about) for code, about in _ERRORS.items()} | _before_us(),
        },
    }


def _paths(entity: Entity) -> dict[str, Any]:
    base, name, tag = f"/{entity.slug}/", camel(entity), {"tags": [entity.plural]}
    one, label, article = f"{base}{{id}}/", entity.label.lower(), schemas.a(entity.label)
    paths: dict[str, Any] = {
        base: {
            "get": {
                **tag,
                "operationId": f"list_{entity.name}",
                "summary": f"List {entity.plural.lower()}",
                "parameters": _list_parameters(entity),
                "responses": _answers(f"{name}List", _READING, more={304: _UNCHANGED}),
            }
        },
        one: {
            "parameters": [_ID],
            "get": {
                **tag,
                "operationId": f"read_{entity.name}",
                "summary": f"Read one {label}",
                "parameters": [_names("fields", list(entity.fields)), _expand(entity, many=True), _IF_NONE_MATCH],
                "responses": _answers(name, _READING, more={304: _UNCHANGED}),
            },
        },
    }
    given = _list_parameters(entity)
    paths[f"{base}export/"] = {"get": openapi_files.export(entity, given, _refused(_READING))}
    if entity.is_managed:
        return paths
    paths[f"{base}import/"] = {"post": openapi_files.receive(entity, _refused(_IMPORTING))}
    paths[base]["post"] = _writes(entity, "create", f"Add {article}", body=f"{name}New", gives=name, status=201)
    paths[one]["put"] = _writes(entity, "replace", f"Replace {article}", body=f"{name}Whole", gives=name)
    paths[one]["patch"] = _writes(entity, "change", f"Change {article}", body=f"{name}Change", gives=name)
    paths[one]["delete"] = _writes(entity, "delete", f"Put {article} into the trash", gives="Deleted")
    back = _writes(entity, "restore", f"Take {article} out of the trash", gives=name)
    paths[f"{one}restore/"] = {"parameters": [_ID], "post": back}
    paths |= openapi_hanging.below(entity, one, _answers, [_IDEMPOTENCY, _IF_NONE_MATCH], _UNCHANGED)
    if transitions.is_deal(entity):
        moved = _writes(entity, "transition", "Move, win, lose or reopen a deal", body="StageTransition", gives=name)
        paths[f"{one}stage-transition/"] = {"parameters": [_ID], "post": moved}
    if merging.is_merged(entity):
        paths |= merging.paths(entity, one, _writes, _answers("Merges", _READING), _ID)
    for verb in ("create", "update", "delete"):
        many = _writes(
            entity,
            f"bulk_{verb}",
            f"{verb.capitalize()} many",
            body=f"{name}Bulk{verb.capitalize()}",
            gives="BulkResult",
        )
        paths[f"{base}bulk/{verb}/"] = {"post": many}
    return paths


def _writes(entity: Entity, verb: str, summary: str, *, gives: str, body: str = "", status: int = 200) -> Schema:
    is_matched = verb in ("replace", "change", "delete")
    operation: Schema = {
        "tags": [entity.plural],
        "operationId": f"{verb}_{entity.name}",
        "summary": summary,
        "parameters": [_IDEMPOTENCY, *([_IF_MATCH] if is_matched else [])],
        "responses": _answers(gives, _WRITING, status=status),
    }
    if body:
        operation["requestBody"] = _json(_ref(body)) | {"required": True}
    return operation


def _answers(schema: str, refusals: Iterable[int], *, status: int = 200, more: Mapping[int, Schema] = {}) -> Schema:
    good = {"description": "Done.", "headers": {**_LIMITS, "ETag": _ETAG}, **_json(_ref(schema))}
    return {str(status): good, **{str(code): answer for code, answer in more.items()}, **_refused(refusals)}


def _refused(codes: Iterable[int]) -> dict[str, Any]:
    return {str(code): {"$ref": f"#/components/responses/{code}"} for code in codes}


def _schemas(entity: Entity) -> dict[str, Schema]:
    name = camel(entity)
    found = {name: schemas.record(entity), f"{name}List": _list_of(name)}
    if entity.is_managed:
        return found
    change = schemas.change(entity)
    updated = {**change, "properties": {"id": _ID["schema"], **change["properties"]}, "required": ["id"]}
    gone = {"type": "object", "properties": {"id": _ID["schema"]}, "required": ["id"], "additionalProperties": False}
    return found | {
        f"{name}New": schemas.new(entity),
        f"{name}Change": change,
        f"{name}Whole": schemas.whole(entity),
        f"{name}BulkCreate": _many(_ref(f"{name}New")),
        f"{name}BulkUpdate": _many(updated),
        f"{name}BulkDelete": _many(gone),
    }


def _list_of(name: str) -> Schema:
    paging = {
        "type": "object",
        "properties": {
            "page_size": {"type": "integer"},
            "after": {"type": ["string", "null"], "description": "Where the next page begins; null on the last one."},
            "page": {"type": "integer"},
            "total": {"type": "integer", "description": "With `page` or `total=true`."},
        },
        "required": ["page_size", "after"],
    }
    return {
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": _ref(name)},
            "paging": paging,
            "filter": {"type": "object", "description": "How the conditions were understood."},
        },
        "required": ["data", "paging"],
    }


def _many(item: Schema) -> Schema:
    """Items are checked one by one, each with an answer of its own: what is wrong with one does not stop the others."""
    items = {"type": "array", "minItems": 1, "maxItems": bulk.MOST, "items": {"type": "object"}}
    return {
        "type": "object",
        "properties": {
            "items": {**items, "description": "Each as described below.", "x-item": item},
            "atomic": _ATOMIC,
        },
        "required": ["items"],
        "additionalProperties": False,
    }


def _shared() -> dict[str, Schema]:
    error = {
        "type": "object",
        "properties": {
            "error_code": {"type": "string", "examples": ["invalid"]},
            "message": {"type": "string", "examples": ["name: is required"]},
            "details": {"type": "object", "examples": [{"fields": {"name": "is required"}}]},
        },
        "required": ["error_code", "message", "details"],
    }
    result = {
        "type": "object",
        "properties": {
            "index": {"type": "integer"},
            "status": {"type": "integer"},
            "id": {"type": "string", "format": "uuid"},
            "version": {"type": "integer"},
            "error": _ref("Error"),
        },
        "required": ["index", "status"],
    }
    whole = {"type": "integer"}
    return {
        "Error": error,
        "Deleted": _object(
            id=_ID["schema"], version=whole, deleted_at={"type": "string", "format": "date-time"}, restore=_TEXT
        ),
        "BulkResult": _object(results={"type": "array", "items": result}, succeeded=whole, failed=whole),
        "Pair": _object(access_token=_TEXT, token_type=_TEXT, expires_in=whole, refresh_token=_TEXT),
        "StageTransition": transitions.schema(schemas.field),
        "Merge": merging.schema(),
        **merging.answers(),
        **openapi_hanging.shapes(),
        "ImportReport": openapi_files.report(),
        "TrashList": trash.list_schema(),
        "Me": _object(
            id=_ID["schema"],
            name=_TEXT,
            email=_TEXT,
            workspace=_TEXT,
            role=_TEXT,
            scope=_TEXT,
            time_zone=_TEXT,
            currency=_TEXT,
            permissions={"type": "array", "items": _TEXT},
        ),
        "Revoked": _object(revoked={"type": "boolean"}),
        "SignIn": {**_object(email=_SHORT, password=_SHORT), "additionalProperties": False},
        "Refresh": {**_object(refresh_token=_SHORT), "additionalProperties": False},
    }


def _imports() -> dict[str, Any]:
    return {
        "/imports/{id}/": {"parameters": [_ID], "get": openapi_files.status(_refused(_IMPORTING))},
        "/imports/{id}/revert/": {"parameters": [_ID], "post": openapi_files.revert(_refused(_IMPORTING))},
    }


def _me() -> dict[str, Any]:
    told = _answers("Me", (400, 401, 429, 503), more={304: _UNCHANGED})
    about = {
        "operationId": "me",
        "summary": "Who the token stands for, and what it may do",
        "parameters": [_IF_NONE_MATCH],
    }
    return {"/me/": {"get": {"tags": ["Tokens"], **about, "responses": told}}}


def _trash() -> dict[str, Any]:
    answers = _answers("TrashList", (400, 401, 403, 422, 429, 503), more={304: _UNCHANGED})
    operation = trash.described(_query, answers, _IF_NONE_MATCH)
    return {"/trash/": {"get": operation}}


def _tokens() -> dict[str, Any]:
    said = (
        ("", "SignIn", "Pair", "Sign in with e-mail and password"),
        ("refresh/", "Refresh", "Pair", "The next pair; the refresh token is used up"),
        ("revoke/", "Refresh", "Revoked", "Sign out"),
    )
    return {
        f"/token/{path}": {
            "post": {
                "tags": ["Tokens"],
                "operationId": f"token_{path.strip('/') or 'sign_in'}",
                "summary": summary,
                "security": [],
                "requestBody": _json(_ref(body)) | {"required": True},
                "responses": _answers(gives, (400, 401, 404, 413, 415, 422, 429, 503)),
            }
        }
        for path, body, gives, summary in said
    }


def _list_parameters(entity: Entity) -> list[Schema]:
    sortable = [n for n, s in entity.fields.items() if s.kind not in queries.UNSORTABLE]
    found = [
        _names("fields", ["*", *entity.fields], "Which fields come; * is all of them. Default: those of the list."),
        _expand(entity, many=False),
        _query(
            "sort", {"type": "string", "enum": [f"{sign}{n}" for n in sortable for sign in ("", "-")]}, "- sorts down."
        ),
        _query("page_size", _whole(1, queries.MOST_SIZE), f"Default {queries.DEFAULT_SIZE}."),
        _query("after", {"type": "string"}, "`paging.after` of the page before."),
        _query("page", _whole(1, queries.DEEPEST), f"Instead of after, up to record {queries.DEEPEST}."),
        _query("total", {"type": "boolean"}, "Whether to count all that match."),
        _query("q", {"type": "string"}, f"A part of {' or '.join(entity.search or (entity.title,))}."),
        _query(
            "filter",
            {"type": "string", "examples": ['{"field": "created_at", "op": "in_last_days", "value": 30}']},
            "A condition as JSON; see the introduction.",
        ),
        _IF_NONE_MATCH,
    ]
    return found + [p for n in entity.columns for p in _conditions(entity.fields[n])]


def _conditions(spec: FieldSpec) -> list[Schema]:
    """The plain comparison, for the columns of the list; all others are told in words."""
    others = ", ".join(f"{spec.name}[{o.name}]" for o in operators_for(spec.kind) if o.name != "eq")
    if spec.kind in (Kind.json, Kind.choices):
        return []
    schema: Schema = {"type": "string"}
    if spec.kind in (Kind.number, Kind.money, Kind.percent):
        schema = {"type": "integer"}
    elif spec.kind is Kind.flag:
        schema = {"type": "boolean"}
    elif spec.choices:
        schema = {"type": "string", "enum": [c.value for c in spec.choices]}
    return [_query(spec.name, schema, f"Also {others}.")]


def _expand(entity: Entity, *, many: bool) -> Schema:
    names = [n for n, r in registry.relations(entity).items() if many or not r.many]
    return _names("expand", names, "Records at the other end of links, in the same answer.")


def _names(name: str, known: list[str], about: str = "Which fields come.") -> Schema:
    schema = {"type": "array", "items": {"type": "string", "enum": known}}
    return _query(name, schema, about) | {"style": "form", "explode": False}


def _query(name: str, schema: Schema, about: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": about}


def _whole(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _json(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _refusal(about: str) -> Schema:
    return {"description": about, **_json(_ref("Error"))}


def _before_us() -> dict[str, Schema]:
    """What is no HTTP, or an address with a line break in it, is answered by the web server itself, before anything of
    ours is asked."""
    plain = {"text/plain": {"schema": {"type": "string"}}}
    refused = {code: _refusal(_ERRORS[code]) for code in (400, 404)}
    return {str(code): {**one, "content": {**one["content"], **plain}} for code, one in refused.items()}


_TEXT: Schema = {"type": "string"}
_SHORT: Schema = {"type": "string", "minLength": 1, "maxLength": 1000}
_ATOMIC: Schema = {"type": "boolean", "default": False, "description": "All or none."}
_ID: Schema = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_ETAG: Schema = {"schema": _TEXT, "description": "A mark of this content, for If-None-Match and If-Match."}
_UNCHANGED: Schema = {"description": "What you have is still right."}
_IF_NONE_MATCH: Schema = {
    "name": "If-None-Match", "in": "header", "schema": _TEXT, "description": "The ETag of what you have.",
}  # fmt: skip
_IF_MATCH: Schema = {
    "name": "If-Match", "in": "header", "schema": _TEXT,
    "description": "The ETag you read; the change is refused with 412 when it is another one now.",
}  # fmt: skip
_IDEMPOTENCY: Schema = {
    "name": "Idempotency-Key", "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]+$"},
    "description": "Made up by you, new for every change: sent twice, it is done once.",
}  # fmt: skip
