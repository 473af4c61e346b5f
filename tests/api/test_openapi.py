"""The document is valid, complete and true, and its page asks nobody outside."""

import json
import re
from typing import Any

import jsonschema
import pytest

from api.openapi import document, problems_of
from api.problems import status_of
from api.routes import ROUTES
from tests.api.edge import Edge
from tests.api.service import ALICE, GROUPS, KEYS

OPERATIONS = [operation for group in GROUPS for operation in group.operations]


def described() -> dict[str, Any]:
    return document(GROUPS, version="1.2.3")


def entry_of(operation: Any) -> dict[str, Any]:
    path = re.sub(r"<(\w+)(?::[^>]+)?>", r"{\1}", operation.path)
    entry: dict[str, Any] = described()["paths"][path][operation.method.lower()]
    return entry


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    """What a reference into the document leads to."""
    found = value
    if "$ref" in value:
        found = described()
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
    return found


def parameters_of(operation: Any) -> list[dict[str, Any]]:
    return [resolved(each) for each in entry_of(operation)["parameters"]]


def refs(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(refs(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(refs(inner) for inner in value))
    return set()


# The parts of the OpenAPI 3.1 schema (https://spec.openapis.org/oas/3.1) that a document made by code can get wrong.
OAS: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["openapi", "info", "paths", "components"],
    "properties": {
        "openapi": {"pattern": r"^3\.1\.\d+$"},
        "info": {
            "type": "object",
            "required": ["title", "version"],
            "properties": {"license": {"required": ["name"], "not": {"required": ["identifier", "url"]}}},
        },
        "paths": {
            "type": "object",
            "propertyNames": {"pattern": "^/"},
            "additionalProperties": {
                "type": "object",
                "propertyNames": {"enum": ["get", "post", "put", "patch", "delete"]},
                "additionalProperties": {"$ref": "#/$defs/operation"},
            },
        },
    },
    "additionalProperties": False,
    "patternProperties": {"^(servers|components|openapi|info|paths|tags)$": True},
    "$defs": {
        "operation": {
            "type": "object",
            "required": ["operationId", "responses", "summary", "tags"],
            "properties": {
                "parameters": {
                    "type": "array",
                    "items": {"anyOf": [{"$ref": "#/$defs/parameter"}, {"$ref": "#/$defs/reference"}]},
                },
                "requestBody": {
                    "required": ["content"],
                    "properties": {"content": {"$ref": "#/$defs/content"}, "required": {"type": "boolean"}},
                    "additionalProperties": False,
                },
                "responses": {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": {"pattern": "^([1-5][0-9]{2}|default)$"},
                    "additionalProperties": {
                        "type": "object",
                        "required": ["description"],
                        "properties": {
                            "content": {"$ref": "#/$defs/content"},
                            "headers": {"type": "object", "additionalProperties": {"$ref": "#/$defs/reference"}},
                        },
                    },
                },
                "security": {"type": "array", "items": {"type": "object"}},
            },
        },
        "reference": {
            "type": "object",
            "required": ["$ref"],
            "properties": {"$ref": {"pattern": "^#/components/(parameters|headers)/"}},
            "additionalProperties": False,
        },
        "parameter": {
            "type": "object",
            "required": ["name", "in", "schema"],
            "properties": {"in": {"enum": ["path", "query", "header"]}, "required": {"type": "boolean"}},
            "if": {"properties": {"in": {"const": "path"}}},
            "then": {"properties": {"required": {"const": True}}, "required": ["required"]},
        },
        "content": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z]+/"},
            "additionalProperties": {"type": "object"},
        },
    },
}


def test_the_document_is_an_openapi_3_1_document() -> None:
    jsonschema.Draft202012Validator.check_schema(OAS)
    jsonschema.validate(described(), OAS, cls=jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(described() | {"paths": {"x": {}}}, OAS, cls=jsonschema.Draft202012Validator)


def test_every_schema_in_it_is_a_json_schema_and_every_reference_leads_somewhere() -> None:
    whole = described()
    for name, schema in whole["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert name
    found = refs(whole)
    assert {ref.split("/")[2] for ref in found} == {"schemas", "parameters", "headers"}
    for ref in found:
        _, _, kind, name = ref.split("/")
        assert name in whole["components"][kind], ref
    for kind in ("parameters", "headers"):
        for each in whole["components"][kind].values():
            jsonschema.Draft202012Validator.check_schema(each["schema"])
    for each in whole["components"]["parameters"].values():
        jsonschema.validate(each, {**OAS["$defs"]["parameter"]})


def test_every_reference_of_what_is_served_leads_somewhere() -> None:
    served = document(ROUTES, version="1.2.3")
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(served))):
        found = served
        for part in reference.removeprefix("#/").split("/"):
            assert part in found, reference
            found = found[part]


def test_every_declared_route_is_in_it_under_an_id_of_its_own() -> None:
    ids = [entry_of(operation)["operationId"] for operation in OPERATIONS]
    assert len(ids) == len(set(ids)) == len(OPERATIONS)
    told = [entry["operationId"] for path in described()["paths"].values() for entry in path.values()]
    assert sorted(told) == sorted([*ids, "live", "ready", "metrics"])


def test_every_parameter_of_a_path_is_declared() -> None:
    for operation in OPERATIONS:
        named = set(re.findall(r"<(\w+)", operation.path))
        declared = {each["name"] for each in parameters_of(operation) if each["in"] == "path"}
        assert named == declared


def test_who_may_enter_is_told() -> None:
    told = {operation.handler.__name__: entry_of(operation).get("security") for operation in OPERATIONS}
    assert told["make_thing"] == [{"citizen": []}]
    assert told["read_books"] == [{"staff": []}]
    assert told["progress"] == [{"signature": []}]
    assert told["ask"] == [{}, {"signature": []}]
    assert told["fail"] is None


def test_bodies_queries_files_keys_and_tags_are_told() -> None:
    told = {operation.handler.__name__: entry_of(operation) for operation in OPERATIONS}
    body = told["make_thing"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/ThingIn"}
    query = {each["name"]: each for each in told["list_things"]["parameters"] if "name" in each}
    assert query["limit"]["schema"]["maximum"] == 100
    assert query["cursor"] | {"required": False, "in": "query"} == query["cursor"]
    assert "anyOf" not in query["cursor"]["schema"]
    assert "frames" in str(told["send_pictures"]["requestBody"]["content"]["multipart/form-data"])
    keys = {
        operation.handler.__name__: {each["name"]: each.get("required", False) for each in parameters_of(operation)}
        for operation in OPERATIONS
    }
    assert keys["make_certain_thing"]["Idempotency-Key"] is True
    assert keys["make_thing"]["Idempotency-Key"] is False
    assert keys["change_thing"]["If-Match"] is True
    assert "Idempotency-Key" not in keys["list_things"]


def test_the_headers_that_every_operation_reads_are_told() -> None:
    everywhere = {"X-Request-Id", "Accept-Language", "X-Client-Mode", "X-Device-Id"}
    for operation in OPERATIONS:
        named = {each["name"] for each in parameters_of(operation)}
        assert everywhere <= named
        assert ("X-On-Behalf-Of" in named) is operation.path.startswith("/v1/citizen/")


def test_the_headers_of_answers_are_told() -> None:
    told = {operation.handler.__name__: entry_of(operation)["responses"] for operation in OPERATIONS}
    for responses in told.values():
        assert all("X-Request-Id" in response["headers"] for response in responses.values())
        assert all("Retry-After" in responses[status]["headers"] for status in ("429", "503"))
    assert {"Location", "Idempotent-Replayed"} <= set(told["make_thing"]["201"]["headers"])
    assert {"ETag", "Content-Language"} <= set(told["get_thing"]["200"]["headers"])
    assert "Content-Language" not in told["delete_thing"]["204"]["headers"]
    assert "WWW-Authenticate" in told["get_thing"]["401"]["headers"]
    assert "Idempotent-Replayed" in told["close_thing"]["409"]["headers"]


def test_what_is_taken_and_goes_on_says_where_to_come_back_to_if_there_is_anything() -> None:
    taken = [
        (path, told["responses"]["202"])
        for path, methods in document(ROUTES, version="0")["paths"].items()
        for told in methods.values()
        if "202" in told.get("responses", {})
    ]
    assert {"content" in response for _, response in taken} == {True, False}
    for path, response in taken:
        assert ({"Location", "Retry-After"} <= set(response["headers"])) is ("content" in response), path


async def test_the_addresses_of_health_are_told_as_they_answer(edge: Edge) -> None:
    paths = described()["paths"]
    for path in ("/health/live", "/health/ready", "/metrics"):
        told = await edge.ask("GET", path, token=None)
        response = paths[path]["get"]["responses"][str(told.status)]
        media = told.headers["content-type"].partition(";")[0]
        if media == "application/json":
            jsonschema.validate(told.json, response["content"][media]["schema"])
        assert media in response["content"]
        assert "503" in paths["/health/ready"]["get"]["responses"]


def test_every_problem_an_operation_may_give_stands_at_its_status() -> None:
    for operation in OPERATIONS:
        responses = entry_of(operation)["responses"]
        for problem in problems_of(operation):
            assert f"`{problem.code}`" in responses[str(status_of(problem))]["description"]


async def test_what_is_answered_is_what_is_described(edge: Edge) -> None:
    whole = (await edge.ask("GET", "/openapi.json", token=None)).json
    schemas = {"components": whole["components"]}

    def check(told: Any, method: str, path: str) -> None:
        response = whole["paths"][path][method]["responses"][str(told.status)]
        media = told.headers["content-type"].partition(";")[0]
        jsonschema.validate(told.json, response["content"][media]["schema"] | schemas)
        for name, header in response["headers"].items():
            if resolved(header)["required"]:
                assert name.lower() in told.headers

    check(await edge.ask("POST", "/v1/citizen/things", {"name": "a"}), "post", "/v1/citizen/things")
    check(await edge.ask("POST", "/v1/citizen/things", {"x": "a"}), "post", "/v1/citizen/things")
    check(await edge.ask("GET", "/v1/citizen/things"), "get", "/v1/citizen/things")
    check(await edge.ask("GET", "/v1/citizen/things?x=1"), "get", "/v1/citizen/things")
    check(await edge.ask("GET", f"/v1/citizen/things/{ALICE}"), "get", "/v1/citizen/things/{thing_id}")
    check(await edge.ask("GET", "/v1/citizen/portrait"), "get", "/v1/citizen/portrait")
    check(await edge.ask("GET", "/v1/citizen/portrait", token=None), "get", "/v1/citizen/portrait")


async def test_the_page_asks_nobody_outside(edge: Edge) -> None:
    page = await edge.ask("GET", "/docs", token=None)
    assert page.status == 200
    assert "://" not in page.body.decode()
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    assert len(assets) == 3
    for asset in assets:
        told = await edge.ask("GET", asset, token=None)
        assert told.status == 200
        assert told.body
        assert told.headers["content-type"].startswith(("text/css", "text/javascript"))
    assert b"/openapi.json" in (await edge.ask("GET", "/docs/assets/start.js", token=None)).body


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..%2f..%2fpyproject.toml", "swagger-ui.js", "%00", ""])
async def test_only_the_pages_own_files_are_served(edge: Edge, name: str) -> None:
    told = await edge.ask("GET", f"/docs/assets/{name}", token=None)
    assert (told.status, told.code) == (404, "request.not-found")


async def test_the_keys_of_departments_are_nowhere_in_it(edge: Edge) -> None:
    told = await edge.ask("GET", "/openapi.json", token=None)
    assert all(key not in told.body.decode() for key in KEYS)
