"""Comments, files and notifications in the OpenAPI document."""

from collections.abc import Callable
from typing import Any

from crm_app.api.rest import marks, notifications, schemas
from crm_app.api.rest.schemas import Schema
from crm_app.core.registry import Entity
from crm_app.services.activities import comments

Answers = Callable[..., Schema]  # (schema, refusals, status=, more=) as openapi makes them
_UUID: Schema = {"type": "string", "format": "uuid"}
_TEXT: Schema = {"type": "string"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_FLAG: Schema = {"type": "boolean"}
_MAYBE: Schema = {"anyOf": [_UUID, {"type": "null"}]}
_ID: Schema = {"name": "id", "in": "path", "required": True, "schema": _UUID}
_A_USER = "0190d5c2-7a3e-7c1b-9f00-000000000002"
_SEEN = (400, 401, 403, 404, 422, 429, 503)
_SAID = (400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
_SENT = (400, 401, 403, 404, 413, 422, 429, 503)
_ACTED = (400, 401, 403, 404, 409, 413, 422, 429, 503)
TAGS = ("Comments", "Files", "Notifications")


def below(entity: Entity, one: str, answers: Answers, shared: list[Schema], unchanged: Schema) -> dict[str, Any]:
    """What hangs on one record; `shared` are Idempotency-Key and If-None-Match."""
    once, if_none = shared
    label, several = schemas.a(entity.label), entity.label.lower()
    size = {"name": "name", "in": "query", "schema": _TEXT, "description": "Name of the file, such as offer.pdf."}
    return {
        f"{one}comments/": {
            "parameters": [_ID],
            "get": {
                "tags": [TAGS[0]], "operationId": f"list_comments_of_{entity.name}",
                "summary": f"Comments on {label}, the latest first",
                "parameters": [*marks.parameters(), if_none],
                "responses": answers("CommentList", _SEEN, more={304: unchanged}),
            },
            "post": _body("CommentWords") | {
                "tags": [TAGS[0]], "operationId": f"comment_on_{entity.name}",
                "summary": f"Comment on {label}; whoever is mentioned is told", "parameters": [once],
                "responses": answers("Comment", _SAID, status=201),
            },
        },
        f"{one}files/": {
            "parameters": [_ID],
            "get": {
                "tags": [TAGS[1]], "operationId": f"list_files_of_{entity.name}",
                "summary": f"Files of {label}, the latest first",
                "parameters": [*marks.parameters(), if_none],
                "responses": answers("FileList", _SEEN, more={304: unchanged}),
            },
            "post": {
                "tags": [TAGS[1]], "operationId": f"attach_to_{entity.name}",
                "summary": f"Attach a file to the {several}: its bytes are the body", "parameters": [size],
                "requestBody": {
                    "required": True,
                    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
                },
                "responses": answers("File", _SENT, status=201),
            },
        },
    }  # fmt: skip


def alone(answers: Answers, shared: list[Schema], unchanged: Schema) -> dict[str, Any]:
    """Comments and files by their own ids, and one's notifications."""
    once, if_none = shared
    fresh = {304: unchanged}

    def act(tag: int, name: str, summary: str, gives: str, *, refusals: tuple[int, ...] = _ACTED) -> Schema:
        about = {"tags": [TAGS[tag]], "operationId": name, "summary": summary, "parameters": [once]}
        return {**about, "responses": answers(gives, refusals)}

    def get(tag: int, name: str, summary: str, gives: str) -> Schema:
        about = {"tags": [TAGS[tag]], "operationId": name, "summary": summary, "parameters": [if_none]}
        return {**about, "responses": answers(gives, _SEEN, more=fresh)}

    content = answers("File", _SEEN)
    content["200"] = {
        "description": "The file.",
        "content": {n: {"schema": {"type": "string", "format": "binary"}} for n in ("*/*",)},
    }
    unread = {"name": "unread", "in": "query", "schema": _FLAG, "description": "Only what is not read yet."}
    notices = get(2, "list_notifications", "Your notifications, the latest first", "NotificationList")
    notices["parameters"] = [unread, *marks.parameters(), if_none]
    return {
        "/comments/{id}/": {
            "parameters": [_ID],
            "get": get(0, "read_comment", "Read one comment", "Comment"),
            "patch": act(0, "change_comment", "Other words for your comment", "Comment", refusals=_SAID)
            | _body("CommentWords"),
            "delete": act(0, "delete_comment", "Put a comment into the trash", "Gone"),
        },
        "/comments/{id}/restore/": {
            "parameters": [_ID], "post": act(0, "restore_comment", "Take a comment out of the trash", "Comment"),
        },
        "/files/{id}/": {
            "parameters": [_ID],
            "get": get(1, "read_file", "What a file is", "File"),
            "delete": act(1, "delete_file", "Put a file into the trash", "Gone"),
        },
        "/files/{id}/content/": {
            "parameters": [_ID],
            "get": {
                "tags": [TAGS[1]], "operationId": "fetch_file", "summary": "What is in a file", "responses": content,
            },
        },
        "/files/{id}/restore/": {
            "parameters": [_ID], "post": act(1, "restore_file", "Take a file out of the trash", "File"),
        },
        "/notifications/": {"get": notices},
        "/notifications/{id}/": {
            "parameters": [_ID],
            "patch": act(2, "mark_notification", "Read, or not after all", "NotificationMarked", refusals=_SAID)
            | _body("NotificationMark"),
        },
        "/notifications/read/": {
            "post": act(2, "mark_notifications_read", "Mark some or all as read", "NotificationsUnread", refusals=_SAID)
            | _body("NotificationsRead"),
        },
    }  # fmt: skip


def shapes() -> dict[str, Schema]:
    """Schemas of bodies and answers."""
    words = f"Up to {comments.LONGEST:,} characters; `@{{<id of a user>}}` mentions a colleague who may see the record."
    mention = _whole({"user_id": _UUID, "name": _TEXT})
    whole = {"type": "integer"}
    text = {"type": "string", "minLength": 1, "maxLength": comments.LONGEST, "description": words}
    comment = _whole(
        {
            "id": _UUID, "entity": _TEXT, "record_id": _UUID, "text": _TEXT, "plain": _TEXT,
            "mentions": {"type": "array", "items": mention}, "created_at": _MOMENT, "created_by_id": _MAYBE,
            "created_by": _TEXT, "edited": _FLAG,
        }
    )  # fmt: skip
    file = _whole(
        {
            "id": _UUID, "entity": _TEXT, "record_id": _UUID, "name": _TEXT, "type": _TEXT, "media_type": _TEXT,
            "size": {**whole, "description": "Bytes."}, "sha256": _TEXT, "created_at": _MOMENT,
            "created_by_id": _MAYBE, "content": {**_TEXT, "description": "Where its bytes are."},
        }
    )  # fmt: skip
    notice = _whole(
        {
            "id": _UUID, "kind": _TEXT, "sentence": _TEXT, "record": _TEXT, "text": _TEXT, "href": _TEXT, "by": _TEXT,
            "created_at": _MOMENT, "read": _FLAG,
        }
    )  # fmt: skip
    ids = {"type": "array", "items": _UUID, "minItems": 1, "maxItems": notifications.MOST}
    some = _closed({"ids": ids}, {"ids": [_A_USER]})
    every = _closed({"all": {"type": "boolean", "enum": [True]}}, {"all": True})
    count = {**whole, "description": "How many are not read; 100 stands for that many or more."}
    hello = f"@{{{_A_USER}}} please call them back."
    return {
        "Comment": comment,
        "CommentList": marks.list_schema(_ref("Comment")),
        "CommentWords": _closed({"text": text}, {"text": hello}),
        "File": file,
        "FileList": marks.list_schema(_ref("File")),
        "Gone": _whole({"id": _UUID, "deleted_at": _MOMENT, "restore": _TEXT}),
        "Notification": notice,
        "NotificationList": marks.list_schema(_ref("Notification"), unread=count),
        "NotificationMark": _closed({"read": _FLAG}, {"read": True}),
        "NotificationMarked": _whole({"id": _UUID, "read": _FLAG}),
        "NotificationsRead": {"oneOf": [some, every], "properties": {**some["properties"], **every["properties"]}},
        "NotificationsUnread": _whole({"unread": count}),
    }


def _whole(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _closed(properties: dict[str, Schema], example: dict[str, Any]) -> Schema:
    return {**_whole(properties), "additionalProperties": False, "examples": [example]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(name: str) -> Schema:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _ref(name)}}}}
