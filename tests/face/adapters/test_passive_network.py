"""The operator's network against spoofing: the file that is named, on the right part of the picture, or none."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from core.clock import SystemClock
from face.adapters.local_engine import LocalEngine, LocalEngineLimits
from face.adapters.own_network import WrongNetwork
from face.adapters.passive_network import PassiveJudge, PassiveNetwork, around
from face.types import FaceBox, PictureFault
from sandbox import faces

MODELS = Path(os.environ.get("ZHIJIAN_FACE_DATA", "nowhere")).parent / "models"
FILES = sorted(MODELS.glob("MiniFASNet*.onnx"))


def of_blue(path: Path, *, side: int = 80, classes: int = 3) -> PassiveNetwork:
    """Write a network whose second class grows with how blue its picture is."""
    weights = np.zeros((3, classes), np.float32)
    weights[0, min(1, classes - 1)] = 0.1
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["face"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["classes"]),
        ],
        "blue",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("classes", TensorProto.FLOAT, [1, classes])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    path.write_bytes(model.SerializeToString())
    return PassiveNetwork(str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def test_blue_comes_first_and_values_are_as_they_are(tmp_path: Path) -> None:
    judge = PassiveJudge(of_blue(tmp_path / "n.onnx"))
    blue, red = np.zeros((200, 200, 3), np.uint8), np.zeros((200, 200, 3), np.uint8)
    blue[..., 2], red[..., 0] = 255, 255
    box = FaceBox(80, 80, 40, 40)
    assert judge.alive(blue, box) > 0.99
    assert judge.alive(red, box) == pytest.approx(1 / 3, abs=1e-4)


@given(
    st.tuples(st.integers(2, 600), st.integers(2, 600)),
    st.builds(FaceBox, *[st.integers(-300, 700)] * 2, *[st.integers(1, 700)] * 2),
)
def test_what_is_looked_at_lies_inside_the_picture(size: tuple[int, int], box: FaceBox) -> None:
    width, height = size
    left, top, right, bottom = around(box, width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_a_face_in_the_middle_is_looked_at_with_its_surroundings() -> None:
    assert around(FaceBox(270, 190, 100, 100), 640, 480) == (185, 105, 455, 375)


def test_another_file_or_shape_is_refused(tmp_path: Path) -> None:
    network = of_blue(tmp_path / "n.onnx")
    (tmp_path / "n.onnx").write_bytes(b"another")
    with pytest.raises(WrongNetwork):
        network.content()
    for name, side, classes in (("wide.onnx", 112, 3), ("two.onnx", 80, 2)):
        with pytest.raises(WrongNetwork):
            PassiveJudge(of_blue(tmp_path / name, side=side, classes=classes))


async def test_the_engine_says_what_it_says(networks: Path, tmp_path: Path, portrait: bytes) -> None:
    limits = LocalEngineLimits(workers=1, seconds_per_frame=30.0, seconds_to_start=60.0)
    engine = LocalEngine(cache=networks, clock=SystemClock(), limits=limits, passive=of_blue(tmp_path / "n.onnx"))
    try:
        seen = await engine.look_at(portrait)
    finally:
        await engine.close()
    assert not isinstance(seen, PictureFault)
    assert seen.face
    assert seen.face.alive is not None
    assert 0.0 < seen.face.alive <= 1.0


@pytest.mark.skipif(not FILES, reason="ZHIJIAN_FACE_DATA has no models beside it")
async def test_a_real_network_runs(networks: Path) -> None:
    digest = hashlib.sha256(FILES[0].read_bytes()).hexdigest()
    limits = LocalEngineLimits(workers=1, seconds_per_frame=30.0, seconds_to_start=60.0)
    engine = LocalEngine(
        cache=networks, clock=SystemClock(), limits=limits, passive=PassiveNetwork(str(FILES[0]), digest)
    )
    try:
        for style in ("genuine", "screen"):
            seen = await engine.look_at(faces.make_frames("huomingzhe", [], style, 6)[0])
            assert not isinstance(seen, PictureFault)
            assert seen.face
            assert seen.face.alive is not None
            assert 0.0 <= seen.face.alive <= 1.0
    finally:
        await engine.close()
