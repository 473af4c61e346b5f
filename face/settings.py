"""What an installation may set about face checks."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from core.settings import Section, Switch
from face.evaluation import SHIPPED, Evaluation, NotEvaluated, Point, read_evaluation
from face.recording.rules import LivenessLimits
from face.rules import DecisionLimits, FaceLimits
from face.types import Method

# The library's own threshold takes different people of East Asian name for the same in a third of pairs.
_LOOSEST = 0.01
# The share of attacks of one kind that may get in (IAPAR, NIST SP 800-63A-4).
_MOST_SPOOFS = 0.07


class LocalEngineSettings(Section):
    """The engine on this machine: how many children, how much at once, how long (`docs/decisions/`)."""

    workers: int = Field(default=2, ge=1, le=64)
    checks_at_once: int = Field(default=10, ge=1)
    # Of these, only for callers who are logged in: nobody nameless can take all.
    places_kept: int = Field(default=4, ge=0)
    seconds_per_frame: float = Field(default=2.0, gt=0, le=10)
    seconds_per_check: float = Field(default=6.0, gt=0, le=30)
    seconds_to_start: float = Field(default=20.0, gt=0, le=120)
    # A child that holds more after a picture is replaced.
    worker_megabytes: int = Field(default=250, ge=200)
    warm: Switch = Switch.ON

    @model_validator(mode="after")
    def _leaves_a_place(self) -> "LocalEngineSettings":
        if self.places_kept >= self.checks_at_once:
            raise ValueError("places_kept leaves no place for elder sessions")
        return self


class OwnNetworkSettings(Section):
    """A network of the operator's own that describes faces: ONNX, 3 x 112 x 112 in, `(value - mean) / divisor`.

    `sha256` is the file's digest in hex: another file is not loaded. It needs an evaluation of its own. Descriptions
    have length one; `same_person` is how far apart those of neighbouring frames of one recording may lie.
    """

    file: Path | None = None
    sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")
    colours: Literal["rgb", "bgr"] = "rgb"
    mean: float = Field(default=127.5, ge=0, le=255)
    divisor: float = Field(default=127.5, gt=0, le=256)
    same_person: float = Field(default=1.0, gt=0, le=1.3)

    @model_validator(mode="after")
    def _named_with_its_digest(self) -> "OwnNetworkSettings":
        if (self.file is None) != (self.sha256 == ""):
            raise ValueError("file and sha256 are given together")
        return self


class PassiveSettings(Section):
    """A network of the operator's own against spoofing (the shape of MiniFASNet: ONNX, 3 x 80 x 80 in, 3 classes out).

    `sha256` is the file's digest in hex: another file is not loaded. None is shipped. `alive` is what it has to say at
    the least, on average over a recording; each check keeps what it said, and callers are not told.
    """

    file: Path | None = None
    sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")
    alive: float = Field(default=0.5, gt=0, lt=1)

    @model_validator(mode="after")
    def _named_with_its_digest(self) -> Self:
        if (self.file is None) != (self.sha256 == ""):
            raise ValueError("file and sha256 are given together")
        return self


class DecisionSettings(Section):
    """When two faces are the same person's: an operating point of an evaluation, and the rate that is claimed for it.

    Without a file of its own an installation has the development measurements (`docs/face-evaluation.md`). With a
    cohort (`python -m scripts.make_cohort`) one threshold is right for every group of people.
    """

    # Written by `python -m scripts.evaluate_faces`.
    evaluation: Path | None = None
    # Which of its operating points; empty: the first.
    threshold_id: str = Field(default="", max_length=40)
    # So many pairs of different people are taken for the same at the most, in every group; beyond 1 % nothing starts.
    claimed_rate: float = Field(default=0.01, gt=0, le=_LOOSEST)
    cohort: Path | None = None
    cohort_sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")

    @model_validator(mode="after")
    def _is_supported(self) -> Self:
        try:
            point, supported = self.point, self.point.supported_rate()
        except NotEvaluated as error:
            raise ValueError(str(error)) from error
        if supported > self.claimed_rate:
            raise ValueError(
                f"the evaluation of {point.threshold_id} supports a claimed_rate of {supported:.2g} or more"
            )
        if point.accept > point.reject:
            raise ValueError("accept lies below reject")
        if (self.cohort is None) is (point.method is Method.AS_NORM):
            raise ValueError(f"{point.threshold_id} and a cohort go together only where its method is as-norm")
        if point.cohort != self.cohort_sha256:
            raise ValueError(f"{point.threshold_id} was evaluated with another cohort")
        return self

    @property
    def point(self) -> Point:
        """The operating point."""
        return self._evaluation.point(self.threshold_id)

    def limits(self) -> DecisionLimits:
        """Return the thresholds in the words of the rules."""
        point = self.point
        return DecisionLimits(
            threshold_id=point.threshold_id,
            accept=point.accept,
            reject=point.reject,
            method=point.method,
            model_id=self._evaluation.model_id,
            claimed_rate=self.claimed_rate,
        )

    def spoofs_let_in(self, passive: str) -> float:
        """Return which share of the worst kind of attack gets in, at the most, past the network with this digest."""
        return self._evaluation.spoofs_let_in() if self._evaluation.passive == passive else 1.0

    @property
    def _evaluation(self) -> Evaluation:
        return read_evaluation(self.evaluation or SHIPPED)


class EngineWorth(Section):
    """What a passed check by one engine is worth, and why. Neither stands without the other: the reason is a sentence.

    `present` raises the session, `nothing` means that the engine is not offered.
    """

    gives: Literal["present", "nothing"]
    reason: str = Field(min_length=10, max_length=400)


class EnginePolicy(Section):
    """Which engine gives which level, and why (`docs/face-engines.md`). There are no other engines and no other levels.

    An installation that changes what an engine gives says why, in `REASON`.
    """

    local: EngineWorth = EngineWorth(
        gives="present",
        reason="For trying it: thresholds are measured, presentation attacks are not (docs/face-evaluation.md).",
    )
    wechat: EngineWorth = EngineWorth(
        gives="nothing",
        reason="WeChat opens its face check to an app on application only; who has it says so here.",
    )


class FaceSettings(Section):
    """The section of face."""

    engines: EnginePolicy = EnginePolicy()
    # Logging in by name, number and face, without any account: for kiosks and the phones of relatives.
    elder_sessions: Switch = Switch.ON
    actions: int = Field(default=LivenessLimits().actions, ge=2, le=4)
    min_frames: int = Field(default=6, ge=6, le=12)
    max_frames: int = Field(default=24, ge=12, le=48)
    max_frame_bytes: int = Field(default=1_000_000, ge=60_000, le=5_000_000)
    check_seconds: int = Field(default=60, ge=10, le=300)
    elder_check_seconds: int = Field(default=120, ge=10, le=600)
    # A platform's own window takes longer to go through; it lets a check wait for an hour at the most.
    platform_check_seconds: int = Field(default=300, ge=60, le=3600)
    elder_platform_check_seconds: int = Field(default=600, ge=60, le=3600)
    attempts: int = Field(default=5, ge=1, le=20)
    elder_attempts: int = Field(default=8, ge=1, le=20)
    attempts_hours: int = Field(default=6, ge=1, le=48)
    # How long it is kept that a check was made and how it ended: half a year, as logs have to be.
    keep_days: int = Field(default=184, ge=3, le=1095)
    elder_address_limit: str = "30/minute"
    # Evidence costs the engine time: how often it is taken from one account, and for elder sessions from one address.
    evidence_limit: str = "60/minute"
    elder_evidence_limit: str = "30/minute"
    # Addresses of face nodes (https, a JSON list); with none the engine runs inside each portal. A node itself listens
    # where the next two say. Both sides show a certificate: `tls.crt`, `tls.key` and `ca.crt` in this folder.
    nodes: tuple[str, ...] = ()
    node_host: str = "127.0.0.1"
    node_port: int = Field(default=8443, ge=1, le=65535)
    tls_folder: Path | None = None
    local_engine: LocalEngineSettings = LocalEngineSettings()
    network: OwnNetworkSettings = OwnNetworkSettings()
    passive: PassiveSettings = PassiveSettings()
    decision: DecisionSettings = DecisionSettings()

    @field_validator("nodes")
    @classmethod
    def _reached_by_tls(cls, nodes: tuple[str, ...]) -> tuple[str, ...]:
        if not all(node.startswith("https://") and urlsplit(node).hostname for node in nodes):
            raise ValueError("https addresses are needed")
        return tuple(node.rstrip("/") for node in nodes)

    def limits(self) -> FaceLimits:
        """Return the bounds of a check in the words of the rules."""
        return FaceLimits(self.decision.limits(), liveness=self.liveness())

    def liveness(self) -> LivenessLimits:
        """Return what a recording has to show."""
        alive = self.passive.alive if self.passive.file else None
        limits = LivenessLimits(actions=self.actions, alive=alive)
        return replace(limits, same_person=self.network.same_person) if self.network.file else limits

    def lifetime(self, *, elder: bool) -> timedelta:
        """Return how long a check waits for its evidence."""
        return timedelta(seconds=self.elder_check_seconds if elder else self.check_seconds)

    def platform_lifetime(self, *, elder: bool) -> timedelta:
        """Return how long a check by a platform waits for its end."""
        return timedelta(seconds=self.elder_platform_check_seconds if elder else self.platform_check_seconds)

    def attempts_for(self, *, elder: bool) -> int:
        """Return how many checks may be started within the window."""
        return self.elder_attempts if elder else self.attempts

    @property
    def window(self) -> timedelta:
        """The time over which attempts count."""
        return timedelta(hours=self.attempts_hours)

    @property
    def kept(self) -> timedelta:
        """How long checks are kept."""
        return timedelta(days=self.keep_days)

    def unsafe(self) -> list[str]:
        """Return one sentence for each setting that production refuses."""
        found = []
        if self.engines.local.gives == "present" and not self._stops_spoofs():
            found.append(
                "ZHIJIAN_FACE__ENGINES__LOCAL__GIVES=nothing, with its REASON, is needed: the local engine has no "
                "evaluated check against spoofing, so in production it proves nobody's presence. With "
                "ZHIJIAN_FACE__PASSIVE__FILE an evaluation may show one: recordings of every kind of attack, none of "
                "which gets in more often than in 7 % of cases."
            )
        elif self.engines.local.gives == "present" and "local" not in self.engines.model_fields_set:
            found.append(
                "ZHIJIAN_FACE__ENGINES__LOCAL__GIVES=present and its REASON are needed: who lets the local engine "
                "count in production says why."
            )
        if self.elder_sessions is Switch.ON:
            found.append(
                "ZHIJIAN_FACE__ELDER_SESSIONS=off is needed: with the local engine anybody could log in as somebody "
                "else by a recording of their face."
            )
        return found

    def _stops_spoofs(self) -> bool:
        """Say whether the evaluation shows it, with this network and recordings that a camera made."""
        return bool(self.passive.sha256) and self.decision.spoofs_let_in(self.passive.sha256) <= _MOST_SPOOFS
