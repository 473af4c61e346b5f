"""Every door of a running product, tried with tokens that are not ours and with ids that are not one's own.

The doors are the declared operations: a new route is tried without a line here (what it needs stands in `doors.py`).
"""

import asyncio
import random
import time
import uuid
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from api.access import Audience
from api.operation import Operation
from tests.architecture.tree import ROOT
from tests.fakes.forgeries import NOT_FOR_A_HEADER, es256, forgeries, made
from tests.faults.conftest import Found
from tests.faults.doors import (
    BETWEEN_TWO,
    BODIES,
    MAKERS,
    between_two,
    filled,
    owned,
    parameters_of,
    with_token,
    without_body,
    without_maker,
)
from tests.faults.neighbours import Neighbours
from tests.faults.operators import make_operator, operator_token
from tests.journeys.resident import Reply, Resident
from tests.journeys.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

OF_A_PROBLEM = {
    "type", "title", "status", "code", "instance", "retryable", "plain", "alternatives", "errors", "required", "ways",
}  # fmt: skip
OWNER, OTHER = "wanqiushi", "zhuangjiheng"
# Who logs out everywhere, and so from under nobody else's test.
LEAVER = "qumanlin"
AT_ONCE = 16


@pytest.fixture(scope="module")
def town(found: Found) -> Town:
    return found(before_start=make_operator)


async def ask(who: Resident, operation: Operation, values: dict[str, str], *, token: str | None = None) -> Reply:
    """Ask as somebody who has read the document would: with a body, a tag, a key and a file where they are wanted."""
    headers = {"If-Match": '"1"'} if "If-Match" in operation.headers_in else {}
    key = uuid.uuid4().hex if operation.idempotency == "required" else None
    files = [b"\xff\xd8\xff\xe0 no picture"] if operation.files else None
    return await who.ask(
        operation.method,
        filled(operation, values),
        BODIES.get(operation.name),
        key=key,
        headers=headers,
        files=files,
        field_name=operation.files or "",
        token=token,
    )


async def refusals(who: Resident, tries: Sequence[tuple[str, Operation, str]]) -> list[str]:
    """Try tokens at doors; return what was answered otherwise than by 401 and a problem document."""
    places = asyncio.Semaphore(AT_ONCE)
    wrong: list[str] = []

    async def one(name: str, operation: Operation, token: str) -> None:
        async with places:
            reply = await ask(who, operation, {}, token=token)
        if reply.status != 401 or not set(reply.body) <= OF_A_PROBLEM or "WWW-Authenticate" not in reply.headers:
            wrong.append(f"{operation.method} {operation.path} with {name}: {reply.status} {reply.text[:200]}")

    await asyncio.gather(*(one(*each) for each in tries))
    return wrong


def token_key(town: Town) -> Any:
    return load_pem_private_key((town.data / "keys" / "token.pem").read_bytes(), password=None)


def flipped(token: str, bit: int) -> str:
    """Turn one bit of what the segments say, spelled as it should be."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = bit // 6
    if token[at] == ".":
        return f"{token[:at]}_{token[at + 1 :]}"
    return token[:at] + alphabet[alphabet.index(token[at]) ^ 1 << bit % 6] + token[at + 1 :]


async def test_no_forged_token_opens_any_door(town: Town, neighbours: Neighbours) -> None:
    who = neighbours.stranger(OTHER)
    assert (await who.log_in()).status == 201
    good, key = who.access_token, token_key(town)
    claims: dict[str, Any] = jwt.decode(good, options={"verify_signature": False})
    header = jwt.get_unverified_header(good)
    assert made(header, claims, es256(key)).count(".") == 2
    # Made by hand with the key of this town, it is good: else the forgeries would be refused for another reason.
    assert (await who.ask("GET", "/v1/citizen/me", token=made(header, claims, es256(key)))).status == 200
    forged = {name: token for name, token in forgeries(key, claims).items() if name not in NOT_FOR_A_HEADER}
    past = {**claims, "iat": claims["iat"] - 3600, "exp": claims["exp"] - 3600}
    forged |= {
        "expired": made(header, past, es256(key)),
        "large": made(header, {**claims, "pad": "x" * 3000}, es256(key))[:-4],
        "a session of nobody": made(header, {**claims, "sid": str(UUID(int=99))}, es256(key)),
        "my session, another's name": made(header, {**claims, "sub": str(UUID(int=99))}, es256(key)),
        "the refresh token": who.refresh_token,
        **{f"cut after {length}": good[:length] for length in range(20, len(good), 40)},
        **{f"bit {bit} turned": flipped(good, bit) for bit in random.sample(range(len(good) * 6), 16)},
    }
    assert len(forged) >= 60
    doors = with_token()
    tries = [(name, door, token) for name, token in forged.items() for door in doors]
    # Doors of operators and residents are not each other's.
    staff = await operator_token(town, neighbours)
    is_staff = {True: good, False: staff}
    tries += [("the other kind's token", door, is_staff[door.access.audience is Audience.STAFF]) for door in doors]
    begun = time.monotonic()
    assert await refusals(who, tries) == []
    print(f"{len(forged)} forged tokens at {len(doors)} doors: {len(tries)} × 401 in {time.monotonic() - begun:.0f} s")  # noqa: T201
    assert (await who.ask("GET", "/v1/citizen/me")).status == 200
    assert town.errors_of(town.roles[0]) == []


async def test_a_token_ends_with_its_session(town: Town, neighbours: Neighbours) -> None:
    who, elsewhere = neighbours.stranger(LEAVER), neighbours.stranger(LEAVER)
    assert (await who.log_in()).status == 201
    assert (await elsewhere.log_in()).status == 201
    assert (await elsewhere.ask("GET", "/v1/citizen/me")).status == 200
    assert (await who.ask("DELETE", "/v1/citizen/sessions")).status == 204
    doors = [door for door in with_token() if door.access.audience is Audience.CITIZEN]
    tries = [
        ("an ended session", door, token) for door in doors for token in (who.access_token, elsewhere.access_token)
    ]
    assert await refusals(who, tries) == []


def test_for_every_address_there_is_something_to_own_and_to_send() -> None:
    assert owned()
    assert without_maker() == []
    assert without_body() == []
    assert between_two()
    assert [folder for folder in BETWEEN_TWO.values() if not list((ROOT / folder).glob("test_*.py"))] == []


async def test_nobody_gets_at_what_is_somebody_elses(town: Town, neighbours: Neighbours) -> None:
    owner, other = await neighbours.present(OWNER), await neighbours.present(OTHER)
    wrong = []
    for operation in owned():
        values = {name: await MAKERS[name](owner) for name in parameters_of(operation) if name in MAKERS}
        stranger, nobody = await ask(other, operation, values), await ask(owner, operation, values, token="")
        if stranger.status not in {403, 404} or not set(stranger.body) <= OF_A_PROBLEM:
            wrong.append(f"{operation.method} {operation.path}: another resident got {stranger.status} {stranger.text}")
        if nobody.status != 401 or not set(nobody.body) <= OF_A_PROBLEM:
            wrong.append(f"{operation.method} {operation.path}: nobody got {nobody.status} {nobody.text}")
        # The same request of the owner gets past that point: it was the owner that was looked at.
        mine = await ask(owner, operation, values)
        if mine.status in {401, 403, 404} or mine.status >= 500:
            wrong.append(f"{operation.method} {operation.path}: the owner got {mine.status} {mine.text}")
    assert wrong == []


async def test_what_two_people_share_is_nothing_to_a_third(town: Town, neighbours: Neighbours) -> None:
    other = await neighbours.present(OTHER)
    wrong = []
    for operation in between_two():
        stranger, nobody = await ask(other, operation, {"purpose": "face"}), await ask(other, operation, {}, token="")
        if stranger.status not in {403, 404} or not set(stranger.body) <= OF_A_PROBLEM:
            wrong.append(f"{operation.method} {operation.path}: a third got {stranger.status} {stranger.text}")
        if nobody.status != 401 or not set(nobody.body) <= OF_A_PROBLEM:
            wrong.append(f"{operation.method} {operation.path}: nobody got {nobody.status} {nobody.text}")
    assert wrong == []


async def test_what_is_not_there_looks_like_what_is_somebody_elses(town: Town, neighbours: Neighbours) -> None:
    owner, other = await neighbours.present(OWNER), await neighbours.present(OTHER)
    for operation in owned():
        values = {name: await MAKERS[name](owner) for name in parameters_of(operation) if name in MAKERS}
        theirs, none = await ask(other, operation, values), await ask(other, operation, {})
        assert theirs.status == none.status, operation.path
        assert {**theirs.body, "instance": ""} == {**none.body, "instance": ""}, operation.path


async def test_no_resident_gets_at_what_operators_see(town: Town, neighbours: Neighbours) -> None:
    who = await neighbours.present(OTHER)
    for operation in with_token():
        if operation.access.audience is Audience.STAFF:
            reply = await ask(who, operation, {})
            assert reply.status in {401, 403}, operation.path
            assert set(reply.body) <= OF_A_PROBLEM
