"""What a recording shows by itself: frames good enough, one person in all of them, who did what was asked.

Pure functions of observations. Numbers have their source beside them; "measured" means on the development pictures
with this engine (`docs/face-evaluation.md`).
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby, pairwise, permutations
from typing import Final

from face.types import Action, Embedding, FaceSeen, FrameObservation, MediaType, PictureFault, Reason

_MAGIC: Final = {b"\xff\xd8\xff": MediaType.JPEG, b"\x89PNG\r\n\x1a\n": MediaType.PNG}

# What the five points show. `open_mouth` needs a model of the mouth.
MEASURABLE: Final = (Action.TURN_ONE_SIDE, Action.TURN_OTHER_SIDE, Action.TILT, Action.COME_CLOSER)


@dataclass(frozen=True, slots=True)
class QualityGates:
    """What a frame must be like. Bad pictures resemble each other: blur lifts false matches from 0 to 17-48 %.

    `largest_second_face` is a share of the area of the largest. `score` (the detector's, about 1 from the front),
    `turn` and `tilt` (degrees) bound frames that are compared; frames of an action may exceed them.
    """

    face_width: int = 80
    eye_distance: float = 40.0
    sharpness: float = 20.0
    darkest: float = 50.0
    brightest: float = 205.0
    contrast: float = 25.0
    score: float = 0.2
    largest_second_face: float = 0.4
    turn: float = 0.12
    tilt: float = 20.0
    # Of all frames; a blink of the detector during a turn is no fault of the person.
    usable_share: float = 0.6


@dataclass(frozen=True, slots=True)
class LivenessLimits:
    """When a movement counts, against the first frame from the front.

    `turn` 0.16 found 6 of 7 annotated turns with no false one; a face at rest moves by 0.03. `tilt` is in degrees.
    `nearer` is the growth of the distance between the eyes. `same_person` bounds the distance between neighbouring
    frames: the same head from the front and turned was measured up to 0.37, the two sandbox people above 0.6.
    `depth` is the least that a face may narrow in a turn, its eye distance against the way from the eyes down to the
    nose: a head narrows to 0.75 at the least in 121 of 124 turned news pictures, since its nose goes along; a flat
    picture has to narrow more before its nose seems to move (0.68 and 0.61 in the engine's eyes, turned by 50 and 54
    degrees).
    `alive` is what a network against spoofing has to say at the least, on average over the frames from the front; none
    where no such network takes part.
    """

    turn: float = 0.16
    tilt: float = 10.0
    nearer: float = 1.18
    same_person: float = 0.5
    depth: float = 0.75
    alive: float | None = None
    actions: int = 3


class _Movement(Enum):
    """What one frame shows; the two sides are told apart, but nobody knows which is left."""

    TURN_PLUS = auto()
    TURN_MINUS = auto()
    TILT = auto()
    NEARER = auto()


_TURNS: Final = frozenset({_Movement.TURN_PLUS, _Movement.TURN_MINUS})


def media_type(data: bytes) -> MediaType | None:
    """Tell the format of a picture by its first bytes; whatever a caller says about it does not count."""
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)


def possible_actions(count: int) -> list[tuple[Action, ...]]:
    """List all sequences of `count` different actions that can be told from one another.

    "The other side" only has a meaning after "one side": a mirrored camera shows one as the other.
    """
    return [
        sequence
        for sequence in permutations(MEASURABLE, count)
        if Action.TURN_OTHER_SIDE not in sequence
        or Action.TURN_ONE_SIDE in sequence[: sequence.index(Action.TURN_OTHER_SIDE)]
    ]


def choose_actions(count: int, below: Callable[[int], int]) -> tuple[Action, ...]:
    """Choose one of the possible sequences; `below(n)` draws from 0 to n - 1 and must not be guessable."""
    sequences = possible_actions(count)
    return sequences[below(len(sequences))]


def frame_fault(frame: FrameObservation, gates: QualityGates) -> Reason | None:
    """Say why a frame is of no use at all, or nothing."""
    face = frame.face
    if face is None:
        return Reason.NO_FACE
    if frame.second_face > gates.largest_second_face:
        return Reason.SEVERAL_FACES
    if face.box.width < gates.face_width or face.eye_distance < gates.eye_distance:
        return Reason.FACE_TOO_SMALL
    if _is_cut_off(frame, face):
        return Reason.OUT_OF_FRAME
    if face.light < gates.darkest:
        return Reason.TOO_DARK
    if face.light > gates.brightest:
        return Reason.TOO_BRIGHT
    if face.sharpness < gates.sharpness or face.contrast < gates.contrast:
        return Reason.BLURRED
    return None


def comparison_fault(frame: FrameObservation, gates: QualityGates) -> Reason | None:
    """Say why a frame cannot be compared with a portrait, or nothing: as `frame_fault`, and clearly from the front."""
    fault = frame_fault(frame, gates)
    if fault is None and frame.face and (frame.face.score < gates.score or not is_frontal(frame.face, gates)):
        return Reason.POSE
    return fault


def size_fault(data: bytes, *, max_bytes: int) -> PictureFault | None:
    """Say what is wrong with a file before any engine sees it, or nothing."""
    if len(data) > max_bytes:
        return PictureFault.TOO_LARGE
    return None if media_type(data) else PictureFault.WRONG_TYPE


def distance(one: Embedding, other: Embedding) -> float:
    """Return the Euclidean distance between two faces: about 0.2 for two pictures of one person, 0.7 for two people."""
    return math.dist(one, other)


def recording_fault(
    frames: Sequence[FrameObservation], actions: Sequence[Action], gates: QualityGates, liveness: LivenessLimits
) -> Reason | None:
    """Judge the recording by itself, before anybody's portrait is looked at."""
    faults = Counter(frame_fault(frame, gates) for frame in frames)
    usable = faults.pop(None, 0)
    if faults and usable < gates.usable_share * len(frames):
        return faults.most_common(1)[0][0]
    # One frame may be a curtain that looks like a face; two are company.
    if faults[Reason.SEVERAL_FACES] > 1:
        return Reason.SEVERAL_FACES
    faces = [frame.face for frame in frames if frame.face and frame_fault(frame, gates) is None]
    if not faces or not any(is_frontal(face, gates) for face in faces):
        return Reason.POSE
    if any(distance(one.embedding, next_.embedding) > liveness.same_person for one, next_ in pairwise(faces)):
        return Reason.PERSON_CHANGED
    if not did_as_asked(faces, actions, gates, liveness):
        return Reason.ACTION_MISSED
    return None


def looks_alive(frames: Sequence[FrameObservation], gates: QualityGates) -> float | None:
    """Return how much the frames from the front look alive on average; nothing where nobody looked."""
    looks = [
        frame.face.alive
        for frame in frames
        if frame.face and frame.face.alive is not None and comparison_fault(frame, gates) is None
    ]
    return math.fsum(looks) / len(looks) if looks else None


def did_as_asked(
    faces: Sequence[FaceSeen], actions: Sequence[Action], gates: QualityGates, liveness: LivenessLimits
) -> bool:
    """Say whether exactly these actions happened, in this order; repeating one before the next is allowed."""
    if not actions or not set(actions) <= set(MEASURABLE):
        return False
    seen = _movements(faces, gates, liveness)
    return any(seen == _expected(actions, one_side) for one_side in (_Movement.TURN_PLUS, _Movement.TURN_MINUS))


def _expected(actions: Sequence[Action], one_side: _Movement) -> list[_Movement]:
    other_side = _Movement.TURN_MINUS if one_side is _Movement.TURN_PLUS else _Movement.TURN_PLUS
    meaning = {
        Action.TURN_ONE_SIDE: one_side,
        Action.TURN_OTHER_SIDE: other_side,
        Action.TILT: _Movement.TILT,
        Action.COME_CLOSER: _Movement.NEARER,
    }
    return [meaning[action] for action in actions]


def _movements(faces: Sequence[FaceSeen], gates: QualityGates, liveness: LivenessLimits) -> list[_Movement]:
    """Return the movements in the order they happened, each once however many frames it lasted."""
    start = next((face for face in faces if is_frontal(face, gates)), None)
    if start is None:
        return []
    # How far away the person is when they are not coming closer: after having come, they may stay or go back.
    reach = start.eye_distance
    seen: list[_Movement] = []
    for face in faces:
        movement = _movement(face, start, reach, liveness)
        if movement is _Movement.NEARER:
            reach = face.eye_distance
        if movement is not None:
            seen.append(movement)
        elif is_frontal(face, gates):
            # A turned head has its eyes closer together: only frames from the front say how far away it is.
            reach = min(reach, face.eye_distance)
    return [movement for movement, _ in groupby(seen)]


def _movement(face: FaceSeen, start: FaceSeen, reach: float, limits: LivenessLimits) -> _Movement | None:
    """Return the strongest movement in a frame, measured against what each needs; none if all fall short."""
    turn, tilt = face.turn - start.turn, face.tilt - start.tilt
    growth = face.eye_distance / reach if reach > 0 and face.eye_distance > 0 else 1.0
    strengths = {
        _Movement.TURN_PLUS if turn > 0 else _Movement.TURN_MINUS: abs(turn) / limits.turn,
        _Movement.TILT: abs(tilt) / limits.tilt,
        _Movement.NEARER: math.log(growth) / math.log(limits.nearer),
    }
    strongest = max(strengths, key=lambda movement: strengths[movement])
    if strengths[strongest] < 1.0:
        return None
    return None if strongest in _TURNS and _is_flat(face, start, limits) else strongest


def _is_flat(face: FaceSeen, start: FaceSeen, limits: LivenessLimits) -> bool:
    """Say whether a turned face is narrower than a head with a nose on it would be."""
    now, before = _proportion(face), _proportion(start)
    return now is not None and before is not None and now < limits.depth * before


def _proportion(face: FaceSeen) -> float | None:
    """Return the eye distance by the height of the eyes above the nose; nothing where the five points do not say."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy), (nose_x, nose_y) = face.landmarks
    across, along = (ax + bx - cx - dx) / 2, (ay + by - cy - dy) / 2
    eyes = math.hypot(across, along)
    # Twice the area of the triangle of eyes and nose, by its base.
    area = abs(across * (nose_y - (ay + by + cy + dy) / 4) - along * (nose_x - (ax + bx + cx + dx) / 4))
    return eyes * eyes / area if area > 0 else None


def is_frontal(face: FaceSeen, gates: QualityGates) -> bool:
    """Say whether a face looks into the camera."""
    return abs(face.turn) <= gates.turn and abs(face.tilt) <= gates.tilt


def _is_cut_off(frame: FrameObservation, face: FaceSeen) -> bool:
    box = face.box
    return box.left < 0 or box.top < 0 or box.left + box.width > frame.width or box.top + box.height > frame.height
