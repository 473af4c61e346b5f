"""Decisions about exchange: what a call is called, how it ended, how a system stands, what nobody uses.

Everything here is a pure function of values.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from matters.exchange.types import ExchangeOutcome, Standing, Unused
from matters.types import ServiceState

_SEGMENT: Final = re.compile(r"v\d|[A-Za-z][A-Za-z_.-]{2,40}|[A-Za-z][A-Za-z_-]{2,30}\d[A-Za-z_-]{2,30}")
_LONGEST_NAME: Final = 96
_REASONS: Final[Mapping[str, ExchangeOutcome]] = {
    "timeout": ExchangeOutcome.TIMEOUT,
    "no-connection": ExchangeOutcome.UNREACHABLE,
    "held-back": ExchangeOutcome.HELD_BACK,
}
# What says that a system does not work; a call that was held back or cut off by us says nothing.
_SILENT: Final = frozenset({"held-back", "cut-off", "door-closed", "sandbox-in-production"})
# As after so many times the patience an outage that nothing is heard of counts as over.
_FORGOTTEN: Final = 10


@lru_cache(maxsize=4096)
def resource_of(method: str, path: str) -> str:
    """Return what a call is called: its method and path with everything that may name a case or a person as `*`."""
    kept = [part if _SEGMENT.fullmatch(part) else "*" for part in path.split("/") if part]
    return f"{method} /{'/'.join(kept)}"[:_LONGEST_NAME]


def outcome_of(told: str) -> ExchangeOutcome:
    """Return how an exchange ended, from a status or the reason there was none."""
    if told.isdecimal():
        return ExchangeOutcome.OK if int(told) < 400 else ExchangeOutcome.REFUSED  # noqa: PLR2004 — HTTP's own border
    return _REASONS.get(told, ExchangeOutcome.FAILED)


def speaks_of(told: str) -> bool | None:
    """Tell whether an outcome says that a system works; None where it says nothing."""
    if told.isdecimal():
        return True
    return None if told in _SILENT else False


# --- how a system stands ------------------------------------------------------------------------------------------


def as_of(standing: Standing | None, now: datetime, *, patience: timedelta) -> Standing | None:
    """Return how a system stands now, None where nothing is wrong; trouble that nothing is heard of grows old."""
    if standing is None or standing.state is ServiceState.OK:
        return None
    silent = now - standing.seen_at
    if silent > patience * _FORGOTTEN:
        return None
    if silent > patience and standing.state is ServiceState.DOWN:
        return Standing(ServiceState.DEGRADED, standing.since, standing.seen_at, standing.expected_at)
    return standing


def worst(standings: Iterable[Standing | None]) -> Standing | None:
    """Return the one that stands worst, of equals the one that is in trouble longest; None where all are well."""
    troubled = [each for each in standings if each is not None]
    if not troubled:
        return None
    return min(troubled, key=lambda each: (each.state is not ServiceState.DOWN, each.since or each.seen_at))


# --- what nobody uses ---------------------------------------------------------------------------------------------


def unused(
    *,
    systems: Collection[str],
    resources: Collection[tuple[str, str]],
    last_used: Mapping[tuple[str, str], date],
    counted_since: date | None,
    today: date,
    days: int,
) -> list[Unused]:
    """Return systems and resources that nobody asked within so many days, sorted; nothing before we counted so long.

    `last_used` says by partner and resource on which day each was asked last. A partner behind a common desk
    (`department-desk.health`) is the department's too.
    """
    border = today - timedelta(days=days)
    if counted_since is None or counted_since > border:
        return []
    by_system: dict[str, date] = {}
    by_resource: dict[tuple[str, str], date] = {}
    for (partner, resource), day in last_used.items():
        for name in {partner, partner.rpartition(".")[2], partner.partition(".")[0]}:
            by_system[name] = max(day, by_system.get(name, day))
            by_resource[name, resource] = max(day, by_resource.get((name, resource), day))
    found = [Unused(name, "", by_system.get(name)) for name in systems]
    found += [Unused(*each, by_resource.get(each)) for each in resources]
    return sorted(
        (each for each in found if each.last_on is None or each.last_on < border),
        key=lambda each: (each.partner, each.resource),
    )
