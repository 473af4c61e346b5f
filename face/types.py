"""The words of a face check: what was asked for, what an engine saw, what was decided."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

Point: TypeAlias = tuple[float, float]
Embedding: TypeAlias = tuple[float, ...]


class Action(StrEnum):
    """A movement the server may ask for.

    Never left or right: front cameras mirror, so only "one side, then the other" can be checked. `open_mouth` needs a
    model of the mouth, which the five-point engine does not have.
    """

    TURN_ONE_SIDE = "turn_one_side"
    TURN_OTHER_SIDE = "turn_other_side"
    TILT = "tilt"
    COME_CLOSER = "come_closer"
    OPEN_MOUTH = "open_mouth"


class Reason(StrEnum):
    """Why a check did not pass. `not_passed` says no more on purpose: no match, or a suspected spoof."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"
    FACE_TOO_SMALL = "face_too_small"
    OUT_OF_FRAME = "out_of_frame"
    POSE = "pose"
    ACTION_MISSED = "action_missed"
    PERSON_CHANGED = "person_changed"
    NOT_PASSED = "not_passed"


class PictureFault(StrEnum):
    """Why a file is not a picture that an engine will look at."""

    WRONG_TYPE = "wrong_type"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TRUNCATED = "truncated"
    ANIMATED = "animated"
    UNUSUAL_COLOURS = "unusual_colours"
    TRAILING_DATA = "trailing_data"
    UNREADABLE = "unreadable"


class MediaType(StrEnum):
    """The two formats that cameras of phones deliver."""

    JPEG = "image/jpeg"
    PNG = "image/png"


class Band(StrEnum):
    """Where the distance between two faces lies: the same person, too close to call, another person."""

    SAME = "same"
    UNSURE = "unsure"
    OTHER = "other"


class Method(StrEnum):
    """How two faces are compared: by their plain distance, or by it normalised with a cohort of other people."""

    RAW = "raw"
    AS_NORM = "as-norm"


class Purpose(StrEnum):
    """What a check is for; each is asked for and recorded by itself."""

    STEP_UP = "step-up"
    PENSION = "pension"
    ACCOUNT_TAKEOVER = "account-takeover"
    ELDER_SESSION = "elder-session"


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"


class Unjudged(StrEnum):
    """Why a check was closed although nobody could judge it. `overtime` and `unavailable` are no attempts."""

    REPLAYED = "replayed"
    OVERTIME = "overtime"
    UNAVAILABLE = "unavailable"
    GIVEN_UP = "given_up"
    WITHDRAWN = "withdrawn"  # The consent was, while the pictures were looked at.


@dataclass(frozen=True, slots=True)
class FaceBox:
    """Where a face is, in pixels of the upright picture; it may reach beyond the picture's edge."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class FaceSeen:
    """One face in one frame. `embedding` and `landmarks` are biometric data: held in memory, never printed or kept.

    `turn` is the place of the nose along the eye axis, from the middle between the eyes, in eye distances: about 0
    from the front, 0.2 at some 25 degrees. `tilt` is the slope of the eye axis in degrees. `sharpness` is the
    variance of the Laplacian of the face scaled to 128 pixels. `alive`, from 0 to 1, is what a network against spoofing
    says, where there is one. `light` and `contrast` are mean and deviation of its
    grey values.
    """

    box: FaceBox
    score: float
    eye_distance: float
    turn: float
    tilt: float
    sharpness: float
    light: float
    contrast: float
    landmarks: tuple[Point, ...] = field(repr=False)
    embedding: Embedding = field(repr=False)
    alive: float | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """How close a face is to the nearest of a cohort of other people: mean and deviation of those distances."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class FrameObservation:
    """What an engine saw in one picture: its upright size, the largest face if any, and how large the next one is.

    `second_face` is the area of the second largest face as a share of the largest. `digest` is the SHA-256 of the
    upright pixels: the same picture has the same one whatever its file's name, metadata or lossless format.
    """

    width: int
    height: int
    face: FaceSeen | None
    second_face: float
    model_id: str
    digest: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was decided about a check, and by what. `score` stays inside: shown to callers it could be climbed.

    `claimed_rate` is the share of pairs of different people that this method takes for the same at the most, as far as
    it was measured; nothing is claimed for a model that was not the one measured. `alive` is recorded, and as little
    told to callers as the score.
    """

    passed: bool
    reason: Reason | None
    threshold_id: str
    model_id: str = ""
    method: Method | None = None
    claimed_rate: float | None = None
    score: float | None = field(default=None, repr=False)
    band: Band | None = None
    alive: float | None = field(default=None, repr=False)

    @property
    def outcome(self) -> Outcome:
        """How the check ends by it."""
        return Outcome.PASSED if self.passed else Outcome.FAILED

    @property
    def is_unsure(self) -> bool:
        """Whether all was well but the score lay between the thresholds: another way, or a person, has to decide."""
        return self.band is Band.UNSURE


@dataclass(frozen=True, slots=True)
class StartedCheck:
    """What a client needs to make the recording: which actions, by when, how many frames of what size."""

    id: UUID
    actions: tuple[Action, ...]
    expires_at: datetime
    min_frames: int
    max_frames: int
    max_frame_bytes: int
    engine: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How a check ended, as callers are told: no scores."""

    outcome: Outcome
    reason: Reason | None
    attempts_left: int
