"""What passes between us and outside systems: counted, shown, and told to residents."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from api.wiring.ground import Ground
from api.wiring.outside.departments import partners_at_the_desk, partners_of
from matters.catalogue.catalogue import Catalogue
from matters.exchange.counting import ExchangeCounts
from matters.exchange.health import ServiceHealth
from matters.exchange.reading import ExchangeFigures, counted_as, load_resources
from matters.exchange.watching import ExchangeWatch


@dataclass(frozen=True, slots=True)
class ExchangeServices:
    """How outside systems stand and how much is exchanged with them."""

    counts: ExchangeCounts
    health: ServiceHealth
    figures: ExchangeFigures
    watch: ExchangeWatch

    @classmethod
    def build(cls, ground: Ground, catalogue: Catalogue) -> "ExchangeServices":
        """Build them over the ground; which systems there are is known once all of the wiring is done."""
        settings, clock = ground.settings.matters.exchange, ground.clock
        resources = load_resources()

        def systems() -> Collection[str]:
            return ground.systems | set(partners_at_the_desk(catalogue))

        counts = ExchangeCounts(resources=counted_as(resources), clock=clock, ids=ground.ids, settings=settings)
        health = ServiceHealth(
            partners=systems,
            partners_of=partners_of,
            audit=ground.audit,
            clock=clock,
            settings=settings,
            within=timedelta(seconds=ground.settings.jobs.longest_pause_seconds),
        )
        return cls(
            counts=counts,
            health=health,
            figures=ExchangeFigures(
                systems=lambda: ground.systems, resources=resources, clock=clock, settings=settings
            ),
            watch=ExchangeWatch(counts=counts, health=health),
        )
