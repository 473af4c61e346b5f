"""Who watches the door out: the counts, and how systems stand."""

from matters.exchange.counting import ExchangeCounts
from matters.exchange.health import ServiceHealth
from matters.exchange.rules import resource_of
from matters.exchange.types import Direction


class ExchangeWatch:
    """Tells everybody who wants to hear what passes through the door out."""

    def __init__(self, *, counts: ExchangeCounts, health: ServiceHealth) -> None:
        self._counts = counts
        self._health = health

    def passed(self, partner: str, method: str, path: str, outcome: str, seconds: float) -> None:
        """Count a call, and note what it says about the system."""
        self._counts.passed(partner, method, path, outcome, seconds)
        self._health.passed(partner, method, path, outcome, seconds)

    def heard(self, party: str, method: str, route: str, status: str, seconds: float) -> None:
        """Count what a department or a verifier asked of us."""
        self._counts.count(Direction.IN, party, resource_of(method, route), status, seconds, consumer=party)

    def turned(self, partner: str, *, held_back: bool) -> None:
        """Note that a system is held back, or let through again."""
        self._health.turned(partner, held_back=held_back)
