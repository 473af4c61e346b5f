"""The local engine with real models: what it sees, and what happens when a child dies, hangs or is overrun."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from core.clock import SystemClock
from face.adapters.local_engine import LocalEngine, LocalEngineLimits
from face.errors import EngineBusy, EngineOvertime, EngineUnavailable, PictureUnusable
from face.recording.rules import distance
from face.types import FrameObservation, PictureFault
from sandbox import faces

ACTIONS = ("turn_one_side", "tilt", "come_closer")


@pytest.fixture(scope="module")
def frames() -> list[bytes]:
    return faces.make_frames("huomingzhe", ACTIONS, "genuine", 12)


def child_of(engine: LocalEngine) -> int:
    pid = engine.children[0].pid
    assert pid is not None
    return pid


async def whole_again(engine: LocalEngine) -> None:
    async with asyncio.timeout(20):
        while not await engine.is_whole():
            await asyncio.sleep(0.02)


async def test_it_tells_two_people_apart(engine: LocalEngine, portrait: bytes, other_portrait: bytes) -> None:
    async with engine.admit() as examination:
        a, b = await examination.look_at([portrait, other_portrait])
        (again,) = await examination.look_at([faces.make_frames("qumanlin", [], "genuine", 6)[0]])
    assert a.face
    assert b.face
    assert again.face
    assert distance(a.face.embedding, b.face.embedding) > 0.6
    assert distance(a.face.embedding, again.face.embedding) < 0.35
    assert a.model_id == b.model_id == engine.model_id != ""


async def test_an_empty_room_has_no_face(engine: LocalEngine) -> None:
    out = BytesIO()
    Image.new("RGB", (640, 480), "grey").save(out, "JPEG")
    seen = await engine.look_at(out.getvalue())
    assert not isinstance(seen, PictureFault)
    assert seen.face is None
    assert (seen.width, seen.height) == (640, 480)


async def test_a_bad_file_is_named_by_its_place_and_hurts_nobody(engine: LocalEngine, frames: list[bytes]) -> None:
    child = child_of(engine)
    async with engine.admit() as examination:
        with pytest.raises(PictureUnusable) as refusal:
            await examination.look_at([frames[0], frames[1][:-500]])
        assert refusal.value.fault is PictureFault.TRUNCATED
        assert refusal.value.extras.errors[0].pointer == "/frames/1"
        seen = await examination.look_at(frames[:2])
    assert all(one.face for one in seen)
    assert child_of(engine) == child


async def test_a_file_over_the_limit_does_not_reach_a_child(engine: LocalEngine) -> None:
    assert await engine.look_at(b"\xff\xd8\xff" + bytes(5_000_000)) is PictureFault.TOO_LARGE


async def test_a_killed_child_is_one_retryable_error(engine: LocalEngine, frames: list[bytes]) -> None:
    first = child_of(engine)
    os.kill(first, signal.SIGSTOP)
    looking = asyncio.ensure_future(engine.look_at(frames[0]))
    await asyncio.sleep(0.05)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(EngineUnavailable) as lost:
        await looking
    assert lost.value.retryable
    seen = await engine.look_at(frames[0])
    assert not isinstance(seen, PictureFault)
    assert child_of(engine) != first


async def test_one_of_two_children_killed_in_the_middle_costs_one_frame(networks: Path, frames: list[bytes]) -> None:
    limits = LocalEngineLimits(workers=2, seconds_per_frame=20.0)
    engine = LocalEngine(cache=networks, clock=SystemClock(), limits=limits)
    await engine.warm_up()
    looks = [asyncio.ensure_future(engine.look_at(frame)) for frame in frames * 4]
    await asyncio.wait(looks[:6])
    os.kill(child_of(engine), signal.SIGSTOP)
    await asyncio.sleep(0.1)
    os.kill(child_of(engine), signal.SIGKILL)
    outcomes = await asyncio.gather(*looks, return_exceptions=True)
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(failure) for failure in failed] == [EngineUnavailable]
    assert all(isinstance(outcome, FrameObservation) for outcome in outcomes if outcome not in failed)
    await engine.close()


async def test_a_child_that_dies_while_nobody_looks_is_replaced_without_anybody_noticing(
    engine: LocalEngine, frames: list[bytes]
) -> None:
    first = child_of(engine)
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(5):
        while await engine.is_whole():
            await asyncio.sleep(0.005)
    await whole_again(engine)
    assert child_of(engine) != first
    assert not isinstance(await engine.look_at(frames[0]), PictureFault)


async def test_a_child_that_holds_too_much_is_replaced_after_its_answer(networks: Path, frames: list[bytes]) -> None:
    limits = LocalEngineLimits(workers=1, worker_bytes=1_000_000, seconds_per_frame=20.0)
    engine = LocalEngine(cache=networks, clock=SystemClock(), limits=limits)
    await engine.warm_up()
    first = child_of(engine)
    assert isinstance(await engine.look_at(frames[0]), FrameObservation)
    assert not await engine.is_whole()
    await whole_again(engine)
    assert child_of(engine) != first
    await engine.close()


async def test_a_stuck_child_is_replaced_at_its_deadline(networks: Path, frames: list[bytes]) -> None:
    limits = LocalEngineLimits(workers=1, seconds_per_frame=0.3)
    engine = LocalEngine(cache=networks, clock=SystemClock(), limits=limits)
    await engine.warm_up()
    first = child_of(engine)
    os.kill(first, signal.SIGSTOP)
    with pytest.raises(EngineUnavailable):
        await engine.look_at(frames[0])
    assert not isinstance(await engine.look_at(frames[0]), PictureFault)
    assert child_of(engine) != first
    await engine.close()


async def test_a_check_has_a_deadline_of_its_own(networks: Path, frames: list[bytes]) -> None:
    limits = LocalEngineLimits(workers=1, seconds_per_check=0.02)
    engine = LocalEngine(cache=networks, clock=SystemClock(), limits=limits)
    await engine.warm_up()
    async with engine.admit() as examination:
        with pytest.raises(EngineOvertime):
            await examination.look_at(frames)
    await engine.close()


async def test_whoever_hangs_up_costs_the_others_nothing(engine: LocalEngine, frames: list[bytes]) -> None:
    child = child_of(engine)

    async def check() -> int:
        async with engine.admit() as examination:
            return len(await examination.look_at(frames))

    for _ in range(12):
        gone = asyncio.ensure_future(check())
        await asyncio.sleep(0.01)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
    assert await check() == 12
    assert child_of(engine) == child


async def test_twenty_checks_at_once_are_served_or_shed_and_the_loop_goes_on(
    networks: Path, frames: list[bytes]
) -> None:
    # On a machine that does other things as well, a check may take longer than anybody's patience.
    limits = LocalEngineLimits(seconds_per_frame=20.0, seconds_per_check=60.0)
    engine = LocalEngine(cache=networks, clock=SystemClock(), limits=limits)
    await engine.warm_up()
    stalls: list[float] = []

    async def watch() -> None:
        while True:
            # The thread's own time, so that other processes on a busy machine do not count.
            began = time.thread_time()
            await asyncio.sleep(0.002)
            stalls.append(time.thread_time() - began)

    async def check() -> str:
        try:
            async with engine.admit() as examination:
                seen = await examination.look_at(frames[:6])
        except EngineBusy as busy:
            return f"shed, again after {busy.extras.retry_after}"
        return "served" if all(one.face for one in seen) else "blind"

    watching = asyncio.ensure_future(watch())
    outcomes = await asyncio.gather(*(check() for _ in range(20)))
    watching.cancel()
    assert sorted(outcomes) == ["served"] * 10 + ["shed, again after 2"] * 10
    assert max(stalls) < 0.05
    await engine.close()


async def test_children_get_none_of_our_secrets(engine: LocalEngine, networks: Path) -> None:
    environment = Path(f"/proc/{child_of(engine)}/environ").read_bytes()
    names = {entry.partition(b"=")[0].decode() for entry in environment.split(b"\0") if entry}
    assert names <= {
        "PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"
    }  # fmt: skip


async def test_a_closed_engine_admits_nobody(engine: LocalEngine) -> None:
    await engine.close()
    await engine.close()
    assert not await engine.is_whole()
    with pytest.raises(EngineBusy):
        async with engine.admit():
            pass


ORPHAN = """
import asyncio, sys
from pathlib import Path
from core.clock import SystemClock
from face.adapters.local_engine import LocalEngine, LocalEngineLimits

async def main():
    engine = LocalEngine(cache=Path(sys.argv[1]), clock=SystemClock(), limits=LocalEngineLimits(workers=1))
    await engine.warm_up()
    print(engine.children[0].pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_children_die_with_their_parent(networks: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(networks)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    with parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        if not _is_running(child):
            return
        time.sleep(0.02)
    pytest.fail("the child outlived its parent")


SERVER = """
import asyncio, socket, sys
from pathlib import Path
import uvloop
from core.clock import SystemClock
from face.adapters.local_engine import LocalEngine, LocalEngineLimits

async def main():
    listener = socket.create_server(("127.0.0.1", 0))
    listener.set_inheritable(True)
    engine = LocalEngine(cache=Path(sys.argv[1]), clock=SystemClock(), limits=LocalEngineLimits(workers=1))
    await engine.warm_up()
    print(listener.fileno(), engine.children[0].pid, flush=True)
    sys.stdin.readline()
    await engine.close()

uvloop.run(main())
"""


def test_children_do_not_hold_the_port_we_listen_on(networks: Path) -> None:
    # As Sanic serves: its socket may be inherited, and uvloop closes nothing in its children.
    parent = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(networks)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    with parent:
        assert parent.stdout
        listener, child = parent.stdout.readline().split()
        ours = Path(f"/proc/{parent.pid}/fd/{int(listener)}").readlink()
        theirs = {entry.readlink() for entry in Path(f"/proc/{int(child)}/fd").iterdir()}
        parent.communicate(b"\n")
    assert str(ours).startswith("socket:")
    assert ours not in theirs


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
