"""The services that keep time: longer limits, cards and orders, records."""

from dataclasses import dataclass

from api.wiring.ground import Ground
from matters.cases.deadlines import Deadlines
from matters.cases.history import History
from matters.catalogue.catalogue import Catalogue
from matters.extensions.extensions import Extensions
from matters.supervision.cards import Cards
from matters.supervision.orders import Orders
from matters.supervision.records import Records


@dataclass(frozen=True, slots=True)
class SupervisionServices:
    """Who keeps time."""

    extensions: Extensions
    cards: Cards
    orders: Orders
    records: Records

    @classmethod
    def build(
        cls, ground: Ground, *, catalogue: Catalogue, history: History, deadlines: Deadlines
    ) -> "SupervisionServices":
        """Build them over the ground and the cases."""
        settings, clock, ids = ground.settings.matters, ground.clock, ground.ids
        records = Records(audit=ground.audit, vault=ground.vault, clock=clock, ids=ids)
        return cls(
            extensions=Extensions(
                catalogue=catalogue,
                history=history,
                audit=ground.audit,
                jobs=ground.jobs,
                vault=ground.vault,
                clock=clock,
                ids=ids,
                settings=settings,
            ),
            cards=Cards(
                deadlines=deadlines,
                records=records,
                audit=ground.audit,
                clock=clock,
                ids=ids,
                settings=settings.supervision,
            ),
            orders=Orders(
                deadlines=deadlines,
                records=records,
                audit=ground.audit,
                vault=ground.vault,
                clock=clock,
                ids=ids,
                settings=settings.supervision,
            ),
            records=records,
        )
