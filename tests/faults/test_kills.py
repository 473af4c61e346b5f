"""50 × SIGKILL while residents submit: nothing that was acknowledged is lost, nothing is done twice.

On SQLite the one server is killed; on PostgreSQL the portal or the worker. What was acknowledged is kept outside.
`ZHIJIAN_TEST_KILLS` says how often (`make bench-nightly`: a thousand times).
"""

import asyncio
import os
import random
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from api.wiring.domains import MODELS
from core.audit.verify import verify_audit
from core.crypto import KeyRing
from core.database import close_database, open_database, orm_config
from core.settings import CoreSettings
from tests.faults.books import Books, books_of
from tests.faults.conftest import Found
from tests.faults.installation import left_of, log_length, nothing_left_of, ready, working
from tests.faults.neighbours import (
    ENDED,
    ENDORSEMENT,
    PENSION,
    SETTLEMENT,
    Acknowledged,
    Neighbours,
    keep_asking,
    received,
)
from tests.journeys.resident import Resident
from tests.journeys.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

KILLS: Final = int(os.environ.get("ZHIJIAN_TEST_KILLS", "50"))
SHORTEST_LIFE: Final = 0.05
LONGEST_LIFE: Final = 1.6
# How often somebody may ask for each kill: what a slow machine has to work off stays what a fast one has.
TURNS: Final = 20
# So short that residents have to renew them in the middle of it all, also where it does not take an hour.
TOKENS: Final = {"ZHIJIAN_AUTH__SESSIONS__ACCESS_SECONDS": "30"}
# Without anything coming to its end.
DRAIN_SECONDS: Final = 60


@pytest.fixture(scope="module")
def town(found: Found) -> Town:
    return found(TOKENS)


@dataclass(frozen=True)
class Asking:
    """Who asks for what, with how many seconds between two applications."""

    who: Resident
    matter: str
    pause: float


async def kill_often(town: Town, dice: random.Random, turns: asyncio.Semaphore) -> Counter[str]:
    """Kill as often as asked, each time at another moment of the life of a process; each life brings new turns."""
    killed: Counter[str] = Counter()
    for _ in range(KILLS):
        for _ in range(TURNS):
            turns.release()
        await asyncio.sleep(dice.uniform(SHORTEST_LIFE, LONGEST_LIFE))
        role = dice.choice(town.roles)
        session = town.processes[role].pid
        await asyncio.to_thread(town.kill, role)
        killed[role] += 1
        before = log_length(town, role)
        town.start_role(role)
        if role == "worker":
            await working(town, after=before)
        else:
            await ready(town)
        assert await nothing_left_of(session) == []
    return killed


def resend_what_was_given_up(town: Town) -> None:
    """A department that could not reach us ten times gave its news up; its clerk sends them again."""
    connection = sqlite3.connect(town.data / "sandbox" / "sandbox.sqlite3", timeout=10)
    with connection:
        connection.execute("UPDATE callbacks SET ending = NULL, attempts = 0 WHERE ending = 'given up'")
        connection.execute("UPDATE callbacks SET due_at = 0 WHERE ending IS NULL")
    connection.close()


async def drain(town: Town, books: Books) -> None:
    """Wait until every promise is kept and every submitted application has come to its end."""
    town.kill("sandbox")
    resend_what_was_given_up(town)
    await asyncio.to_thread(town.start_sandbox)
    states = ", ".join(f"'{state}'" for state in ENDED)
    under_way = f"SELECT count(*) FROM application WHERE state <> 'draft' AND state NOT IN ({states})"  # noqa: S608
    left, since = -1, time.monotonic()
    while now_left := len(await books.open_jobs()) + await books.count(under_way):
        if now_left != left:
            left, since = now_left, time.monotonic()
        assert time.monotonic() - since < DRAIN_SECONDS, await books.open_jobs()
        await asyncio.sleep(0.2)


def check_acknowledged(acknowledged: Acknowledged, rows: dict[str, str | None]) -> dict[str, str]:
    """See that the database has what was promised, once; return the numbers by matter and application."""
    promises = acknowledged.all()
    begun = [promise for promise in promises if promise["kind"] == "started"]
    submitted = [promise for promise in promises if promise["kind"] == "submitted"]
    # One key, one application, whatever was killed between them; and no application that nobody asked for.
    assert len({promise["key"] for promise in begun}) == len({promise["id"] for promise in begun}) == len(begun)
    assert set(rows) == {promise["id"] for promise in begun}
    assert {promise["id"]: promise["number"] for promise in submitted} == rows
    assert len({promise["number"] for promise in submitted}) == len(submitted)
    return {promise["number"]: promise["matter"] for promise in submitted}


async def check_departments(someone: Resident, numbers: dict[str, str]) -> int:
    """See that each department has each application once; return how often they were sent something again."""
    repeated = 0
    for department, matter in (("human-resources", PENSION), ("public-security", ENDORSEMENT)):
        items = await received(someone, department)
        references = Counter(item["reference"] for item in items)
        assert set(references.values()) <= {1}
        assert {item["count"] for item in items} <= {1}
        assert set(references) == {number for number, asked in numbers.items() if asked == matter}
        repeated += sum(item["deliveries"] - 1 for item in items)
    return repeated


async def check_ledger(town: Town) -> None:
    """See that the chain of audit lines is whole, from its first line to its newest seal."""
    config = orm_config(CoreSettings(data_dir=town.data, database_url=town.database_url), MODELS)
    key = KeyRing.load(town.data / "keys").audit.public_key()
    assert isinstance(key, ed25519.Ed25519PublicKey)
    await open_database(config)
    try:
        findings = await verify_audit(key)
    finally:
        await close_database()
    assert findings.faults == ()
    assert findings.checked > 0


async def test_kills_lose_nothing_and_double_nothing(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged
) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")  # noqa: T201 — shown when it fails
    elder, graduate = await neighbours.elder(), await neighbours.named("chenxinran")
    crowd = [
        Asking(elder, PENSION, 0.05),
        Asking(elder, PENSION, 0.15),
        Asking(await neighbours.named("qumanlin"), ENDORSEMENT, 1.0),
        Asking(await neighbours.named("wujinglan"), ENDORSEMENT, 1.0),
        Asking(graduate, SETTLEMENT, 0.3),
    ]
    # Departments take their time, so that something is on its way to them at any moment.
    for department in ("human-resources", "public-security"):
        await elder.tell_sandbox("PUT", f"/sandbox/faults/{department}", {"mode": "slow", "delay_ms": 80})
    stop, turns = asyncio.Event(), asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        for asking in crowd:
            group.create_task(
                keep_asking(asking.who, asking.matter, acknowledged, stop, pause=asking.pause, turns=turns)
            )
        killed = await kill_often(town, random.Random(seed), turns)
        stop.set()
        for _ in crowd:
            turns.release()
    assert killed.total() == KILLS
    if len(town.roles) > 1:
        assert min(killed[role] for role in town.roles) > KILLS / 10

    async with books_of(town) as books:
        await drain(town, books)
        assert await books.damage() == {}
        rows = {str(row["id"]): row["number"] for row in await books.rows("SELECT id, number FROM application")}
        numbers = check_acknowledged(acknowledged, rows)
        repeated = await check_departments(elder, numbers)
        interrupted = await books.count("SELECT count(*) FROM job WHERE attempts > 1")
    print(  # noqa: T201 — shown when it fails
        f"{len(numbers)} acknowledged, {interrupted} interrupted, {repeated} arrived again, {dict(killed)}"
    )
    # Enough was under way when a process died: else nothing was tried.
    assert len(numbers) > 2 * KILLS
    assert interrupted > KILLS / 5
    sessions = [process.pid for name, process in town.processes.items() if name != "sandbox"]
    await asyncio.to_thread(town.stop)
    assert [left_of(session) for session in sessions] == [[]] * len(sessions)
    await check_ledger(town)
