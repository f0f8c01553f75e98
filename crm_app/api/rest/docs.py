"""The description of the interface: for programs as an OpenAPI document, for people as a page without any script."""

import html
import re
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse

from crm_app.api.requests import header
from crm_app.api.rest import entities as seen
from crm_app.api.rest import openapi as described
from crm_app.api.rest.answers import JSON, Answer, digest, is_known
from crm_app.api.rest.calls import Call, served
from crm_app.core import registry
from crm_app.settings import settings

_SHEET = Template((Path(__file__).parent / "docs.html").read_text())
_METHODS = ("get", "post", "put", "patch", "delete")


async def openapi(request: Request) -> Any:
    """GET /api/openapi.json; with a token as its owner sees the records."""
    if header(request.scope, b"authorization"):
        return await served(request, _as_seen, ())
    return _marked_answer(request, _plain())


async def _as_seen(call: Call) -> Answer:
    async with call.work() as uow:
        entities = [await seen.named(uow, e.name) for e in registry.all_entities()]
    return _marked_answer(call.request, orjson.dumps(described.document(entities)))


def _marked_answer(request: Request, body: bytes) -> Answer:
    mark = f'"{digest(body)}"'
    headers = {"etag": mark, "cache-control": "no-cache", "vary": "Authorization", "content-type": JSON}
    if is_known(mark, header(request.scope, b"if-none-match")):
        return Answer(304, b"", headers)
    return Answer(200, body, headers)


async def page(_: Request) -> HTMLResponse:
    """GET /api/docs."""
    return HTMLResponse(_page())


@lru_cache(maxsize=1)
def _plain() -> bytes:
    return orjson.dumps(described.document(registry.all_entities()))


@lru_cache(maxsize=1)
def _page() -> str:
    document = described.document(registry.all_entities())
    groups: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if operation := item.get(method):
                shared = item.get("parameters", [])
                groups[operation["tags"][0]].append(_operation(document, path, method, operation, shared))
    menu = "".join(f'<li><a href="#{_anchor(name)}">{_(name)}</a></li>' for name in groups)
    sections = "".join(
        f'<section id="{_anchor(name)}"><h2>{_(name)}</h2>{"".join(operations)}</section>'
        for name, operations in groups.items()
    )
    intro = "".join(f"<p>{_marked(part)}</p>" for part in document["info"]["description"].split("\n\n"))
    return _SHEET.substitute(menu=menu, intro=intro, sections=sections, start=_(_start()))


def _operation(document: Any, path: str, method: str, operation: Any, shared: list[Any]) -> str:
    parameters = [*shared, *operation.get("parameters", [])]
    parts = [_parameters(parameters)] if parameters else []
    if body := operation.get("requestBody"):
        kinds = body["content"]
        named = kinds.get(JSON, {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        shown = _fields(document["components"]["schemas"][named]) if named else f"<p>{_(' or '.join(kinds))}</p>"
        parts.append(f"<h4>Body</h4>{shown}")
    answers = "".join(
        f"<tr><td><code>{code}</code></td><td>{_(_about(document, answer))}</td></tr>"
        for code, answer in sorted(operation["responses"].items())
    )
    parts.append(f"<h4>Answers</h4><table>{answers}</table>")
    return (
        f'<details id="{operation["operationId"]}"><summary><b class="{method}">{method.upper()}</b> '
        f"<code>/api{_(path)}</code> <span>{_(operation['summary'])}</span></summary>{''.join(parts)}</details>"
    )


def _parameters(parameters: list[Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{_(p['name'])}</code><br><small>{p['in']}</small></td>"
        f"<td>{_(_kind(p['schema']))}</td><td>{_marked(p.get('description', ''))}</td></tr>"
        for p in parameters
    )
    return f"<h4>Parameters</h4><table>{rows}</table>"


def _fields(schema: Any) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{_(name)}</code>{'<br><small>required</small>' if name in required else ''}</td>"
        f"<td>{_(_kind(field))}</td><td>{_marked(field.get('description', field.get('title', '')))}</td></tr>"
        for name, field in schema["properties"].items()
    )
    example = schema.get("examples", [None])[0]
    shown = f"<pre>{_(orjson.dumps(example, option=orjson.OPT_INDENT_2).decode())}</pre>" if example else ""
    return f"<table>{rows}</table>{shown}"


def _kind(schema: Any) -> str:
    kinds = schema.get("type", "")
    kind = " or ".join(kinds) if isinstance(kinds, list) else kinds
    more = schema.get("format") or (f"up to {schema['maxLength']}" if "maxLength" in schema else "")
    return f"{kind} ({more})" if more else kind


def _about(document: Any, answer: Any) -> str:
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return str(answer["description"])


def _start() -> str:
    return (
        f'curl -H "Authorization: Bearer $SALESCOMPASS_KEY" \\\n'
        f'  "{settings().base_url}/api/opportunities/?amount_minor[gte]=1000000&sort=-amount_minor&expand=account"'
    )


def _marked(text: str) -> str:
    """The few marks of the introduction: **bold** and `code`."""
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", _(text))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", safe)


def _anchor(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower())


def _(text: str) -> str:
    return html.escape(str(text))
