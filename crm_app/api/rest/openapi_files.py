"""Import and export in the OpenAPI document."""

from typing import Any

from crm_app.api.rest import schemas
from crm_app.api.rest.schemas import Schema
from crm_app.core.registry import Entity, Kind

_TEXT: Schema = {"type": "string"}
_BYTES: Schema = {"type": "string", "format": "binary"}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COUNT: Schema = {"type": "integer"}


def export(entity: Entity, parameters: list[Schema], refusals: dict[str, Any]) -> Schema:
    paged = ("page", "page_size", "after", "total", "expand", "If-None-Match")
    forms = {
        "name": "format",
        "in": "query",
        "schema": {"type": "string", "enum": ["csv", "json", "ndjson", "xlsx", "pdf"]},
    }
    kept = [p for p in parameters if p["name"] not in paged]
    rows = {"type": "array", "items": {"$ref": f"#/components/schemas/{schemas.camel(entity)}"}}
    content = {
        "text/csv": {"schema": _TEXT},
        "application/json": {"schema": rows},
        "application/x-ndjson": {"schema": _TEXT},
        _XLSX: {"schema": _BYTES},
        "application/pdf": {"schema": _BYTES},
    }
    return {
        "tags": [entity.plural],
        "operationId": f"export_{entity.name}",
        "summary": f"All {entity.plural.lower()} that fit, as a file",
        "parameters": [forms, *kept],
        "responses": {"200": {"description": "The file.", "content": content}, **refusals},
    }


def receive(entity: Entity, refusals: dict[str, Any]) -> Schema:
    links = [n for n, s in entity.fields.items() if s.kind is Kind.link]
    report = {"application/json": {"schema": {"$ref": "#/components/schemas/ImportReport"}}}
    return {
        "tags": [entity.plural],
        "operationId": f"import_{entity.name}",
        "summary": f"Import {entity.plural.lower()} from a table",
        "parameters": [
            _query("name", _TEXT, "Name of the file; its ending says what it is: .csv, .xlsx and others."),
            _query("dry_run", {"type": "string", "enum": ["true", "false"]}, "Check all rows and write nothing."),
            _query("mode", {"type": "string", "enum": ["create", "upsert"]}, "What happens to rows that are known."),
            _query("columns", _TEXT, 'Heading -> field, as JSON: {"Company": "name"}. Default: by the headings.'),
            _query("constants", _TEXT, "Field -> text for every row, as JSON."),
            _listed("create_missing", links, "Links whose records are made where they are not there."),
            _listed("by_email", links, "Links that the file names by an e-mail address."),
        ],
        "requestBody": {
            "required": True,
            "content": {name: {"schema": _TEXT} for name in ("text/csv", "application/octet-stream")},
        },
        "responses": {
            "202": {
                "description": "Taken; it is worked on in the background. Ask at `status_url` until it is done.",
                "headers": {"Location": {"schema": _TEXT, "description": "Where to ask how far it is."}},
                "content": report,
            },
            **refusals,
        },
    }


def status(refusals: dict[str, Any]) -> Schema:
    report = {"application/json": {"schema": {"$ref": "#/components/schemas/ImportReport"}}}
    return {
        "tags": ["Imports"],
        "operationId": "import_status",
        "summary": "How far an import is",
        "responses": {"200": {"description": "So far.", "content": report}, **refusals},
    }


def revert(refusals: dict[str, Any]) -> Schema:
    done = {"type": "object", "properties": {"batch_id": _TEXT, "removed": {}, "restored": {}, "kept": _COUNT}}
    return {
        "tags": ["Imports"],
        "operationId": "revert_import",
        "summary": "Take an import back",
        "responses": {"200": {"description": "Done.", "content": {"application/json": {"schema": done}}}, **refusals},
    }


def report() -> Schema:
    counts = ("rows", "created", "updated", "unchanged", "duplicates", "rejected")
    problem = {
        "type": "object",
        "properties": {"row": _COUNT, "column": _TEXT, "message": _TEXT, "remedy": _TEXT},
    }
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "status": {
                "type": "string",
                "enum": [
                    "waiting",
                    "checking",
                    "running",
                    "paused",
                    "stopping",
                    "done",
                    "failed",
                    "taken_back",
                ],
            },
            "status_url": _TEXT,
            "error": {"type": "string", "description": "Why it failed; empty otherwise."},
            "progress": {"type": "object", "properties": {"text": _TEXT, "done": _COUNT, "total": _COUNT}},
            "dry_run": {"type": "boolean"},
            "batch_id": {"type": ["string", "null"], "format": "uuid", "description": "To take it back."},
            **dict.fromkeys(counts, _COUNT),
            "related": {"type": "object", "description": "Records made for links, by kind."},
            "columns": {"type": "object", "description": "Which column filled which field."},
            "problems": {"type": "array", "items": problem},
        },
        "required": ["id", "status", "status_url", "dry_run", "batch_id", *counts, "problems"],
    }


def _query(name: str, schema: Schema, about: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": about}


def _listed(name: str, known: list[str], about: str) -> Schema:
    schema = {"type": "array", "items": {"type": "string", "enum": known}}
    return _query(name, schema, about) | {"style": "form", "explode": False}
