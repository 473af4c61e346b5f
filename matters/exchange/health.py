"""How outside systems stand: each process tells what it sees, all of them read what the others saw."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_moment, execute, fetch, transaction
from matters.catalogue.types import Published
from matters.exchange.errors import NoSuchPartner
from matters.exchange.rules import as_of, speaks_of, worst
from matters.exchange.settings import ExchangeSettings
from matters.exchange.types import Standing
from matters.exchange.wording import service_of
from matters.types import Availability, ServiceState

_ALL: Final = "SELECT partner, state, since, seen_at, expected_at FROM partner_standing"
# Who sees that a system is away knows more than who sees that it fails now and then.
_TROUBLE: Final = """
INSERT INTO partner_standing (partner, state, since, seen_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (partner) DO UPDATE SET
  since = CASE WHEN partner_standing.state = 'ok' THEN excluded.since ELSE partner_standing.since END,
  state = CASE WHEN partner_standing.state = 'down' THEN 'down' ELSE excluded.state END, seen_at = excluded.seen_at
"""
_WELL: Final = """
UPDATE partner_standing SET state = 'ok', since = NULL, expected_at = NULL, seen_at = $2
WHERE partner = $1 AND state <> 'ok' AND seen_at <= $2
"""
_ANNOUNCE: Final = """
INSERT INTO partner_standing (partner, state, since, seen_at, expected_at) VALUES ($1, 'ok', NULL, $2, $3)
ON CONFLICT (partner) DO UPDATE SET expected_at = excluded.expected_at
"""
# So many failures in a row are trouble; one alone may be the way there.
_IN_A_ROW: Final = 3


@dataclass(slots=True)
class _Seen:
    """What this process saw of a system since it last told."""

    failures: int = 0
    held_back: bool = False
    since: datetime | None = None
    trouble_at: datetime | None = None
    well_at: datetime | None = None


class ServiceHealth:
    """Knows how every outside system stands, by what all processes saw of it within the last seconds.

    `partners` gives the systems there are, `partners_of` those that a matter needs; `within` says how soon after a
    return everything is forwarded.
    """

    def __init__(
        self,
        *,
        partners: Callable[[], Collection[str]],
        partners_of: Callable[[Published], Collection[str]],
        audit: Audit,
        clock: Clock,
        settings: ExchangeSettings,
        within: timedelta,
    ) -> None:
        self._partners = partners
        self._partners_of = partners_of
        self._audit = audit
        self._clock = clock
        self._patience = timedelta(seconds=settings.outage_seconds)
        self._within = within
        self._seen: dict[str, _Seen] = {}
        self._known: Mapping[str, Standing] = {}

    def passed(self, partner: str, method: str, path: str, outcome: str, seconds: float) -> None:
        """Hear how a call ended."""
        del method, path, seconds
        works = speaks_of(outcome)
        seen = self._seen.get(partner)
        if works is None or (works and seen is None and partner not in self._known):
            return
        if seen is None:
            seen = self._seen[partner] = _Seen()
        if works:
            seen.failures = 0
            known = self._known.get(partner)
            if not seen.held_back and (seen.since is not None or (known and known.state is not ServiceState.OK)):
                seen.since, seen.trouble_at, seen.well_at = None, None, self._clock.now()
            return
        seen.failures += 1
        if seen.held_back or seen.failures >= _IN_A_ROW:
            self._note_trouble(seen)

    def turned(self, partner: str, *, held_back: bool) -> None:
        """Hear that calls to a system are held back, or let through again."""
        seen = self._seen.setdefault(partner, _Seen())
        seen.held_back = held_back
        if held_back:
            self._note_trouble(seen)
        else:
            seen.failures, seen.since, seen.trouble_at, seen.well_at = 0, None, None, self._clock.now()

    def _note_trouble(self, seen: _Seen) -> None:
        now = self._clock.now()
        seen.since, seen.trouble_at, seen.well_at = seen.since or now, now, None

    async def look(self) -> None:
        """Tell the others what was seen here since the last look, and read what they saw.

        Raises:
            DatabaseUnavailable: the database could not be reached; what was seen is told the next time.
        """
        for partner, seen in sorted(self._seen.items()):
            await self._tell(partner, seen)
        self._known = {str(row["partner"]): _standing(row) for row in await fetch(_ALL)}

    async def _tell(self, partner: str, seen: _Seen) -> None:
        trouble_at, well_at, since = seen.trouble_at, seen.well_at, seen.since
        if trouble_at is not None:
            state = ServiceState.DOWN if seen.held_back else ServiceState.DEGRADED
            await transaction(lambda: execute(_TROUBLE, partner, state.value, since or trouble_at, trouble_at))
            if seen.trouble_at == trouble_at:
                seen.trouble_at = None
        elif well_at is not None:
            await transaction(lambda: execute(_WELL, partner, well_at))
            if seen.well_at == well_at:
                seen.well_at = None

    def of(self, published: Published) -> Availability:
        """Return how the systems stand that a matter needs, in words for residents."""
        now = self._clock.now()
        standing = worst(
            as_of(self._known.get(partner), now, patience=self._patience) for partner in self._partners_of(published)
        )
        return service_of(standing, now, within=self._within)

    def troubled(self) -> Mapping[str, Standing]:
        """Return the systems that are in trouble now, by name."""
        now = self._clock.now()
        found = {name: as_of(each, now, patience=self._patience) for name, each in sorted(self._known.items())}
        return {name: each for name, each in found.items() if each is not None}

    async def announce(self, actor: Actor, partner: str, expected_at: datetime | None) -> None:
        """Say when a system is expected back, or take that back; residents read it while it is in trouble.

        Raises:
            NoSuchPartner: there is no system of this name.
            DatabaseUnavailable: the database could not be reached.
        """
        if partner not in self._partners():
            raise NoSuchPartner

        async def work() -> None:
            await execute(_ANNOUNCE, partner, self._clock.now(), expected_at)
            await self._audit.record(
                "matters.outage-announced", actor=actor, object_kind="partner", object_id=partner, outcome="ok"
            )

        await transaction(work)
        await self.look()


def _standing(row: Mapping[str, Any]) -> Standing:
    return Standing(
        state=ServiceState(row["state"]),
        since=None if row["since"] is None else as_moment(row["since"]),
        seen_at=as_moment(row["seen_at"]),
        expected_at=None if row["expected_at"] is None else as_moment(row["expected_at"]),
    )
