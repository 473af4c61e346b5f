"""The OpenAPI 3.1 document, made from the declarations that are served."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api import problems
from api.access import Audience, Delegable, NotYourCase
from api.openapi_words import HEADERS, HEALTH, PARAMETERS, PROBLEM_SCHEMA, headers, parameter
from api.operation import Operation, Routes
from auth.delegation.errors import BusinessRegisterUnavailable, KinshipUnavailable
from auth.errors import (
    LevelTooLow,
    MandateMissing,
    NotDelegable,
    RoleForbidden,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
)
from core.cache import TooManyRequests
from core.db import DatabaseUnavailable
from core.errors import Problem
from core.signers.http_signature import SignatureInvalid

_PARAMETER: Final = re.compile(r"<(\w+)(?::([^>]+))?>")
# Where a schema stands that others refer to, those of queries too.
_COMPONENT: Final = "#/components/schemas/{model}"
_ALWAYS: Final[tuple[type[Problem], ...]] = (
    problems.Malformed,
    problems.NotAcceptable,
    problems.AddressTooLong,
    problems.HeadersTooLarge,
    problems.MediaType,
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
    Audience.CITIZEN: (TokenMissing, TokenExpired, TokenInvalid, LevelTooLow),
    Audience.STAFF: (TokenMissing, TokenExpired, TokenInvalid, RoleForbidden),
    Audience.DEPARTMENT: (SignatureInvalid, NotYourCase),
    Audience.VERIFIER: (SignatureInvalid,),
}
# Which statuses of problems are kept under a key (`api/idempotency.py`).
_KEPT: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY})
_HEADERS_IN: Final = {"If-Match": "IfMatch"}


def document(routes: Sequence[Routes], *, version: str) -> dict[str, Any]:
    """Return the whole document."""
    operations = [operation for group in routes for operation in group.operations]
    schemas, definitions = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {**HEALTH}
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
            "schemas": {"Problem": PROBLEM_SCHEMA, **definitions},
            "parameters": PARAMETERS,
            "headers": HEADERS,
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
    found, top = models_json_schema(list(wanted), ref_template=_COMPONENT)
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
    if operation.raw:
        entry["requestBody"] = {"required": True, "content": {media_type: {} for media_type in operation.raw}}
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
                            **{name: {"type": "string", "maxLength": 64} for name in operation.texts},
                        },
                    },
                },
            },
        }
    if operation.access.audience is Audience.CITIZEN:
        entry["security"] = [{"citizen": []}]
        entry["x-level"] = operation.access.level
        entry["x-delegable"] = operation.access.delegable or Delegable.OWN
    elif operation.access.audience is Audience.STAFF:
        entry["security"] = [{"staff": []}]
        entry["x-roles"] = sorted(operation.access.roles)
        entry["x-scope"] = operation.access.reach
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
        schema = operation.query.model_json_schema(ref_template=_COMPONENT)
        required, own = schema.get("required", []), schema.get("$defs", {})
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": _in_place(_no_null(inner), own)}
            for name, inner in schema["properties"].items()
        ]
    shared = [_HEADERS_IN[name] for name in operation.headers_in]
    if operation.idempotency != "none":
        shared.append("IdempotencyKeyRequired" if operation.idempotency == "required" else "IdempotencyKey")
    shared += ["RequestId", "Language", "ClientMode", "DeviceId"]
    if _is_for_residents(operation):
        shared.append("OnBehalfOf")
    return found + [parameter(name) for name in shared]


def _is_for_residents(operation: Operation) -> bool:
    return operation.path.startswith("/v1/citizen/")


def _in_place(schema: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What a query parameter refers to stands where it is used: another kind of that name may be among the shared."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return {**own[name], **{key: value for key, value in schema.items() if key != "$ref"}} if name in own else schema


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
                entry["content"] = {media_type: {} for media_type in (operation.media_type, *operation.also_media)}
        else:
            entry = {
                "description": "Done.",
                "content": {"application/json": {"schema": schemas[(answer, "serialization")]}},
            }
        bare = answer is None and operation.media_type == "application/json"
        served = HTTPStatus.NO_CONTENT if bare and status == HTTPStatus.OK else status
        responses[str(int(served))] = entry | {"headers": headers(*_headers_of(operation, served, has_body=not bare))}
    by_status: dict[int, set[str]] = {}
    for problem in problems_of(operation):
        by_status.setdefault(problems.status_of(problem), set()).add(problem.code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = {
            "description": ", ".join(f"`{code}`" for code in sorted(codes)),
            "headers": headers(*_headers_of_problem(operation, status)),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return responses


def _headers_of(operation: Operation, status: int, *, has_body: bool) -> list[str]:
    # A signed token speaks no language.
    speaks = has_body and not operation.media_type.endswith("+jwt")
    found = ["X-Request-Id", *(["Content-Language"] if speaks else []), *operation.headers_out]
    if status == HTTPStatus.CREATED:
        found.append("Location")
    # Where there is something to come back to, the body tells of it.
    if status == HTTPStatus.ACCEPTED and has_body:
        found += ["Location", "Retry-After"]
    if operation.idempotency != "none":
        found.append("Idempotent-Replayed")
    return found


def _headers_of_problem(operation: Operation, status: int) -> list[str]:
    found = ["X-Request-Id", "Content-Language"]
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        found.append("Retry-After")
    if status == HTTPStatus.UNAUTHORIZED:
        found.append("WWW-Authenticate")
    if operation.idempotency != "none" and status in _KEPT:
        found.append("Idempotent-Replayed")
    return found


def problems_of(operation: Operation) -> list[type[Problem]]:
    """Return every problem that an operation may give."""
    found = [*_ALWAYS, *_BY_AUDIENCE[operation.access.audience], *operation.problems]
    if operation.body is not None or operation.files is not None:
        found += [problems.BodyRequired, problems.MediaType, problems.TooLarge]
    if operation.idempotency != "none":
        found += [problems.KeyReused, problems.InProgress]
    if operation.idempotency == "required":
        found.append(problems.KeyRequired)
    if operation.access.audience is Audience.CITIZEN:
        found += _of_mandates(operation)
    elif _is_for_residents(operation):
        found.append(MandateMissing)
    return found


def _of_mandates(operation: Operation) -> list[type[Problem]]:
    """Return what may be wrong with acting for somebody else at a route."""
    access = operation.access
    if not access.is_delegable:
        return [NotDelegable]
    found: list[type[Problem]] = [MandateMissing, KinshipUnavailable, BusinessRegisterUnavailable]
    return found if access.organisations else [*found, NotDelegable]
