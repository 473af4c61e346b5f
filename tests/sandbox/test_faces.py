"""The pretended camera: what it makes looks like frames of a phone, never twice the same."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from sandbox import faces
from sandbox.face_warp import Camera, Pose, photograph


@pytest.mark.parametrize("style", faces.STYLES)
@pytest.mark.parametrize("count", [6, 12, 24])
def test_every_style_makes_small_jpegs_of_a_phone_camera(style: str, count: int) -> None:
    frames = faces.make_frames("huomingzhe", ["turn_one_side", "tilt", "come_closer"], style, count)
    assert len(frames) == len(set(frames)) == count
    for frame in frames:
        with Image.open(BytesIO(frame)) as image:
            assert (image.format, image.size) == ("JPEG", (640, 480))
        assert len(frame) < 60_000


@pytest.mark.parametrize("turn", [0.0, 0.85, 0.95, 1.2, -1.2])
def test_a_photograph_is_taken_from_any_side(turn: float) -> None:
    # So far aside that rays run along the photograph and behind it.
    pose = Pose(turn=turn, scale=40.0, middle=(20.0, 200.0))
    frame = photograph(faces._still("a"), pose, Camera(flat=True), np.random.default_rng(1))
    assert frame.startswith(b"\xff\xd8")


def test_the_same_request_never_gives_the_same_bytes() -> None:
    once, again = (faces.make_frames("huomingzhe", ["tilt"], "genuine", 6) for _ in range(2))
    assert not set(once) & set(again)


def test_measurements_can_be_repeated() -> None:
    once, again = (faces.make_frames("x", ["tilt"], "genuine", 6, rng=np.random.default_rng(7)) for _ in range(2))
    assert once == again


def test_a_portrait_has_the_format_of_identity_cards_and_never_changes() -> None:
    assert faces.portrait("a") == faces.portrait("a") != faces.portrait("b")
    with Image.open(BytesIO(faces.portrait("a"))) as image:
        assert image.size == (358, 441)


@pytest.mark.parametrize(
    ("actions", "style", "count"),
    [(["blink"], "genuine", 12), (["tilt"], "replayed", 12), (["tilt"], "genuine", 5), (["tilt"], "genuine", 25)],
)
def test_what_the_camera_does_not_know_is_refused(actions: list[str], style: str, count: int) -> None:
    with pytest.raises(faces.CannotPose):
        faces.make_frames("huomingzhe", actions, style, count)


def test_a_sequence_with_more_actions_than_frames_is_still_made() -> None:
    assert len(faces.make_frames("huomingzhe", ["tilt", "come_closer", "tilt"] * 3, "genuine", 6)) == 6


@pytest.mark.parametrize(
    "actions",
    [
        ["turn_one_side", "tilt", "come_closer"],
        ["turn_one_side", "turn_other_side", "tilt"],
        ["tilt", "turn_one_side", "turn_other_side"],
        ["turn_one_side", "turn_other_side"],
        ["tilt"],
    ],
)
def test_another_order_is_one_that_a_mirror_cannot_explain(actions: list[str]) -> None:
    def mirrored(names: list[str]) -> list[str]:
        swap = {"turn_one_side": "turn_other_side", "turn_other_side": "turn_one_side"}
        return [swap.get(name, name) for name in names]

    assert faces._another_order(actions) not in (actions, mirrored(actions))
