"""Every route declares who may enter, in the folder of that audience, and each is served once."""

import ast
import importlib
from collections import Counter
from collections.abc import Iterable

from api.access import Access, Audience, Delegable, citizen
from api.operation import Operation, Routes
from tests.architecture.tree import Source, called, planted, sources

VERBS = {"get", "post", "put", "patch", "delete"}
# What an address begins with belongs to who may enter there; the public may be let in anywhere, by saying so.
BEGINNINGS = {
    "/v1/citizen/": Audience.CITIZEN,
    "/v1/staff/": Audience.STAFF,
    "/v1/departments/": Audience.DEPARTMENT,
    "/v1/verifiers/": Audience.VERIFIER,
}
# Doors of a resident or an operator who is not logged in yet, by the address or what it begins with.
DOORS = {
    "POST /v1/citizen/sessions",
    "POST /v1/citizen/sessions/renewals",
    "POST /v1/citizen/elder-sessions",
    "POST /v1/citizen/elder-sessions/<check_id:uuid>/evidence",
    "POST /v1/citizen/login-checks",
    "POST /v1/citizen/login-checks/<check_id:uuid>/evidence",
    "POST /v1/staff/sessions",
    "POST /v1/staff/activations",
}
# POSTs that honour no Idempotency-Key, and why each needs none. Whatever else changes something has to.
KEYLESS = {
    "POST /v1/public/progress-queries": "asks and changes nothing; a repeated question wants a fresh answer",
    "POST /v1/wechat/push": "WeChat numbers its pushes itself, and the same one has no effect",
    "POST /v1/citizen/sessions/renewals": "the second use of a refresh token has to be seen; it has its own grace",
    "POST /v1/citizen/attachments/<attachment_id:uuid>/addresses": "an address is kept nowhere: again is another one",
    "POST /v1/citizen/materials/<kept_id:uuid>/addresses": "an address is kept nowhere: again is another one",
    "POST /v1/public/copy-checks": "asks and changes nothing; a repeated question wants a fresh answer",
    "POST /v1/public/decision-checks": "asks and changes nothing; a repeated question wants a fresh answer",
    "POST /v1/verifiers/erasure-requests/<report_id:uuid>/confirmations": "a request is answered once",
    "POST /v1/verifiers/certificate-queries": "signed with a nonce, and answered once",
    "POST /v1/verifiers/verifications": "a code works once, and a second scan has to say so",
    "POST /v1/departments/<department:str>/progress": "signed with a nonce; the same news has no effect",
    "POST /v1/departments/<department:str>/certificates": "signed with a nonce; the same news has no effect",
    "POST /v1/departments/<department:str>/deaths": "signed with a nonce; the same news has no effect",
    "POST /v1/departments/<department:str>/message-reports": "signed with a nonce; the same report has no effect",
    "POST /v1/departments/<department:str>/incoming-messages": "asks and changes nothing; the same is answered again",
}
# The one place that hands routes to Sanic, and what is no operation: the document itself and its page, what supervisors
# ask, and what portals ask of a face node, where a certificate lets in and nothing else does.
SERVED_AT = {"api/app.py", "api/docs.py", "api/health.py", "api/face_node.py"}
EDGE = sources("api")


def groups() -> dict[str, Routes]:
    """Every group of routes that a module of the edge declares."""
    found: dict[str, Routes] = {}
    for source in EDGE:
        if not any(called(node).endswith("Routes") for node in source.nodes(ast.Call)):
            continue
        module = importlib.import_module(".".join(source.path.with_suffix("").parts))
        found |= {f"{source.path}:{name}": value for name, value in vars(module).items() if isinstance(value, Routes)}
    return found


def undeclared(given: Iterable[Source]) -> list[str]:
    """Routes without `access=`, and routes that go to Sanic past the declarations."""
    found = []
    for source in given:
        functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = [
            *source.nodes(ast.FunctionDef),
            *source.nodes(ast.AsyncFunctionDef),
        ]
        for node in functions:
            for mark in node.decorator_list:
                if not isinstance(mark, ast.Call) or called(mark).rpartition(".")[2] not in VERBS:
                    continue
                if not any(word.arg == "access" for word in mark.keywords):
                    found.append(f"{source.at(mark)}: {node.name} does not say who may enter")
        if str(source.path) not in SERVED_AT:
            found += [
                f"{source.at(node)}: a route past the declarations"
                for node in source.nodes(ast.Call)
                if called(node).rpartition(".")[2] in {"add_route", "add_websocket_route", "Blueprint"}
            ]
    return found


def in_the_wrong_place(operations: Iterable[Operation]) -> list[str]:
    found = []
    for operation in operations:
        own = next((who for start, who in BEGINNINGS.items() if operation.path.startswith(start)), Audience.PUBLIC)
        is_door = f"{operation.method} {operation.path}" in DOORS and operation.access.audience is Audience.PUBLIC
        if operation.access.audience is not own and not is_door:
            found.append(f"{operation.method} {operation.path} lets in {operation.access.audience}")
    return found


def silent_about_mandates(operations: Iterable[Operation]) -> list[str]:
    """Routes of residents that do not say what a mandate may do there, not even that it may do nothing."""
    return [
        f"{operation.method} {operation.path} does not say whether it can be delegated"
        for operation in operations
        if operation.access.audience is Audience.CITIZEN and operation.access.delegable is None
    ]


def without_keys(operations: Iterable[Operation]) -> set[str]:
    """POSTs that honour no Idempotency-Key."""
    return {
        f"{operation.method} {operation.path}"
        for operation in operations
        if operation.method == "POST" and operation.idempotency == "none"
    }


def declared(path: str, access: Access) -> Operation:
    routes = Routes(prefix="", tag="planted")

    async def handler() -> None:
        """Do nothing."""

    routes.get(path, access=access)(handler)  # type: ignore[arg-type]
    return routes.operations[0]


def operations() -> list[Operation]:
    return [operation for group in groups().values() for operation in group.operations]


def test_every_route_declares_who_may_enter() -> None:
    assert operations()
    assert undeclared(EDGE) == []
    assert undeclared(planted("api/citizen/wallet.py", '@routes.get("/certificates")\nasync def wallet(request): ...'))
    assert undeclared(planted("api/citizen/wallet.py", 'app.add_route(handler, "/certificates")'))


def test_a_route_lies_under_the_address_of_who_may_enter() -> None:
    assert in_the_wrong_place(operations()) == []
    assert in_the_wrong_place([declared("/v1/staff/cases", Access(Audience.CITIZEN))])
    assert in_the_wrong_place([declared("/v1/citizen/certificates", Access(Audience.PUBLIC))])


def test_every_route_of_residents_says_what_a_mandate_may_do_there() -> None:
    assert {operation.access.delegable for operation in operations()} >= set(Delegable)
    assert silent_about_mandates(operations()) == []
    assert silent_about_mandates([declared("/v1/citizen/certificates", citizen())])
    assert not silent_about_mandates([declared("/v1/citizen/me", citizen(delegable=Delegable.OWN))])


def test_every_post_honours_a_key_or_says_why_it_needs_none() -> None:
    assert without_keys(operations()) == KEYLESS.keys()
    # Nobody of the staff does anything twice because an answer was lost.
    assert not [path for path in KEYLESS if path.startswith("POST /v1/staff/")]
    assert sum(operation.method == "POST" for operation in operations()) >= 50
    planted_routes = Routes(prefix="", tag="planted")

    async def handler() -> None:
        """Do nothing."""

    planted_routes.post("/v1/staff/things", access=citizen(), idempotency="none")(handler)  # type: ignore[arg-type]
    assert without_keys(planted_routes.operations) == {"POST /v1/staff/things"}


def test_every_address_and_every_name_is_served_once() -> None:
    count = Counter(f"{operation.method} {operation.path}" for operation in operations())
    count.update(operation.name for operation in operations())
    assert [what for what, times in count.items() if times > 1] == []
