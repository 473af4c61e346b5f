"""What was measured of an engine, as `python -m scripts.evaluate_faces` writes it, and what may be claimed from it.

The file says where the thresholds lie and on how many pairs of which groups they were tried. An installation names one
of its operating points and the rate it claims; more than the file supports is refused.
"""

import math
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from face.types import Method

# What was measured on the development pictures (`docs/face-evaluation.md`).
SHIPPED: Final = Path(__file__).with_name("evaluated.json")

# The kind of honest recordings.
GENUINE: Final = "genuine"

# Of a normal distribution: 95 % lie between minus and plus TWO_SIDED, and below ONE_SIDED.
TWO_SIDED: Final = 1.959964
ONE_SIDED: Final = 1.644854


class NotEvaluated(Exception):
    """The file cannot be read, or does not hold what is asked of it; the message says which."""


class Counted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often something happened among how many trials."""

    errors: int
    trials: int

    @property
    def rate(self) -> float:
        """The share that was seen; nothing tried, nothing seen."""
        return self.errors / self.trials if self.trials else 0.0

    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the rate (Wilson)."""
        return _wilson(self.errors, self.trials, TWO_SIDED)

    def at_most(self) -> float:
        """Return the rate that is not exceeded with 95 % certainty, and never less than three in all trials.

        Without a single error among n independent trials, a rate above 3/n is excluded with 95 % certainty, no lower
        one is (the rule of three).
        """
        if not self.trials:
            return 1.0
        return min(1.0, max(_wilson(self.errors, self.trials, ONE_SIDED)[1], 3 / self.trials))


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happened to the pairs of one group of people at one threshold."""

    false_matches: Counted
    false_non_matches: Counted


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place to put the thresholds. `cohort` is the SHA-256 of the file its method needs, if it needs one."""

    threshold_id: str
    method: Method
    cohort: str
    accept: float
    reject: float
    groups: dict[str, Group]

    def supported_rate(self) -> float:
        """Return the lowest false match rate that may be claimed: that of the group it is worst for."""
        return max((group.false_matches.at_most() for group in self.groups.values()), default=1.0)


class Attack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many recordings of one kind of attack were let in; `genuine` ones are counted as those kept out."""

    kind: str
    made: bool
    errors: Counted


class Evaluation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `passive` is the SHA-256 of the network against spoofing that took part, if one did."""

    model_id: str
    data: str
    points: list[Point]
    attacks: list[Attack] = []
    passive: str = ""

    def spoofs_let_in(self) -> float:
        """Return which share of the worst kind of attack gets in at the most; made recordings show nothing of that."""
        kinds = [attack.errors.at_most() for attack in self.attacks if attack.kind != GENUINE and not attack.made]
        return max(kinds, default=1.0)

    def point(self, threshold_id: str) -> Point:
        """Return the operating point of that name, the first without a name.

        Raises:
            NotEvaluated: there is none.
        """
        for point in self.points:
            if threshold_id in {"", point.threshold_id}:
                return point
        known = ", ".join(point.threshold_id for point in self.points) or "none"
        raise NotEvaluated(f"the evaluation has no operating point {threshold_id} (it has {known})")


@cache
def read_evaluation(path: Path) -> Evaluation:
    """Read a file once for this process.

    Raises:
        NotEvaluated: it cannot be read, or is no evaluation.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Evaluation)
    except (OSError, msgspec.MsgspecError) as error:
        raise NotEvaluated(f"{path.name} is no evaluation: {error}") from error


def _wilson(errors: int, trials: int, deviations: float) -> tuple[float, float]:
    if not trials:
        return 0.0, 1.0
    share, square = errors / trials, deviations**2
    middle = share + square / (2 * trials)
    reach = deviations * math.sqrt(share * (1 - share) / trials + square / (4 * trials**2))
    whole = 1 + square / trials
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)
