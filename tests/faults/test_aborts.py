"""2,000 callers hang up in the middle of anything: the portal stays alive, and nothing is half written."""

import asyncio
import json
import random
import socket
import struct
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import pytest

from tests.faults.books import books_of, harmless
from tests.faults.conftest import Found
from tests.faults.installation import answers
from tests.faults.neighbours import PENSION, SETTLEMENT, Acknowledged, Neighbours, ask_for, definite, reached
from tests.journeys.resident import Resident
from tests.journeys.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

ABORTS: Final = 2_000
# Few at once: else all ten milliseconds would go by before a request has its turn.
AT_ONCE: Final = 4
LONGEST_SECONDS: Final = 0.010
# What no reader of HTTP should fall over.
GARBAGE: Final = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET http://[::1 HTTP/1.1\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"POST /v1/citizen/sessions HTTP/1.1\nHost: x\n\n",
    b"POST /v1/citizen/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/citizen/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x00" * 64,
    b"A" * 20_000,
)


@pytest.fixture(scope="module")
def town(found: Found) -> Town:
    return found()


def as_bytes(who: Resident, method: str, path: str, body: object | None = None, key: str | None = None) -> bytes:
    """Return a request as it goes over the wire."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"X-Device-Id: {who.device}"]
    if who.access_token:
        lines.append(f"Authorization: Bearer {who.access_token}")
    if key is not None:
        lines.append(f"Idempotency-Key: {key}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    elif method == "POST":
        lines.append("Content-Length: 0")
    return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass
class Rude:
    """Makes requests to hang up on, and remembers which of them may have had an effect."""

    dice: random.Random
    elder: Resident
    graduate: Resident
    codes: list[str]
    drafts: list[str]
    started: list[str] = field(default_factory=list)
    submitted: list[tuple[str, str]] = field(default_factory=list)

    def login(self) -> bytes:
        newcomer = Resident(self.elder.session, self.elder.portal, self.elder.sandbox, "stranger")
        code = self.codes.pop() if self.codes else uuid.uuid4().hex
        return as_bytes(newcomer, "POST", "/v1/citizen/sessions", {"code": code})

    def wallet(self) -> bytes:
        return as_bytes(self.graduate, "GET", "/v1/citizen/certificates?limit=20")

    def start(self) -> bytes:
        key = uuid.uuid4().hex
        self.started.append(key)
        return as_bytes(self.graduate, "POST", "/v1/citizen/applications", {"matter": SETTLEMENT}, key)

    def submit(self) -> bytes:
        if not self.drafts:
            return self.start()
        draft, key = self.drafts.pop(), uuid.uuid4().hex
        self.submitted.append((draft, key))
        return as_bytes(self.elder, "POST", f"/v1/citizen/applications/{draft}/submissions", None, key)

    def face_check(self) -> bytes:
        asked = {"purpose": "step-up", "consent": "face@1"}
        return as_bytes(self.graduate, "POST", "/v1/citizen/face-checks", asked)

    def garbage(self) -> bytes:
        return self.dice.choice(GARBAGE)

    def any(self) -> bytes:
        """Return some request, whole or torn off in the middle."""
        kinds: tuple[Callable[[], bytes], ...] = (
            self.login, self.wallet, self.start, self.submit, self.face_check, self.garbage,
        )  # fmt: skip
        request = self.dice.choice(kinds)()
        return request[: self.dice.randrange(1, len(request))] if self.dice.random() < 0.15 else request


async def hang_up(town: Town, request: bytes, seconds: float, *, rudely: bool) -> None:
    """Send a request and be gone after so long; rudely is with a reset, as a phone does that loses its network."""
    _, writer = await asyncio.open_connection("127.0.0.1", town.port)
    if rudely:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.write(request)
    await asyncio.sleep(seconds)
    writer.transport.abort()


async def make_rude(neighbours: Neighbours, acknowledged: Acknowledged, dice: random.Random) -> Rude:
    elder, graduate = await neighbours.elder(), await neighbours.named("chenxinran")
    codes = [
        (await elder.tell_sandbox("POST", "/sandbox/wechat/codes", {"person": "stranger"}))["code"] for _ in range(250)
    ]
    drafts = []
    for _ in range(250):
        started = await definite(elder, "/v1/citizen/applications", {"matter": PENSION}, key=uuid.uuid4().hex)
        assert started.status == 201, started.text
        drafts.append(started.body["id"])
    await ask_for(elder, PENSION, acknowledged)
    return Rude(dice, elder, graduate, codes, drafts)


async def hang_up_often(town: Town, rude: Rude) -> None:
    """Hang up 2,000 times, several at once."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(request: bytes) -> None:
        async with places:
            await hang_up(town, request, rude.dice.uniform(0, LONGEST_SECONDS), rudely=rude.dice.random() < 0.5)

    await asyncio.gather(*(one(rude.any()) for _ in range(ABORTS)))


async def at_rest(town: Town, *, seconds: float = 30) -> None:
    """Wait until the product has nothing to do any more."""
    async with asyncio.timeout(seconds), books_of(town) as books:
        while await books.open_jobs():
            await asyncio.sleep(0.2)


async def idle_in_transaction(town: Town) -> int:
    async with books_of(town) as books:
        return await books.count(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'zhijian' AND state LIKE 'idle in transaction%'"
        )


async def test_the_portal_outlives_two_thousand_callers_who_hang_up(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged
) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")  # noqa: T201 — shown when it fails
    rude = await make_rude(neighbours, acknowledged, random.Random(seed))
    await hang_up_often(town, rude)

    before = time.monotonic()
    assert await answers(f"{town.portal}/health/ready") == 200
    assert time.monotonic() - before < 1.0
    # A connection that was not given back, or a lock still held, would keep this from being written.
    before = time.monotonic()
    await ask_for(rude.elder, PENSION, acknowledged)
    assert time.monotonic() - before < 2.0
    if town.database_url:
        async with asyncio.timeout(3):
            while await idle_in_transaction(town):
                await asyncio.sleep(0.1)

    # Who repeats what they hung up on, under the same key, gets the one true answer.
    had_come_about = 0
    for key in rude.started:
        again = await definite(rude.graduate, "/v1/citizen/applications", {"matter": SETTLEMENT}, key=key)
        assert again.status == 201, again.text
        had_come_about += "Idempotent-Replayed" in again.headers
    # They hung up before as well as after: else the moments were chosen badly.
    assert 0 < had_come_about < len(rude.started)
    for draft, key in rude.submitted:
        path = f"/v1/citizen/applications/{draft}/submissions"
        again = await definite(rude.elder, path, key=key)
        assert again.status == 202, again.text
        acknowledged.note(kind="submitted", key=key, id=draft, number=again.body["number"])

    await at_rest(town)
    async with books_of(town) as books:
        assert await books.damage() == {}
        begun = await books.count("SELECT count(*) FROM application WHERE matter_code LIKE '%114005002'")
        assert begun <= len(rude.started)
    for application_id, number in acknowledged.submitted().items():
        assert (await reached(rude.elder, application_id))["number"] == number
    assert town.errors_of(town.roles[0]) == []


HARM: Final = (
    "UPDATE application SET actions = actions + 1 WHERE state <> 'draft'",
    "DELETE FROM delivery",
    "DELETE FROM job WHERE name = 'matters.deliver'",
    "UPDATE application SET number = NULL",
    "UPDATE application SET state = 'draft'",
    "UPDATE delivery SET state = 'sent'",
    "UPDATE job SET state = 'ready', done_at = NULL, name = 'other'",
    "DELETE FROM refresh_token",
    "DELETE FROM wechat_account",
    "UPDATE citizen SET name_sealed = NULL WHERE id_number_hash IS NOT NULL",
    "UPDATE kept_answer SET answer_sealed = NULL",
)


@pytest.mark.parametrize("harm", HARM)
async def test_harm_to_the_books_is_found(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged, harm: str
) -> None:
    elder = await neighbours.elder()
    await neighbours.named("chenxinran")
    assert (await neighbours.stranger("stranger").log_in()).status == 201
    await reached(elder, await ask_for(elder, PENSION, acknowledged))
    async with harmless(town) as books:
        assert await books.damage() == {}
        await books.break_(harm)
        assert await books.damage() != {}
