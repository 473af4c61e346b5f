"""What every face engine keeps to: the real ones and the fake that other tests stand on."""

from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from core.clock import SystemClock
from face.adapters.local_engine import LocalEngine, LocalEngineLimits
from face.errors import EngineBusy, PictureUnusable
from face.ports import FaceEngine
from face.recording.rules import distance
from sandbox import faces
from tests.fakes.face import FakeFaceEngine, picture_of
from tests.fakes.face_nodes import node_of, portal_to
from tests.fakes.networks import tiny_network

Pictures = Callable[[], bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the network is converted once, and the certificates of a node lie."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(params=["local", "own network", "nodes", "fake"])
async def engine(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[FaceEngine]:
    if request.param == "fake":
        yield FakeFaceEngine(places=2, places_kept=1)
        return
    # Also where the machine does other things: how long a check may take is tried elsewhere.
    limits = LocalEngineLimits(
        workers=1,
        checks_at_once=2,
        places_kept=1,
        seconds_per_frame=30.0,
        seconds_per_check=60.0,
        seconds_to_start=60.0,
    )
    own = tiny_network(folder / "own.onnx") if request.param == "own network" else None
    local = LocalEngine(cache=folder, clock=SystemClock(), limits=limits, own=own)
    await local.warm_up()
    if request.param == "nodes":
        async with node_of(local, folder / "tls") as node, portal_to(node) as engine:
            yield engine
    else:
        yield local
    await local.close()


@pytest.fixture
def one_person(engine: FaceEngine) -> list[bytes]:
    if engine.name == "fake":
        return [picture_of("a"), picture_of("a")]
    if engine.model_id.startswith("own"):  # A network without training knows a picture again, and hardly a person.
        return [faces.portrait("a"), darker(faces.portrait("a"))]
    return [faces.portrait("a"), faces.make_frames("huomingzhe", [], "genuine", 6)[0]]


def darker(picture: bytes) -> bytes:
    out = BytesIO()
    with Image.open(BytesIO(picture)) as opened:
        opened.point(lambda value: round(value * 0.9)).save(out, "JPEG", quality=80)
    return out.getvalue()


@pytest.fixture
def another_person(engine: FaceEngine) -> bytes:
    return picture_of("b") if engine.name == "fake" else faces.portrait("b")


async def test_it_sees_who_is_who(engine: FaceEngine, one_person: list[bytes], another_person: bytes) -> None:
    async with engine.admit() as examination:
        one, again, other = [seen.face for seen in await examination.look_at([*one_person, another_person])]
    assert one
    assert again
    assert other
    assert distance(one.embedding, again.embedding) < 0.75 * distance(one.embedding, other.embedding)


async def test_it_warms_up_and_closes_and_both_may_happen_twice(engine: FaceEngine) -> None:
    for _ in range(2):
        await engine.warm_up()
        assert await engine.is_whole()
    assert engine.model_id
    for _ in range(2):
        await engine.close()
    assert not await engine.is_whole()
    with pytest.raises(EngineBusy):
        engine.require_place()
    with pytest.raises(EngineBusy):
        async with engine.admit():
            pass


async def test_it_admits_as_many_checks_as_it_has_places(engine: FaceEngine) -> None:
    async with engine.admit(), engine.admit():
        with pytest.raises(EngineBusy) as busy:
            async with engine.admit():
                pass
        assert busy.value.extras.retry_after
        with pytest.raises(EngineBusy):
            engine.require_place()
    engine.require_place()
    async with engine.admit():
        pass


async def test_the_nameless_leave_places_to_those_who_are_logged_in(engine: FaceEngine) -> None:
    async with engine.admit(logged_in=False):
        with pytest.raises(EngineBusy):
            async with engine.admit(logged_in=False):
                pass
        with pytest.raises(EngineBusy):
            engine.require_place(logged_in=False)
        async with engine.admit():
            pass
    async with engine.admit(logged_in=False):
        pass


async def test_a_picture_has_one_digest_whatever_stands_beside_its_pixels(
    engine: FaceEngine, one_person: list[bytes]
) -> None:
    first, second = one_person
    # A comment: behind the start of a JPEG for the one, at the end of the line for the other.
    remarked = first + b"|remark" if engine.name == "fake" else first[:2] + b"\xff\xfe\x00\x08remark" + first[2:]
    async with engine.admit() as examination:
        seen, seen_remarked, other = await examination.look_at([first, remarked, second])
    assert remarked != first
    assert seen_remarked.digest == seen.digest
    assert other.digest != seen.digest


async def test_it_names_the_file_that_is_no_picture(engine: FaceEngine, one_person: list[bytes]) -> None:
    async with engine.admit() as examination:
        with pytest.raises(PictureUnusable) as refusal:
            await examination.look_at([one_person[0], b"GIF89a, not what cameras make"])
    assert refusal.value.extras.errors[0].pointer == "/frames/1"


async def test_no_pictures_are_seen_at_once(engine: FaceEngine) -> None:
    async with engine.admit() as examination:
        assert await examination.look_at([]) == ()
