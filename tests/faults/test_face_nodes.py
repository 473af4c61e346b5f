"""Faces on a machine of their own: looked at there, and when it dies, told so with the other ways, until it is back."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from core.signers.mutual_tls import make_identities
from tests.faults.conftest import Found
from tests.faults.installation import answers, left_of, terminate
from tests.faults.neighbours import Neighbours
from tests.journeys.resident import Resident
from tests.journeys.town import PYTHON, Town, free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

NODE: Final = "face"
StartNode = Callable[[], None]


@pytest.fixture(scope="module")
def node_ports() -> tuple[int, int]:
    """Where portals ask the node, and where it says how it is."""
    return free_port(), free_port()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_identities(folder, ["localhost"], now=datetime.now(UTC), days=2)
    return folder


@pytest.fixture(scope="module")
def town(found: Found, node_ports: tuple[int, int], tls: Path) -> Town:
    return found(
        {
            "ZHIJIAN_FACE__LOCAL_ENGINE__WARM": "on",
            "ZHIJIAN_FACE__CHECK_SECONDS": "300",
            "ZHIJIAN_FACE__LOCAL_ENGINE__SECONDS_PER_CHECK": "25",
            "ZHIJIAN_FACE__LOCAL_ENGINE__SECONDS_PER_FRAME": "10",
            "ZHIJIAN_FACE__NODES": f'["https://localhost:{node_ports[0]}"]',
            "ZHIJIAN_FACE__TLS_FOLDER": str(tls / "portal"),
            # A node that was away is asked again soon.
            "ZHIJIAN_OUTBOUND__BREAKER_MINIMUM": "1000",
        },
    )


@pytest.fixture(scope="module")
def start_node(town: Town, node_ports: tuple[int, int], tls: Path) -> StartNode:
    def start() -> None:
        environment = {name: value for name, value in town.environment().items() if not name.startswith("ZHIJIAN_")}
        environment |= {
            "ZHIJIAN_DATA_DIR": str(town.data),
            "ZHIJIAN_PORT": str(node_ports[1]),
            "ZHIJIAN_LOOP_PATIENCE_SECONDS": "60",
            "ZHIJIAN_FACE__NODE_PORT": str(node_ports[0]),
            "ZHIJIAN_FACE__TLS_FOLDER": str(tls / "localhost"),
            "ZHIJIAN_FACE__LOCAL_ENGINE__SECONDS_PER_CHECK": "25",
            "ZHIJIAN_FACE__LOCAL_ENGINE__SECONDS_PER_FRAME": "10",
        }
        town._spawn(NODE, [PYTHON, "-m", "api", "face"], environment)

    return start


async def face_is(who: Resident, state: str, *, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while (await who.ask("GET", "/health/ready", token="")).body["parts"]["face"] != state:
            await asyncio.sleep(0.2)


async def test_a_node_that_dies_costs_nobody_their_check(
    town: Town, neighbours: Neighbours, start_node: StartNode, node_ports: tuple[int, int]
) -> None:
    who = await neighbours.named("huomingzhe")
    await face_is(who, "degraded")
    start_node()
    await face_is(who, "ok")
    assert await answers(f"http://127.0.0.1:{node_ports[1]}/health/ready") == 200
    # What was asked of other processes is not asked of a node: it has no way in but its own.
    assert await answers(f"http://127.0.0.1:{node_ports[1]}/v1/face/condition") == 404

    assert (await who.show_face()).body["outcome"] == "passed"
    portal = town.processes[town.roles[0]].pid
    assert [line for line in left_of(portal) if "engine_worker" in line] == []
    assert len([line for line in left_of(town.processes[NODE].pid) if "engine_worker" in line]) == 2

    check = await who.ask("POST", "/v1/citizen/face-checks", {"purpose": "step-up", "consent": "face@1"})
    frames = await who.frames(check.body["actions"])
    address = f"/v1/citizen/face-checks/{check.body['id']}/evidence"
    node = town.processes[NODE].pid
    town.kill(NODE)
    away = await who.ask("POST", address, files=frames)
    assert (away.status, away.body["code"], away.body["retryable"]) == (503, "face.engine-unavailable", True)
    assert int(away.headers["Retry-After"]) >= 1
    assert {"phone"} < {way["method"] for way in away.body["alternatives"]}
    ready = await who.ask("GET", "/health/ready", token="")
    assert (ready.status, ready.body["status"], ready.body["parts"]["face"]) == (200, "degraded", "degraded")
    async with asyncio.timeout(10):
        while left_of(node):
            await asyncio.sleep(0.05)

    start_node()
    await face_is(who, "ok")
    again = await who.ask("POST", address, files=frames)
    assert (again.status, again.body.get("outcome")) == (200, "passed"), again.text

    code, session = await terminate(town, NODE)
    assert code == 0
    assert left_of(session) == []
    assert town.errors_of(town.roles[0]) == []
    assert town.errors_of(NODE) == []
