"""Every route of the staff and every role: what is written down is what the door does, and nothing leaves unmasked."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Annotated, Any, get_args, get_origin
from uuid import UUID

import pytest
from pydantic import AfterValidator, BaseModel, ValidationError

from api.access import Access, Audience, Reach, admit, staff
from api.operation import Operation, Out
from api.routes import ROUTES
from api.staff import words
from api.staff.openings import ResidentOut
from api.staff.words import Masked
from auth.errors import RoleForbidden, TokenInvalid, TokenMissing
from auth.types import Role, RoleGrant, StaffCaller, StaffScope
from scripts.reference import matrix_page
from tests.architecture.tree import ROOT
from tests.fakes.staff import Staff, limited, make_staff

OPERATIONS = [
    operation for group in ROUTES for operation in group.operations if operation.access.audience is Audience.STAFF
]
ROW = re.compile(r"^\| `([A-Z]+) ([^`]+)` \| (\w+) \| (.+) \|$")
PAGE = (ROOT / "docs" / "staff-matrix.md").read_text(encoding="utf-8")
# What of a person has a name of its own in answers; `title` and `username` are no person's.
PERSONAL = re.compile(r"^(name|id_number|mobile|phone|birth.*|address|portrait|openid|holder.*|applicant.*|values?)$")


def written() -> dict[str, tuple[str, dict[Role, bool]]]:
    """The page as it is checked in: route → scope, and role → let in."""
    found = {}
    for line in PAGE.splitlines():
        if match := ROW.match(line):
            method, path, scope, entries = match.groups()
            marks = [entry.strip() == "✓" for entry in entries.split("|")]
            found[f"{method} {path}"] = (scope, dict(zip(Role, marks, strict=True)))
    return found


async def door(given: Staff, access: Access, token: str) -> bool:
    """Whether the real door, with real sessions behind it, lets a token in."""
    services = SimpleNamespace(staff_sessions=given.sessions)
    request: Any = SimpleNamespace(
        headers={"authorization": f"Bearer {token}"},
        app=SimpleNamespace(ctx=SimpleNamespace(services=services)),
        ctx=SimpleNamespace(address=given.address),
    )
    try:
        await admit(request, access)
    except RoleForbidden:
        return False
    return True


def test_the_page_names_every_route_and_no_other() -> None:
    declared = {f"{operation.method} {operation.path}" for operation in OPERATIONS}
    assert len(declared) >= 35
    assert set(written()) == declared
    assert matrix_page() == PAGE, "run `python -m scripts.reference` and look at what changes"


async def test_the_door_does_what_the_page_says_for_every_route_and_every_role(staff_: Staff) -> None:
    tokens = {role: (await staff_.log_in(await staff_.member(role))).access_token for role in Role}
    page, wrong = written(), []
    for operation in OPERATIONS:
        scope, let_in = page[f"{operation.method} {operation.path}"]
        assert scope == operation.access.reach
        wrong += [
            f"{operation.method} {operation.path}: {role}"
            for role in Role
            if await door(staff_, operation.access, tokens[role]) is not let_in[role]
        ]
    assert wrong == []


async def test_a_grant_with_limits_opens_rows_and_what_is_ones_own_and_nothing_else(staff_: Staff) -> None:
    daily = (Role.APPROVER, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, Role.OPERATOR)
    member = await staff_.member(*(limited(role, department="taxation") for role in daily))
    token = (await staff_.log_in(member)).access_token
    opened = {operation.path for operation in OPERATIONS if await door(staff_, operation.access, token)}
    expected = {
        operation.path
        for operation in OPERATIONS
        if operation.access.reach is Reach.OWN
        or (operation.access.reach is Reach.ROWS and operation.access.roles & set(daily))
    }
    assert opened == expected
    assert {"/v1/staff/openings", "/v1/staff/sessions"} <= opened


async def test_without_a_session_no_door_opens(staff_: Staff) -> None:
    for operation in OPERATIONS:
        with pytest.raises(TokenInvalid):
            await door(staff_, operation.access, "unknown")
        with pytest.raises(TokenMissing):
            await door(staff_, operation.access, "")


def test_a_route_without_a_word_about_its_reach_is_closed_to_limits() -> None:
    caller = StaffCaller(UUID(int=1), UUID(int=2), "op", (RoleGrant(Role.ACCEPTOR, StaffScope(department="taxation")),))
    assert not staff(Role.ACCEPTOR).lets_in(caller)
    assert staff(Role.ACCEPTOR, scope=Reach.ROWS).lets_in(caller)
    assert not staff(Role.OPERATOR, scope=Reach.ROWS).lets_in(caller)


# --- masked -----------------------------------------------------------------------------------------------------------


def models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_of(inner)


def is_masked(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return any(isinstance(mark, AfterValidator) and mark.func is words._masked for mark in annotation.__metadata__)
    return any(is_masked(inner) for inner in get_args(annotation))


def unmasked(model: type[BaseModel], seen: frozenset[type[BaseModel]] = frozenset()) -> list[str]:
    """The fields of an answer, at any depth, that are named like something personal and may leave as they are."""
    if model in seen:
        return []
    hints = {name: (field.annotation, field.metadata) for name, field in model.model_fields.items()}
    found = []
    for name, (annotation, metadata) in hints.items():
        masked = is_masked(annotation) or any(getattr(mark, "func", None) is words._masked for mark in metadata)
        if PERSONAL.match(name) and not masked:
            found.append(f"{model.__name__}.{name}")
        for inner in models_of(annotation):
            found += unmasked(inner, seen | {model})
    return found


def leaking(operations: list[Operation]) -> list[str]:
    return [
        f"{operation.path}: {field}"
        for operation in operations
        if operation.method == "GET" and not operation.path.startswith("/v1/staff/jobs")  # Names of jobs.
        for answer in operation.answers.values()
        if answer is not None
        for field in unmasked(answer)
    ]


def test_no_route_of_the_staff_reads_personal_fields_unmasked() -> None:
    assert len([operation for operation in OPERATIONS if operation.method == "GET"]) >= 15
    assert leaking(OPERATIONS) == []

    class Planted(Out):
        id: UUID
        name: str

    class Around(Out):
        items: list[Planted]

    class Good(Out):
        name: Masked | None
        mobile: Masked

    assert unmasked(Around) == ["Planted.name"]
    assert unmasked(Good) == []


def test_a_value_that_is_not_masked_is_not_answered() -> None:
    assert ResidentOut(id=UUID(int=1), name="霍**", id_number=None, mobile=None).name == "霍**"
    with pytest.raises(ValidationError):
        ResidentOut(id=UUID(int=1), name="某人", id_number=None, mobile=None)


@pytest.fixture
def staff_(ground: Any) -> Staff:
    return make_staff(ground)
