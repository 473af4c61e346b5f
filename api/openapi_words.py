"""What all operations of the document share: headers of requests and answers, problems, and the addresses of health."""

from typing import Any, Final

from api.request import DEVICE_PATTERN

PROBLEM_SCHEMA: Final[dict[str, Any]] = {
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

_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Repeating a request under its key has no second effect and gets the first answer, for 72 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}
PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "1 to 64 visible characters are echoed and found in the logs; anything else is replaced by an "
        "id of ours.",
        "schema": {"type": "string", "examples": ["5f0c6e2a9b"]},
    },
    "Language": {
        "name": "Accept-Language",
        "in": "header",
        "description": "The words of the answer: `zh-CN` unless it begins with `en`.",
        "schema": {"type": "string", "default": "zh-CN", "examples": ["zh-CN", "en"]},
    },
    "ClientMode": {
        "name": "X-Client-Mode",
        "in": "header",
        "description": "`elder` adds `plain` to problems: one short spoken sentence.",
        "schema": {"type": "string", "examples": ["elder"]},
    },
    "DeviceId": {
        "name": "X-Device-Id",
        "in": "header",
        "description": "Opaque, made by the client and kept by it. Without it a lost answer of a renewal cannot be "
        "given again, and the list of sessions names no device.",
        "schema": {"type": "string", "minLength": 16, "maxLength": 64, "pattern": f"^{DEVICE_PATTERN}$"},
    },
    "OnBehalfOf": {
        "name": "X-On-Behalf-Of",
        "in": "header",
        "description": "The mandate by which the caller acts for somebody else; without such a mandate, or where it "
        "does not go so far, 403 `auth.mandate-missing`; where nobody can act for another 403 `auth.not-delegable`.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "IdempotencyKey": _KEY | {"required": False},
    "IdempotencyKeyRequired": _KEY | {"required": True},
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "description": "The `ETag` of what is to be changed, as it was read.",
        "schema": {"type": "string"},
    },
}
_TEXT: Final[dict[str, Any]] = {"type": "string"}
HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-Id": {"required": True, "description": "The id of this request.", "schema": _TEXT},
    "Content-Language": {"required": True, "schema": {"enum": ["zh-CN", "en"]}},
    "ETag": {"required": True, "description": "The state that was read, for `If-Match`.", "schema": _TEXT},
    "Location": {"required": True, "description": "The address of what was made.", "schema": _TEXT},
    "Retry-After": {"required": True, "description": "Seconds.", "schema": {"type": "integer", "minimum": 1}},
    "Idempotent-Replayed": {
        "required": False,
        "description": "This is the answer that was first given under the key.",
        "schema": {"const": "true"},
    },
    "WWW-Authenticate": {"required": True, "description": "What to come with (RFC 6750).", "schema": _TEXT},
}


def parameter(name: str) -> dict[str, Any]:
    """Return the reference to a shared parameter."""
    return {"$ref": f"#/components/parameters/{name}"}


def headers(*names: str) -> dict[str, Any]:
    """Return the references to shared headers of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _health(name: str, summary: str, answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "tags": ["operations"],
            "parameters": [parameter("RequestId")],
            "responses": {
                **answers,
                "default": {
                    "description": "The request cannot be read.",
                    "headers": headers("X-Request-Id"),
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                },
            },
        },
    }


_LIVE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["status"],
    "additionalProperties": False,
    "properties": {"status": {"const": "alive"}},
}
_READY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["status", "parts", "ages"],
    "additionalProperties": False,
    "properties": {
        "status": {"enum": ["ready", "degraded", "not-ready"]},
        "parts": {"type": "object", "additionalProperties": {"enum": ["ok", "degraded", "down"]}},
        "ages": {
            "type": "object",
            "description": "For how many seconds a part has not been in order.",
            "additionalProperties": {"type": "integer", "minimum": 0},
        },
    },
}


def _json(description: str, schema: dict[str, Any], *names: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": headers("X-Request-Id", *names),
        "content": {"application/json": {"schema": schema}},
    }


HEALTH: Final[dict[str, dict[str, Any]]] = {
    "/health/live": _health("live", "Is this process alive", {"200": _json("Alive.", _LIVE)}),
    "/health/ready": _health(
        "ready",
        "Is this process ready to serve, and how is every part it needs",
        {
            "200": _json("Send work here; `degraded` when a part that is not needed is away.", _READY),
            "503": _json("Send no work here.", _READY, "Retry-After"),
        },
    ),
    "/metrics": _health(
        "metrics",
        "Figures in Prometheus' format",
        {
            "200": {
                "description": "All figures.",
                "headers": headers("X-Request-Id"),
                "content": {"text/plain": {"schema": _TEXT}},
            },
        },
    ),
}
