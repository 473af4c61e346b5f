"""What every face engine keeps to: the real one and the fake that other tests stand on."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from core.clock import SystemClock
from face.adapters.local_engine import LocalEngine, LocalEngineLimits
from face.errors import EngineBusy, PictureUnusable
from face.ports import FaceEngine
from face.rules import distance
from sandbox import faces
from tests.fakes.face import FakeFaceEngine, picture_of

Pictures = Callable[[], bytes]


@pytest.fixture(params=["local", "fake"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FaceEngine]:
    made: FaceEngine
    if request.param == "local":
        limits = LocalEngineLimits(workers=1, checks_at_once=2, places_kept=1)
        made = LocalEngine(cache=tmp_path, clock=SystemClock(), limits=limits)
    else:
        made = FakeFaceEngine(places=2, places_kept=1)
    yield made
    await made.close()


@pytest.fixture
def one_person(engine: FaceEngine) -> list[bytes]:
    if engine.name == "fake":
        return [picture_of("a"), picture_of("a")]
    return [faces.portrait("a"), faces.make_frames("huomingzhe", [], "genuine", 6)[0]]


@pytest.fixture
def another_person(engine: FaceEngine) -> bytes:
    return picture_of("b") if engine.name == "fake" else faces.portrait("b")


async def test_it_sees_who_is_who(engine: FaceEngine, one_person: list[bytes], another_person: bytes) -> None:
    async with engine.admit() as examination:
        one, again, other = [seen.face for seen in await examination.look_at([*one_person, another_person])]
    assert one
    assert again
    assert other
    assert distance(one.embedding, again.embedding) < 0.42
    assert distance(one.embedding, other.embedding) > 0.55


async def test_it_warms_up_and_closes_and_both_may_happen_twice(engine: FaceEngine) -> None:
    assert not engine.is_ready
    for _ in range(2):
        await engine.warm_up()
        assert engine.is_ready
    assert engine.model_id
    for _ in range(2):
        await engine.close()
    assert not engine.is_ready
    with pytest.raises(EngineBusy):
        async with engine.admit():
            pass


async def test_it_admits_as_many_checks_as_it_has_places(engine: FaceEngine) -> None:
    async with engine.admit(), engine.admit():
        with pytest.raises(EngineBusy) as busy:
            async with engine.admit():
                pass
        assert busy.value.extras.retry_after
    async with engine.admit():
        pass


async def test_the_nameless_leave_places_to_those_who_are_logged_in(engine: FaceEngine) -> None:
    async with engine.admit(logged_in=False):
        with pytest.raises(EngineBusy):
            async with engine.admit(logged_in=False):
                pass
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
