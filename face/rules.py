"""What follows from what an engine saw: is this the person, who else may help, what else leads there.

Pure functions of observations. Numbers have their source beside them; "measured" means on the development pictures
with this engine (`docs/face-evaluation.md`). An installation overrides them by its settings.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from core.errors import Alternative
from core.pii import IdNumber
from face.recording.rules import LivenessLimits, QualityGates, comparison_fault, distance, looks_alive, recording_fault
from face.types import Action, Band, Embedding, FrameObservation, Judgement, Method, Reason, Standing

# Never the only way: what leads to the same without a camera.
ALTERNATIVES: Final = (
    Alternative(
        "counter", "带上身份证到就近的政务服务大厅办理", "Bring your identity card to the nearest service hall"
    ),
    Alternative("phone", "拨打12345政务服务热线", "Call the service line 12345"),
)
FAMILY: Final = Alternative(
    "family", "请家人用他们的手机代为办理", "Ask your family to do it on their phone on your behalf"
)
# What leads there for a child.
GUARDED: Final = (
    Alternative(
        "family", "请监护人用自己的手机代为办理", "A guardian can do it on their own phone on the child's behalf"
    ),
    Alternative(
        "counter",
        "请监护人带上双方证件和孩子一起到就近的政务服务大厅办理",
        "A guardian can come with the child and both their papers to the nearest service hall",
    ),
    ALTERNATIVES[1],
)
# From this age on people consent to face checks themselves (PIPL article 31; measures on face recognition, order 19).
_OWN_CONSENT_AGE: Final = 14
FRAME: Final = QualityGates()
MOVEMENTS: Final = LivenessLimits()
# A portrait is taken once and with care, and what is wrong with it is wrong in every check: it has to be better.
PORTRAIT: Final = QualityGates(eye_distance=60.0, sharpness=35.0)


@dataclass(frozen=True, slots=True)
class DecisionLimits:
    """Below `accept` it is the same person, above `reject` another; between them nobody is let in by this way.

    What the score is follows from `method`. Thresholds belong to one network (`network`, the beginning of a
    `model_id`): with another nobody passes. `claimed_rate` is how many pairs of different people, of every group that
    was looked at, are taken for the same at the most; it was measured with exactly `model_id` and is claimed for no
    other. `best_frames` are averaged.
    """

    threshold_id: str
    accept: float
    reject: float
    method: Method
    model_id: str
    claimed_rate: float
    best_frames: int = 3

    @property
    def network(self) -> str:
        """Name and weights of the network, without what is done to pictures before it."""
        return network_of(self.model_id)


@dataclass(frozen=True, slots=True)
class FaceLimits:
    """All bounds of a face check."""

    decision: DecisionLimits
    quality: QualityGates = FRAME
    liveness: LivenessLimits = MOVEMENTS
    portrait: QualityGates = PORTRAIT


def network_of(model_id: str) -> str:
    """Return name and weights of the network in a `model_id`."""
    return model_id.rpartition("/")[0]


def normalised(value: float, one: Standing, other: Standing) -> float:
    """Return how unusually close two faces are for the crowds they stand in (adaptive symmetric normalisation).

    Faces of some groups lie closer together in this engine than others. Measured in deviations from how close each of
    the two is to the nearest of a cohort of other people, one threshold means the same for all: -3 is nearer by three
    deviations than the nearest strangers are.
    """
    return (_deviations(value, one) + _deviations(value, other)) / 2


def _deviations(value: float, standing: Standing) -> float:
    return (value - standing.mean) / max(standing.deviation, 1e-6)


def average(embeddings: Sequence[Embedding]) -> Embedding:
    """Return the middle of several descriptions of one face: what differs by chance from frame to frame goes."""
    return tuple(math.fsum(values) / len(embeddings) for values in zip(*embeddings, strict=True))


def score(one: Embedding, other: Embedding, stand: Callable[[Embedding], Standing] | None) -> float:
    """Return how far two faces are apart: normalised by a cohort (`stand`), or their plain distance without one."""
    apart = distance(one, other)
    return apart if stand is None else normalised(apart, stand(one), stand(other))


def band(value: float, limits: DecisionLimits) -> Band:
    """Say what a score means."""
    if value <= limits.accept:
        return Band.SAME
    return Band.UNSURE if value < limits.reject else Band.OTHER


def judge(
    frames: Sequence[FrameObservation],
    portrait: FrameObservation | None,
    actions: Sequence[Action],
    limits: FaceLimits,
    stand: Callable[[Embedding], Standing] | None = None,
) -> Judgement:
    """Decide a check: frames good enough, one and the same person in all, who did what was asked, and is the one.

    Without a portrait (nobody known by that number) the outcome is `not_passed` at best, by the same steps. `stand`
    says how close a face is to a cohort, where the method needs one.
    """
    reason = recording_fault(frames, actions, limits.quality, limits.liveness)
    measured = None if reason is not None else _measured(frames, portrait, limits, stand)
    decided = None if measured is None else band(measured, limits.decision)
    alive, least = looks_alive(frames, limits.quality), limits.liveness.alive
    # The same word for a spoof and for somebody else: who tries learns nothing.
    is_spoof = least is not None and (alive is None or alive < least)
    if reason is None and (is_spoof or decided is not Band.SAME):
        reason = Reason.NOT_PASSED
    model_id = frames[0].model_id if frames else ""
    is_evaluated = model_id == limits.decision.model_id
    return Judgement(
        passed=reason is None,
        reason=reason,
        threshold_id=limits.decision.threshold_id,
        model_id=model_id,
        method=limits.decision.method,
        claimed_rate=limits.decision.claimed_rate if is_evaluated else None,
        score=measured,
        band=decided,
        alive=alive,
    )


def _measured(
    frames: Sequence[FrameObservation],
    portrait: FrameObservation | None,
    limits: FaceLimits,
    stand: Callable[[Embedding], Standing] | None,
) -> float | None:
    """Compare the best frames with the portrait; nothing when either side has no face fit for comparison."""
    decision = limits.decision
    if portrait is None or portrait.face is None or comparison_fault(portrait, limits.portrait) is not None:
        return None
    if network_of(portrait.model_id) != decision.network or (stand is None) is not (decision.method is Method.RAW):
        return None
    fit = [
        frame.face
        for frame in frames
        if frame.face and frame.model_id == portrait.model_id and comparison_fault(frame, limits.quality) is None
    ]
    best = sorted(fit, key=lambda face: face.score, reverse=True)[: decision.best_frames]
    if not best:
        return None
    return score(average([face.embedding for face in best]), portrait.face.embedding, stand)


def alternatives(*, elder: bool) -> tuple[Alternative, ...]:
    """Return the other ways where nothing is known of the installation's, those for elders with the family first."""
    return (FAMILY, *ALTERNATIVES) if elder else ALTERNATIVES


def hall_or_phone(*, logged_in: bool, elder: bool) -> tuple[Alternative, ...]:
    """Return what every city has: a hall to go to and a line to call."""
    del logged_in
    return alternatives(elder=elder)


def needs_guardian(id_number: IdNumber, day: date) -> bool:
    """Say whether a face may be checked only with a guardian's consent."""
    return id_number.age_on(day) < _OWN_CONSENT_AGE


def seconds_until(moment: datetime, now: datetime) -> int:
    """Return whole seconds from now until a moment, at least one."""
    return max(1, math.ceil((moment - now).total_seconds()))
