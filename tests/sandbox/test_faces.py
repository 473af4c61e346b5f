"""The pretended camera: what it makes looks like frames of a phone, never twice the same."""

import time
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from sandbox import faces


@pytest.mark.parametrize("style", faces.STYLES)
@pytest.mark.parametrize("count", [6, 12, 24])
def test_every_style_makes_small_jpegs_of_a_phone_camera(style: str, count: int) -> None:
    frames = faces.make_frames("huomingzhe", ["turn_one_side", "tilt", "come_closer"], style, count)
    assert len(frames) == len(set(frames)) == count
    for frame in frames:
        with Image.open(BytesIO(frame)) as image:
            assert (image.format, image.size) == ("JPEG", (640, 480))
        assert len(frame) < 60_000


def test_twelve_frames_take_less_than_a_second_and_a_half_of_one_core() -> None:
    faces.make_frames("huomingzhe", ["tilt"], "genuine", 6)
    began = time.process_time()
    faces.make_frames("huomingzhe", ["turn_one_side", "open_mouth", "turn_other_side"], "genuine", 12)
    assert time.process_time() - began < 1.5


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
