"""What an installation may set about face checks."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from core.settings import Section, Switch
from face.rules import DecisionLimits, FaceLimits, LivenessLimits, QualityGates

# The library's own 0.6 takes different people of East Asian name for the same in a third of pairs.
_LOOSEST = 0.5


class LocalEngineSettings(Section):
    """The engine on this machine: how many children, how much at once, how long (`docs/decisions/`)."""

    workers: int = Field(default=2, ge=1, le=64)
    checks_at_once: int = Field(default=10, ge=1)
    # Of these, only for callers who are logged in: nobody nameless can take all.
    places_kept: int = Field(default=4, ge=0)
    seconds_per_frame: float = Field(default=2.0, gt=0, le=10)
    seconds_per_check: float = Field(default=6.0, gt=0, le=30)
    seconds_to_start: float = Field(default=20.0, gt=0, le=120)
    warm: Switch = Switch.ON

    @model_validator(mode="after")
    def _leaves_a_place(self) -> "LocalEngineSettings":
        if self.places_kept >= self.checks_at_once:
            raise ValueError("places_kept leaves no place for elder sessions")
        return self


class DecisionSettings(Section):
    """When two faces are the same person's; a change needs a new `threshold_id`, which every result carries."""

    threshold_id: str = Field(default=DecisionLimits().threshold_id, min_length=1, max_length=40)
    accept: float = Field(default=DecisionLimits().accept, gt=0, le=_LOOSEST)
    reject: float = Field(default=DecisionLimits().reject, gt=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> "DecisionSettings":
        if self.accept > self.reject:
            raise ValueError("accept lies below reject")
        if self.accept != DecisionLimits().accept and self.threshold_id == DecisionLimits().threshold_id:
            raise ValueError("another threshold needs a threshold_id of its own")
        return self


class FaceSettings(Section):
    """The section of face."""

    # What a passed check by the local engine is worth: it has no evaluated passive check against spoofing.
    gives: Literal["present", "nothing"] = "present"
    # Logging in by name, number and face, without any account: for kiosks and the phones of relatives.
    elder_sessions: Switch = Switch.ON
    actions: int = Field(default=LivenessLimits().actions, ge=2, le=4)
    min_frames: int = Field(default=6, ge=6, le=12)
    max_frames: int = Field(default=24, ge=12, le=48)
    max_frame_bytes: int = Field(default=1_000_000, ge=60_000, le=5_000_000)
    check_seconds: int = Field(default=60, ge=10, le=300)
    elder_check_seconds: int = Field(default=120, ge=10, le=600)
    attempts: int = Field(default=5, ge=1, le=20)
    elder_attempts: int = Field(default=8, ge=1, le=20)
    attempts_hours: int = Field(default=6, ge=1, le=48)
    elder_address_limit: str = "30/minute"
    # Evidence costs the engine time: how often it is taken from one account, and for elder sessions from one address.
    evidence_limit: str = "60/minute"
    elder_evidence_limit: str = "30/minute"
    local_engine: LocalEngineSettings = LocalEngineSettings()
    decision: DecisionSettings = DecisionSettings()

    def limits(self) -> FaceLimits:
        """Return the bounds of a check in the words of the rules."""
        decision = self.decision
        return FaceLimits(
            QualityGates(),
            LivenessLimits(actions=self.actions),
            DecisionLimits(decision.threshold_id, decision.accept, decision.reject),
        )

    def lifetime(self, *, elder: bool) -> timedelta:
        """Return how long a check waits for its evidence."""
        return timedelta(seconds=self.elder_check_seconds if elder else self.check_seconds)

    def attempts_for(self, *, elder: bool) -> int:
        """Return how many checks may be started within the window."""
        return self.elder_attempts if elder else self.attempts

    @property
    def window(self) -> timedelta:
        """The time over which attempts count."""
        return timedelta(hours=self.attempts_hours)

    def unsafe(self) -> list[str]:
        """Return one sentence for each setting that production refuses."""
        found = []
        if self.gives == "present":
            found.append(
                "ZHIJIAN_FACE__GIVES=nothing is needed: the local engine has no evaluated check against spoofing, "
                "so in production it proves nobody's presence."
            )
        if self.elder_sessions is Switch.ON:
            found.append(
                "ZHIJIAN_FACE__ELDER_SESSIONS=off is needed: with the local engine anybody could log in as somebody "
                "else by a recording of their face."
            )
        return found
