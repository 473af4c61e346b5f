"""An operator's own network: loaded when it is the one that was named, fed as its family expects, never mixed up."""

from dataclasses import replace
from pathlib import Path

import dlib
import numpy as np
import pytest
from pydantic import ValidationError

from api.wiring.engines import face_engine, local_engine
from core.clock import SystemClock
from core.ids import RandomIds
from core.outbound import Outbound
from core.settings import OutboundSettings, UnsafeSettings
from face.adapters import own_network
from face.adapters.local_engine import LocalEngine, LocalEngineLimits
from face.adapters.own_network import OwnDescriber, OwnNetwork, WrongNetwork
from face.errors import EngineUnavailable
from face.evaluation import SHIPPED
from face.rules import network_of
from face.settings import DecisionSettings, FaceSettings, OwnNetworkSettings
from face.types import FrameObservation
from tests.fakes.networks import tiny_network


@pytest.fixture
def own(tmp_path: Path) -> OwnNetwork:
    return tiny_network(tmp_path / "own.onnx")


def face_at(points: list[tuple[float, float]]) -> dlib.full_object_detection:
    places = [dlib.point(round(x), round(y)) for x, y in points]
    return dlib.full_object_detection(dlib.rectangle(0, 0, 400, 400), places)


def test_the_eyes_of_an_aligned_face_lie_where_the_family_expects_them() -> None:
    places = np.array(own_network.template())
    # Both corners of the eye on the left of the picture, then of that on the right.
    np.testing.assert_allclose(places[2:4].mean(0), (38.2946, 51.6963), atol=1e-6)
    np.testing.assert_allclose(places[0:2].mean(0), (73.5318, 51.5014), atol=1e-6)
    # The foot of the nose: between the family's tip of the nose (71.7) and its corners of the mouth (92.3).
    assert 54 < places[4][0] < 58
    assert 74 < places[4][1] < 84


def test_a_face_is_described_the_same_wherever_it_is_and_however_it_is_turned(own: OwnNetwork) -> None:
    rng = np.random.default_rng(7)
    face = np.kron(rng.integers(0, 255, (14, 14, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    describer = OwnDescriber(own)
    straight = describer.describe(face, face_at(own_network.template()))
    assert np.linalg.norm(straight) == pytest.approx(1.0, abs=1e-5)

    # Twice as large, a quarter turned, elsewhere: what was at (x, y) is now at (300 - 2y, 40 + 2x).
    larger = np.kron(face, np.ones((2, 2, 1))).astype(np.uint8)
    canvas = np.zeros((400, 400, 3), np.uint8)
    canvas[40:264, 76:300] = np.rot90(larger, -1)
    turned = face_at([(300 - 2 * y, 40 + 2 * x) for x, y in own_network.template()])
    assert np.linalg.norm(describer.describe(canvas, turned) - straight) < 0.25


def test_colours_come_in_the_order_that_was_set(own: OwnNetwork) -> None:
    seen: list[np.ndarray] = []

    class Looking(OwnDescriber):
        def _run(self, values: np.ndarray) -> np.ndarray:
            seen.append(values)
            return super()._run(values)

    red = np.zeros((112, 112, 3), np.uint8)
    red[:, :, 0] = 255
    face = face_at(own_network.template())
    Looking(own).describe(red, face)
    Looking(replace(own, colours="bgr", mean=0.0, divisor=255.0)).describe(red, face)
    (_, rgb, _, bgr) = seen
    assert rgb[0, :, 56, 56].tolist() == [1.0, -1.0, -1.0]
    assert bgr[0, :, 56, 56].tolist() == [0.0, 0.0, 1.0]


def test_its_name_says_which_network_and_what_is_done_before_it(own: OwnNetwork) -> None:
    names = {
        own.model_id,
        replace(own, sha256="0" * 64).model_id,
        replace(own, colours="bgr").model_id,
        replace(own, mean=0.0).model_id,
        replace(own, divisor=128.0).model_id,
    }
    assert len(names) == 5
    assert len({network_of(name) for name in names}) == 5
    assert max(map(len, names)) <= 60


@pytest.mark.parametrize(
    ("pixels", "channels"), [(150, 3), (112, 1)], ids=["of another size", "of another number of colours"]
)
def test_a_network_of_another_shape_is_refused(tmp_path: Path, pixels: int, channels: int) -> None:
    with pytest.raises(WrongNetwork):
        OwnDescriber(tiny_network(tmp_path / "x.onnx", pixels=pixels, channels=channels))


async def test_another_file_than_the_one_named_is_not_loaded(own: OwnNetwork, tmp_path: Path) -> None:
    changed = replace(own, sha256="0" * 64)
    with pytest.raises(WrongNetwork):
        OwnDescriber(changed)
    limits = LocalEngineLimits(workers=1)
    engine = LocalEngine(cache=tmp_path, clock=SystemClock(), limits=limits, own=changed)
    with pytest.raises(EngineUnavailable):
        await engine.warm_up()
    await engine.close()


def test_settings_name_the_file_with_its_digest_and_an_evaluation_of_its_own(own: OwnNetwork, tmp_path: Path) -> None:
    decision = DecisionSettings(evaluation=SHIPPED)
    named = OwnNetworkSettings(file=Path(own.file), sha256=own.sha256)
    settings = FaceSettings(network=named, decision=decision)
    local_engine(settings, cache=tmp_path, clock=SystemClock())
    assert settings.limits().liveness.same_person == 1.0
    # With thresholds of another network nobody passes.
    assert network_of(own.model_id) != settings.limits().decision.network
    another = OwnNetworkSettings(file=Path(own.file), sha256="0" * 64)
    with pytest.raises(UnsafeSettings):
        local_engine(FaceSettings(network=another, decision=decision), cache=tmp_path, clock=SystemClock())
    clock = SystemClock()
    outbound = Outbound(OutboundSettings(), clock=clock, production=False)
    with pytest.raises(UnsafeSettings, match="EVALUATION"):
        face_engine(FaceSettings(network=named), cache=tmp_path, clock=clock, ids=RandomIds(), outbound=outbound)
    with pytest.raises(ValidationError):
        OwnNetworkSettings(file=Path(own.file))


async def test_what_it_saw_carries_its_name(own: OwnNetwork, tmp_path: Path, portrait: bytes) -> None:
    engine = LocalEngine(cache=tmp_path, clock=SystemClock(), limits=LocalEngineLimits(workers=1), own=own)
    seen = await engine.look_at(portrait)
    assert isinstance(seen, FrameObservation)
    assert seen.face
    assert seen.model_id == engine.model_id
    assert seen.model_id.startswith(own.model_id)
    assert len(seen.face.embedding) == 14 * 14
    # Nothing of the library's network was converted or loaded for it.
    assert not list(tmp_path.glob("dlib-*"))
    await engine.close()
