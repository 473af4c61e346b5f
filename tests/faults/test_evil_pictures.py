"""Evil pictures through the front door: whatever they are, somebody is told, and nothing else happens.

They come as everybody's frames do, over HTTP into the real engine, several at once.
"""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from tests.fakes.evil_pictures import EVIL
from tests.faults.conftest import Found
from tests.faults.installation import left_of
from tests.faults.neighbours import Neighbours
from tests.journeys.resident import Reply, Resident
from tests.journeys.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

# What a worker may hold at any moment, with the pictures that it is decoding: its own budget, and room for one frame.
WORKER_BYTES: Final = 300_000_000
PORTAL_GROWTH: Final = 100_000_000


@pytest.fixture(scope="module")
def town(found: Found) -> Town:
    return found({"ZHIJIAN_FACE__LOCAL_ENGINE__WARM": "on", "ZHIJIAN_FACE__CHECK_SECONDS": "300"})


def held(pid: int, what: str) -> int:
    """Return `VmRSS` (now) or `VmHWM` (the most so far) of a process, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024
    return 0


def workers_of(portal: int) -> set[int]:
    found = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            command = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == portal and b"engine_worker" in command:
            found.add(int(folder.name))
    return found


async def send(who: Resident, evil: bytes, good: list[bytes]) -> Reply:
    """Hand a check of one's own an evil picture among good ones, which are new to the portal by a remark in each."""
    check = await who.ask("POST", "/v1/citizen/face-checks", {"purpose": "step-up", "consent": "face@1"})
    assert check.status == 201, check.text
    remark = check.body["id"].encode()
    segment = b"\xff\xfe" + (len(remark) + 2).to_bytes(2, "big") + remark
    new = [frame[:2] + segment + frame[2:] for frame in good]
    frames = [new[0], evil, *new[1:]]
    return await who.ask("POST", f"/v1/citizen/face-checks/{check.body['id']}/evidence", files=frames)


async def test_no_picture_breaks_anything(town: Town, neighbours: Neighbours) -> None:
    portal = town.processes[town.roles[0]].pid
    people = [await neighbours.named(slug) for slug in ("huomingzhe", "wanqiushi", "qumanlin", "chenxinran")]
    async with asyncio.timeout(60):
        while (await people[0].ask("GET", "/health/ready", token="")).body["parts"]["face"] != "ok":
            await asyncio.sleep(0.2)
    before = workers_of(portal)
    assert len(before) == 2
    began = held(portal, "VmRSS")

    told: dict[str, tuple[int, str]] = {}

    async def send_some(who: Resident, names: list[str]) -> None:
        good = await who.frames(["tilt"], count=6)
        for name in names:
            reply = await send(who, EVIL[name][0], good)
            told[name] = (reply.status, reply.body.get("code", ""))

    names = list(EVIL)
    await asyncio.gather(*(send_some(who, names[index :: len(people)]) for index, who in enumerate(people)))

    most = {pid: held(pid, "VmHWM") for pid in workers_of(portal)}
    grown = held(portal, "VmRSS") - began
    print(f"workers at most {max(most.values()) / 1e6:.0f} MB, portal grown by {grown / 1e6:.0f} MB: {told}")  # noqa: T201 — shown when it fails
    assert {name: answer for name, answer in told.items() if answer[0] >= 500} == {}
    refused = {name for name, (_, fault) in EVIL.items() if fault}
    # Told apart by the edge already, or refused by the engine.
    expected = {(415, "request.media-type"), (413, "request.too-large"), (422, "face.picture-unusable")}
    assert {name: told[name] for name in refused if told[name] not in expected} == {}
    assert town.processes[town.roles[0]].poll() is None
    assert workers_of(portal) == before, "a worker died over a picture"
    assert max(most.values()) < WORKER_BYTES
    assert grown < PORTAL_GROWTH
    assert town.errors_of(town.roles[0]) == []
    assert left_of(portal)
