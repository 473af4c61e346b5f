"""Decisions about face checks, on made-up observations."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from face import rules
from face.recording import rules as shots
from face.types import (
    Action,
    Band,
    Embedding,
    FaceBox,
    FaceSeen,
    FrameObservation,
    MediaType,
    Method,
    PictureFault,
    Reason,
    Standing,
)

DECISION = rules.DecisionLimits("test@1", 0.42, 0.55, Method.RAW, "net/weights/1", 0.01)
LIMITS = rules.FaceLimits(DECISION)
ME = (1.0, *[0.0] * 127)
FRONT = FaceSeen(
    box=FaceBox(200, 100, 140, 140),
    score=1.0,
    eye_distance=64.0,
    turn=0.0,
    tilt=0.0,
    sharpness=100.0,
    light=130.0,
    contrast=50.0,
    landmarks=((0.0, 0.0),) * 5,
    embedding=ME,
)
ONE, OTHER, TILT, CLOSER = shots.MEASURABLE

poses = {
    ONE: replace(FRONT, turn=0.21, eye_distance=58.0),
    OTHER: replace(FRONT, turn=-0.21, eye_distance=58.0),
    TILT: replace(FRONT, tilt=17.0),
    CLOSER: replace(FRONT, eye_distance=88.0),
}
triples = st.permutations(shots.MEASURABLE).map(lambda actions: tuple(actions[:3]))


def away(distance: float) -> tuple[float, ...]:
    """Return an embedding that far from mine."""
    return (1.0, distance, *[0.0] * 126)


def frame(face: FaceSeen | None, *, second: float = 0.0, model: str = DECISION.model_id) -> FrameObservation:
    return FrameObservation(640, 480, face, second, model, "")


def recording(actions: Sequence[Action], *, rests: bool = True) -> list[FrameObservation]:
    faces = [FRONT]
    for action in actions:
        faces += [poses[action], poses[action]] + ([FRONT] if rests else [])
    return [frame(face) for face in faces]


def judged(frames: Sequence[FrameObservation], actions: Sequence[Action], portrait_at: float = 0.2) -> Reason | None:
    return rules.judge(frames, frame(replace(FRONT, embedding=away(portrait_at))), actions, LIMITS).reason


@given(triples, st.booleans())
def test_whoever_does_what_was_asked_passes(actions: tuple[Action, ...], rests: bool) -> None:
    assert judged(recording(actions, rests=rests), actions) is None


@given(triples)
def test_a_mirrored_camera_makes_no_difference(actions: tuple[Action, ...]) -> None:
    mirrored = [
        replace(seen, face=replace(seen.face, turn=-seen.face.turn, tilt=-seen.face.tilt))
        for seen in recording(actions)
        if seen.face
    ]
    assert judged(mirrored, actions) is None


@given(triples, triples)
def test_other_actions_or_another_order_are_missed(asked: tuple[Action, ...], done: tuple[Action, ...]) -> None:
    swap = {ONE: OTHER, OTHER: ONE}
    # Two sides that change places are one movement to a camera that may mirror.
    if done not in (asked, tuple(swap.get(action, action) for action in asked)):
        expected = None if _only_side_differs(asked, done) else Reason.ACTION_MISSED
        assert judged(recording(done), asked) is expected


def _only_side_differs(asked: tuple[Action, ...], done: tuple[Action, ...]) -> bool:
    turns = {ONE, OTHER}
    alike = all(one == two or {one, two} <= turns for one, two in zip(asked, done, strict=True))
    return alike and len(turns & set(asked)) == len(turns & set(done)) == 1


@given(st.lists(st.floats(-0.03, 0.03), min_size=6, max_size=24), triples)
def test_a_still_picture_is_refused(noise: list[float], actions: tuple[Action, ...]) -> None:
    frames = [
        frame(replace(FRONT, turn=shake, tilt=shake * 50, eye_distance=64 * (1 + shake), embedding=away(abs(shake))))
        for shake in noise
    ]
    assert judged(frames, actions) is Reason.ACTION_MISSED


@given(st.integers(1, 9))
def test_a_person_who_changes_on_the_way_is_noticed(at: int) -> None:
    frames = recording((ONE, TILT, CLOSER))
    changed = [replace(seen, face=replace(seen.face, embedding=away(0.7))) for seen in frames[at:] if seen.face]
    assert judged(frames[:at] + changed, (ONE, TILT, CLOSER)) is Reason.PERSON_CHANGED


@pytest.mark.parametrize(
    ("distance", "band"),
    [(0.2, Band.SAME), (0.42, Band.SAME), (0.5, Band.UNSURE), (0.6, Band.OTHER), (0.7, Band.OTHER)],
)
def test_only_a_close_match_passes(distance: float, band: Band) -> None:
    judgement = rules.judge(recording((TILT,)), frame(replace(FRONT, embedding=away(distance))), (TILT,), LIMITS)
    assert judgement.band is band
    assert judgement.passed is (band is Band.SAME)
    assert judgement.reason is (None if judgement.passed else Reason.NOT_PASSED)


def test_without_a_portrait_nobody_passes_and_nobody_learns_why() -> None:
    judgement = rules.judge(recording((TILT,)), None, (TILT,), LIMITS)
    assert (judgement.passed, judgement.reason, judgement.score) == (False, Reason.NOT_PASSED, None)


def test_a_mistake_of_the_person_is_told_the_same_with_and_without_a_portrait() -> None:
    assert rules.judge(recording((TILT,)), None, (CLOSER,), LIMITS).reason is Reason.ACTION_MISSED
    assert judged(recording((TILT,)), (CLOSER,)) is Reason.ACTION_MISSED


def test_descriptions_of_different_models_are_not_compared() -> None:
    portrait = frame(replace(FRONT, embedding=ME), model="another")
    assert rules.judge(recording((TILT,)), portrait, (TILT,), LIMITS).reason is Reason.NOT_PASSED


def test_the_best_frames_are_averaged() -> None:
    faces = [replace(FRONT, score=score, embedding=away(d)) for score, d in ((3, 0.1), (2, 0.3), (1.5, 0.5), (1, 0.0))]
    frames = [frame(faces[0]), *recording((TILT,)), *(frame(face) for face in faces[1:])]
    judgement = rules.judge(frames, frame(FRONT), (TILT,), LIMITS)
    assert judgement.score == pytest.approx(0.3)


def test_every_judgement_says_by_what_it_was_made() -> None:
    judgement = rules.judge(recording((TILT,)), frame(FRONT), (TILT,), LIMITS)
    assert (judgement.threshold_id, judgement.method, judgement.model_id) == ("test@1", Method.RAW, DECISION.model_id)
    assert judgement.claimed_rate == 0.01


def test_a_rate_is_claimed_for_the_model_that_was_measured_alone() -> None:
    frames = [replace(seen, model_id="net/weights/2") for seen in recording((TILT,))]
    judgement = rules.judge(frames, frame(FRONT, model="net/weights/2"), (TILT,), LIMITS)
    assert (judgement.passed, judgement.claimed_rate) == (True, None)


def test_thresholds_of_another_network_let_nobody_in() -> None:
    frames = [replace(seen, model_id="net/other/1") for seen in recording((TILT,))]
    assert not rules.judge(frames, frame(FRONT, model="net/other/1"), (TILT,), LIMITS).passed


def test_a_portrait_has_to_be_better_than_a_frame() -> None:
    soft = replace(FRONT, sharpness=25.0)
    assert shots.comparison_fault(frame(soft), LIMITS.quality) is None
    assert rules.judge(recording((TILT,)), frame(soft), (TILT,), LIMITS).reason is Reason.NOT_PASSED


normalising = replace(LIMITS, decision=replace(DECISION, method=Method.AS_NORM, accept=-3.4, reject=-2.9))


def crowd(mean: float, deviation: float) -> Callable[[Embedding], Standing]:
    return lambda _: Standing(mean, deviation)


@pytest.mark.parametrize(("mean", "band"), [(0.7, Band.SAME), (0.51, Band.UNSURE), (0.4, Band.OTHER)])
def test_a_distance_counts_by_the_crowd_it_is_in(mean: float, band: Band) -> None:
    portrait = frame(replace(FRONT, embedding=away(0.35)))
    judgement = rules.judge(recording((TILT,)), portrait, (TILT,), normalising, crowd(mean, 0.05))
    assert judgement.band is band
    assert judgement.is_unsure is (band is Band.UNSURE)
    assert judgement.passed is (band is Band.SAME)


def test_a_method_without_what_it_needs_lets_nobody_in() -> None:
    assert not rules.judge(recording((TILT,)), frame(FRONT), (TILT,), normalising).passed
    assert not rules.judge(recording((TILT,)), frame(FRONT), (TILT,), LIMITS, crowd(0.7, 0.05)).passed


@given(st.floats(0, 2), st.floats(0.1, 2), st.floats(0.1, 2), st.floats(0, 1), st.floats(0, 1))
def test_normalising_is_the_same_both_ways(value: float, m1: float, m2: float, d1: float, d2: float) -> None:
    one, other = Standing(m1, d1), Standing(m2, d2)
    assert rules.normalised(value, one, other) == rules.normalised(value, other, one)
    assert math.isfinite(rules.normalised(value, one, other))


watchful = replace(LIMITS, liveness=replace(LIMITS.liveness, alive=0.5))


@pytest.mark.parametrize(("alive", "passes"), [(0.9, True), (0.5, True), (0.4, False), (None, False)])
def test_what_does_not_look_alive_is_refused_without_a_word_of_why(alive: float | None, passes: bool) -> None:
    frames = [replace(seen, face=replace(seen.face, alive=alive)) for seen in recording((TILT,)) if seen.face]
    judgement = rules.judge(frames, frame(FRONT), (TILT,), watchful)
    assert judgement.reason is (None if passes else Reason.NOT_PASSED)
    assert judgement.alive == (None if alive is None else pytest.approx(alive))
    assert "alive" not in repr(judgement)
    assert rules.judge(frames, frame(FRONT), (TILT,), LIMITS).passed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"light": 30.0}, Reason.TOO_DARK),
        ({"light": 220.0}, Reason.TOO_BRIGHT),
        ({"sharpness": 12.0}, Reason.BLURRED),
        ({"contrast": 10.0}, Reason.BLURRED),
        ({"eye_distance": 30.0}, Reason.FACE_TOO_SMALL),
        ({"box": FaceBox(200, 100, 70, 70)}, Reason.FACE_TOO_SMALL),
        ({"box": FaceBox(-3, 100, 140, 140)}, Reason.OUT_OF_FRAME),
        ({"box": FaceBox(510, 100, 140, 140)}, Reason.OUT_OF_FRAME),
        ({"turn": 0.3}, Reason.POSE),
        ({"tilt": 25.0}, Reason.POSE),
    ],
)
def test_pictures_that_are_not_good_enough_say_what_to_change(change: dict[str, Any], reason: Reason) -> None:
    face = replace(FRONT, **change)
    assert shots.comparison_fault(frame(face), LIMITS.quality) is reason
    assert judged([frame(face)] * 8, (TILT,)) is reason


def test_an_empty_room_and_a_second_person_are_named() -> None:
    assert judged([frame(None)] * 8, (TILT,)) is Reason.NO_FACE
    with_company = [frame(FRONT, second=0.8)] * 2 + recording((TILT, CLOSER, ONE))
    assert judged(with_company, (TILT, CLOSER, ONE)) is Reason.SEVERAL_FACES


def test_a_face_lost_for_a_moment_is_no_fault() -> None:
    frames = recording((ONE, TILT, CLOSER))
    assert judged([*frames[:3], frame(None), *frames[3:]], (ONE, TILT, CLOSER)) is None


def test_staying_close_does_not_hide_what_comes_next() -> None:
    near = replace(FRONT, eye_distance=88.0)
    near_turn = replace(poses[ONE], eye_distance=80.0)
    frames = [frame(face) for face in (FRONT, FRONT, near, near, near_turn, near_turn, near)]
    assert judged(frames, (CLOSER, ONE)) is None


def test_coming_closer_step_by_step_is_one_movement() -> None:
    steps = [replace(FRONT, eye_distance=64.0 * factor) for factor in (1, 1.1, 1.25, 1.5, 1.8, 1.0)]
    assert judged([frame(face) for face in (*steps, poses[TILT], FRONT)], (CLOSER, TILT)) is None


def five_points(eyes: float, down: float) -> tuple[tuple[float, float], ...]:
    """The corners of two eyes whose middles are so far apart, and a nose so far below."""
    return ((eyes + 9, 0.0), (eyes - 9, 0.0), (-9.0, 0.0), (9.0, 0.0), (eyes * 0.7, down))


@given(triples, st.floats(0.3, 0.74))
def test_a_flat_picture_that_is_turned_is_refused(actions: tuple[Action, ...], narrow: float) -> None:
    frames = [
        replace(seen, face=replace(seen.face, landmarks=five_points(64.0 * (narrow if seen.face.turn else 1.0), 40.0)))
        for seen in recording(actions)
        if seen.face
    ]
    expected = Reason.ACTION_MISSED if {ONE, OTHER} & set(actions) else None
    assert judged(frames, actions) is expected


@given(triples, st.floats(0.76, 1.2))
def test_a_head_that_is_turned_narrows_less(actions: tuple[Action, ...], narrow: float) -> None:
    frames = [
        replace(seen, face=replace(seen.face, landmarks=five_points(64.0 * (narrow if seen.face.turn else 1.0), 40.0)))
        for seen in recording(actions)
        if seen.face
    ]
    assert judged(frames, actions) is None


def test_an_open_mouth_cannot_be_seen_with_five_points() -> None:
    assert judged(recording((TILT,)), (Action.OPEN_MOUTH,)) is Reason.ACTION_MISSED


def test_every_sequence_that_is_asked_for_can_be_told_from_the_others() -> None:
    sequences = shots.possible_actions(3)
    assert len(sequences) == len(set(sequences)) == 12
    for asked in sequences:
        for done in sequences:
            assert (judged(recording(done), asked) is None) is (asked == done)


def _drawing(at: int) -> Callable[[int], int]:
    return lambda size: at % size


def test_each_sequence_is_as_likely_as_any_other() -> None:
    chosen = [shots.choose_actions(3, _drawing(at)) for at in range(12)]
    assert sorted(chosen) == sorted(shots.possible_actions(3))


@given(st.lists(st.floats(-1, 1), min_size=128, max_size=128), st.lists(st.floats(-1, 1), min_size=128, max_size=128))
def test_distance_is_the_same_both_ways(one: list[float], other: list[float]) -> None:
    assert shots.distance(tuple(one), tuple(other)) == shots.distance(tuple(other), tuple(one)) >= 0.0
    assert shots.distance(tuple(one), tuple(one)) == 0.0


def test_the_type_of_a_file_is_told_by_its_bytes() -> None:
    assert shots.media_type(b"\xff\xd8\xff\xe0rest") is MediaType.JPEG
    assert shots.media_type(b"\x89PNG\r\n\x1a\nrest") is MediaType.PNG
    assert shots.media_type(b"GIF89a") is None
    assert shots.size_fault(b"GIF89a", max_bytes=100) is PictureFault.WRONG_TYPE
    assert shots.size_fault(b"\xff\xd8\xff" + bytes(100), max_bytes=100) is PictureFault.TOO_LARGE
    assert shots.size_fault(b"\xff\xd8\xff", max_bytes=100) is None


def test_biometric_values_are_not_printed() -> None:
    face = replace(FRONT, embedding=(0.123456, *[0.0] * 127), landmarks=((77.25, 1.0),) * 5)
    judgement = rules.judge(recording((TILT,)), frame(FRONT), (TILT,), LIMITS)
    assert "0.123456" not in repr(frame(face))
    assert "77.25" not in repr(face)
    assert judgement.score is not None
    assert not math.isnan(judgement.score)
    assert "score" not in repr(judgement)
