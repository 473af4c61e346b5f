"""Being told to stop: what is in flight is finished, nothing stays behind, and what was written is there again."""

import asyncio
import re
import time
from subprocess import run

import pytest

from tests.faults.books import books_of
from tests.faults.conftest import Found
from tests.faults.installation import (
    answers,
    left_of,
    log_length,
    nothing_left_of,
    ready,
    services_are_meant,
    terminate,
    working,
)
from tests.faults.neighbours import PENSION, Acknowledged, Neighbours, ask_for, reached, received
from tests.journeys.resident import Resident
from tests.journeys.town import PYTHON, ROOT, Town, free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

FACE_CHILD = "face.adapters.engine_worker"


@pytest.fixture(scope="module")
def town(found: Found) -> Town:
    return found()


async def slow(who: Resident, system: str, milliseconds: int) -> None:
    await who.tell_sandbox("PUT", f"/sandbox/faults/{system}", {"mode": "slow", "delay_ms": milliseconds, "count": 1})


async def start_again(town: Town, role: str) -> None:
    before = log_length(town, role)
    town.start_role(role)
    await (working(town, after=before) if role == "worker" else ready(town))


async def test_what_is_in_flight_is_finished_before_the_portal_ends(town: Town, neighbours: Neighbours) -> None:
    who = await neighbours.present("huomingzhe")
    portal = town.roles[0]
    # Its face engine was used: that is what might stay behind.
    assert any(FACE_CHILD in line for line in left_of(town.processes[portal].pid))
    await slow(who, "public-security", 1_500)
    in_flight = asyncio.create_task(who.ask("POST", "/v1/citizen/certificates", {"kind": "driving-licence"}))
    await asyncio.sleep(0.4)

    before = time.monotonic()
    code, session = await terminate(town, portal)
    # It waits for what is in flight, not for callers that keep their connection.
    assert time.monotonic() - before < 6
    reply = await in_flight
    assert reply.status == 201, reply.text
    assert code == 0
    assert await nothing_left_of(session) == []
    assert await answers(f"{town.portal}/health/live") == 0
    assert town.errors_of(portal) == []

    await start_again(town, portal)
    shown = await who.ask("GET", reply.headers["Location"])
    assert shown.status == 200, shown.text
    assert shown.body["fields"]


async def test_a_delivery_in_flight_is_finished_before_the_worker_ends(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged
) -> None:
    elder = await neighbours.elder()
    await slow(elder, "human-resources", 1_200)
    application = await ask_for(elder, PENSION, acknowledged)
    await asyncio.sleep(0.4)

    worker = town.roles[-1]
    code, session = await terminate(town, worker)
    assert code == 0
    assert await nothing_left_of(session) == []
    async with books_of(town) as books:
        # What follows from it (a notice, the decision's paper) may wait for the next worker.
        assert [job for job in await books.open_jobs() if job["name"] == "matters.deliver"] == []
        assert await books.damage() == {}

    await start_again(town, worker)
    ended = await reached(elder, application)
    assert ended["state"] == "approved"
    mine = [item for item in await received(elder, "human-resources") if item["reference"] == ended["number"]]
    assert [(item["count"], item["deliveries"]) for item in mine] == [(1, 1)]


async def test_what_was_written_outlives_every_restart(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged
) -> None:
    elder = await neighbours.elder()
    before = await reached(elder, await ask_for(elder, PENSION, acknowledged))
    for role in town.roles:
        assert (await terminate(town, role))[0] == 0
    for role in town.roles:
        await start_again(town, role)
    after = await elder.ask("GET", f"/v1/citizen/applications/{before['id']}")
    assert after.status == 200, after.text
    assert after.body == before
    assert (await elder.ask("GET", "/v1/citizen/me")).body["level"] == "present"


@pytest.mark.skipif(services_are_meant(), reason="on PostgreSQL there may be many")
async def test_a_second_server_on_the_same_file_is_refused_with_a_sentence(town: Town, neighbours: Neighbours) -> None:
    environment = {**town.environment(), "ZHIJIAN_PORT": str(free_port())}
    refused = await asyncio.to_thread(
        run,
        [PYTHON, "-m", "api", "server"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert refused.returncode == 2
    assert "Another server already uses the data" in refused.stderr
    assert re.search(r"ZHIJIAN_DATA_DIR|ZHIJIAN_DATABASE_URL", refused.stderr)
    assert "Traceback" not in refused.stderr + refused.stdout
    assert (await (await neighbours.elder()).ask("GET", "/v1/citizen/me")).status == 200


@pytest.mark.skipif(services_are_meant(), reason="on PostgreSQL they are what is meant")
@pytest.mark.parametrize("role", ["portal", "worker"])
async def test_a_lone_portal_or_worker_on_a_file_is_refused_with_a_sentence(town: Town, role: str) -> None:
    refused = await asyncio.to_thread(
        run,
        [PYTHON, "-m", "api", role],
        cwd=ROOT,
        env={**town.environment(), "ZHIJIAN_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert refused.returncode == 2
    assert "PostgreSQL" in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout
