"""The OpenAPI 3.1 document, made from the declarations that are served, and a page that shows it offline."""

import re
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from sanic import Sanic
from sanic.exceptions import NotFound
from sanic.response import HTTPResponse

from api import problems
from api.access import Audience, NotYourCase
from api.operation import Operation, Request, Routes
from auth.errors import LevelTooLow, MandateMissing, TokenExpired, TokenInvalid, TokenMissing
from core.cache import TooManyRequests
from core.db import DatabaseUnavailable
from core.errors import Problem
from core.signers.http_signature import SignatureInvalid

_PARAMETER: Final = re.compile(r"<(\w+)(?::([^>]+))?>")
_ALWAYS: Final[tuple[type[Problem], ...]] = (
    problems.Malformed,
    problems.NotAcceptable,
    problems.AddressTooLong,
    problems.HeadersTooLarge,
    problems.RequestInvalid,
    problems.RequestNotFound,
    problems.RequestTimeout,
    problems.TooLarge,
    problems.Overloaded,
    DatabaseUnavailable,
    TooManyRequests,
)
_BY_AUDIENCE: Final[dict[Audience, tuple[type[Problem], ...]]] = {
    Audience.PUBLIC: (),
    Audience.CITIZEN: (TokenMissing, TokenExpired, TokenInvalid, LevelTooLow, MandateMissing),
    Audience.STAFF: (TokenMissing, TokenExpired, TokenInvalid),
    Audience.DEPARTMENT: (SignatureInvalid, NotYourCase),
    Audience.VERIFIER: (SignatureInvalid,),
}
_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457. `title` is for the citizen; `code` is for programs.",
    "required": ["type", "title", "status", "code", "instance", "retryable"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "instance": {"type": "string", "description": "The request id."},
        "retryable": {"type": "boolean"},
        "plain": {"type": "string", "description": "One short spoken sentence, in the elder mode."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "alternatives": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["method", "text"],
                "properties": {
                    "method": {"type": "string"},
                    "text": {"type": "string"},
                    "start": {"type": "string"},
                },
            },
        },
    },
}


def document(routes: Sequence[Routes], *, version: str) -> dict[str, Any]:
    """Return the whole document."""
    operations = [operation for group in routes for operation in group.operations]
    schemas, definitions = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = _PARAMETER.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _entry(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "指尖办事 zhijian",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Real-name login, face checks, certificates and matters behind a city's mini program.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM_SCHEMA, **definitions},
            "securitySchemes": {
                "citizen": {"type": "http", "scheme": "bearer", "description": "An access token of a resident."},
                "staff": {"type": "http", "scheme": "bearer", "description": "A session of an operator."},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Signature",
                    "description": "RFC 9421 over @method, @target-uri, content-digest and content-type.",
                },
            },
        },
    }


def _schemas(operations: Sequence[Operation]) -> tuple[dict[tuple[type[BaseModel], str], Any], dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], Any], None] = {}
    for operation in operations:
        if operation.body is not None:
            wanted[(operation.body, "validation")] = None
        if operation.query is not None:
            wanted[(operation.query, "validation")] = None
        for answer in operation.answers.values():
            if answer is not None:
                wanted[(answer, "serialization")] = None
    found, top = models_json_schema(list(wanted), ref_template="#/components/schemas/{model}")
    schemas: dict[tuple[type[BaseModel], str], Any] = {
        (model, mode): schema
        for (model, mode), schema in found.items()
        if isinstance(model, type) and issubclass(model, BaseModel)
    }
    return schemas, top.get("$defs", {})


def _entry(operation: Operation, schemas: dict[tuple[type[BaseModel], str], Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": _responses(operation, schemas),
    }
    if operation.body is not None:
        entry["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[(operation.body, "validation")]}},
        }
    if operation.files is not None:
        entry["requestBody"] = {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": [operation.files],
                        "additionalProperties": False,
                        "properties": {
                            operation.files: {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "string", "contentMediaType": "application/octet-stream"},
                            },
                        },
                    },
                },
            },
        }
    if operation.access.audience is Audience.CITIZEN:
        entry["security"] = [{"citizen": []}]
        entry["x-level"] = operation.access.level
    elif operation.access.audience is Audience.STAFF:
        entry["security"] = [{"staff": []}]
        entry["x-roles"] = sorted(operation.access.roles)
    elif operation.access.audience is Audience.DEPARTMENT:
        entry["security"] = [{"signature": []}]
    elif operation.access.audience is Audience.VERIFIER:
        entry["security"] = [{}, {"signature": []}]
    return entry


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid"} if kind == "uuid" else {"type": "string"},
        }
        for name, kind in _PARAMETER.findall(operation.path)
    ]
    if operation.query is not None:
        schema = operation.query.model_json_schema()
        required = schema.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": _no_null(inner)}
            for name, inner in schema["properties"].items()
        ]
    if operation.idempotency != "none":
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": operation.idempotency == "required",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
            },
        )
    found += [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in operation.headers_in
    ]
    return found


def _no_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter is absent, not null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice.get("type") != "null"]
    if len(choices) == 1:
        return {**{key: value for key, value in schema.items() if key not in {"anyOf", "default"}}, **choices[0]}
    return schema


def _responses(operation: Operation, schemas: dict[tuple[type[BaseModel], str], Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, answer in operation.answers.items():
        if answer is None:
            entry: dict[str, Any] = {"description": "Done."}
            if operation.media_type != "application/json":
                entry["content"] = {operation.media_type: {}}
        else:
            entry = {
                "description": "Done.",
                "content": {"application/json": {"schema": schemas[(answer, "serialization")]}},
            }
        if status == HTTPStatus.CREATED:
            entry["headers"] = {"Location": {"schema": {"type": "string"}, "required": True}}
        bare = answer is None and operation.media_type == "application/json"
        served = HTTPStatus.NO_CONTENT if bare and status == HTTPStatus.OK else status
        responses[str(int(served))] = entry
    by_status: dict[int, set[str]] = {}
    for problem in problems_of(operation):
        by_status.setdefault(problems.status_of(problem), set()).add(problem.code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = {
            "description": ", ".join(f"`{code}`" for code in sorted(codes)),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return responses


def problems_of(operation: Operation) -> list[type[Problem]]:
    """Return every problem that an operation may give."""
    found = [*_ALWAYS, *_BY_AUDIENCE[operation.access.audience], *operation.problems]
    if operation.body is not None or operation.files is not None:
        found += [problems.BodyRequired, problems.MediaType, problems.TooLarge]
    if operation.idempotency != "none":
        found += [problems.KeyReused, problems.InProgress]
    if operation.idempotency == "required":
        found.append(problems.KeyRequired)
    return found


# --- the page -------------------------------------------------------------------------------------------------------

_PAGE: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>指尖办事 API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="ui"></div><script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script></body></html>"""
_START: Final = """window.ui = SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui", deepLinking: true,
  validatorUrl: null, presets: [SwaggerUIBundle.presets.apis]});"""
_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@cache
def _asset(name: str) -> bytes:
    if name == "start.js":
        return _START.encode()
    spec = find_spec("flask_openapi3_swagger")
    if spec is None or not spec.submodule_search_locations:
        raise NotFound
    folder = Path(spec.submodule_search_locations[0]) / "templates" / "swagger"
    for path in folder.rglob(name):
        return path.read_bytes()
    raise NotFound


def add_docs(app: Sanic[Any, Any], described: dict[str, Any]) -> None:
    """Serve the document at /openapi.json and a page for it at /docs, without any outside request."""

    async def page(_request: Request) -> HTTPResponse:
        return HTTPResponse(
            _PAGE, headers={"Content-Security-Policy": _POLICY}, content_type="text/html; charset=utf-8"
        )

    async def asset(_request: Request, name: str) -> HTTPResponse:
        if name not in {"swagger-ui.css", "swagger-ui-bundle.js", "start.js"}:
            raise NotFound
        return HTTPResponse(
            _asset(name), headers={"Cache-Control": "public, max-age=86400"}, content_type=_TYPES[Path(name).suffix]
        )

    async def specification(_request: Request) -> HTTPResponse:
        from sanic.response import json as json_response  # noqa: PLC0415 — the one use

        return json_response(described)

    app.add_route(page, "/docs", name="docs")
    app.add_route(asset, "/docs/assets/<name:str>", name="docs_asset")
    app.add_route(specification, "/openapi.json", name="openapi")
