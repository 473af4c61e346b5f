"""Sending cases to whoever handles them."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from core.db import execute, fetch_one, require_transaction
from matters.catalogue.types import Published
from matters.routing.ports import Officers
from matters.routing.rules import choose, least_loaded, level_of, region_of
from matters.routing.types import Asked, Route, RoutingTable
from matters.types import HandledBy

_LOAD: Final = """
SELECT count(*) AS n FROM application
WHERE unit = $1 AND state IN ('submitted', 'pre_review', 'supplement_requested', 'accepted', 'in_review', 'suspended')
"""
_ROUTED: Final = """
UPDATE application SET unit = $2, region = $3, home_region = $4 WHERE id = $1 AND unit = '' RETURNING channel
"""
_BY_WHOM: Final = """
SELECT actor_id FROM case_action WHERE application_id = $1 AND step = 'submitted' AND actor_kind = 'operator'
"""
_TAKEN: Final = "UPDATE application SET taken_region = $2 WHERE id = $1"
# How a case came that an officer took for the resident.
_COUNTER: Final = "counter"
_BY_RULE: Final = "UPDATE delivery SET rule = $2, rule_version = $3 WHERE application_id = $1"


class Routing:
    """Decides by the published table who gets a case, and writes it down with the rule and its version."""

    def __init__(self, *, table: RoutingTable, officers: Officers) -> None:
        self._table = table
        self._officers = officers

    async def route(
        self, published: Published, form: Mapping[str, object], area: str, *, department: str = ""
    ) -> Route:
        """Return who gets a case. `area` is the area code of the applicant's number, empty where it is not known.

        `department` has the case where it was moved away from the one that publishes the matter.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        table, matter = self._table, published.matter
        home = region_of(table, form, area)
        asked = Asked(matter.slug, department or published.department.slug, home, level_of(table, matter.slug))
        chosen = choose(table, asked)
        load = {unit.code: await self._load(unit.code) for unit in chosen.units} if len(chosen.units) > 1 else {}
        return Route(least_loaded(chosen.units, load), home, chosen.rule, table.version)

    async def _load(self, unit: str) -> int:
        row = await fetch_one(_LOAD, unit)
        return int(row["n"]) if row else 0

    async def send(
        self, application_id: UUID, published: Published, form: Mapping[str, object], area: str, *, department: str = ""
    ) -> None:
        """Route a case once, in the running transaction; one that has a unit keeps it.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        route = await self.route(published, form, area, department=department)
        routed = await fetch_one(_ROUTED, application_id, route.unit.code, route.unit.region, route.home)
        if routed is None:
            return
        await execute(_BY_RULE, application_id, route.rule, route.version)
        if routed["channel"] == _COUNTER and (officer := await fetch_one(_BY_WHOM, application_id)) is not None:
            # Any window takes any case: it goes to where it belongs, and counts where it was taken.
            region = await self._officers.region_of(UUID(officer["actor_id"]))
            await execute(_TAKEN, application_id, region)

    def handled_by(self, unit: str, region: str) -> HandledBy | None:
        """Return who handles a case in words, None before it is routed; a unit of a former table by its code."""
        if not unit:
            return None
        found = self._table.unit(unit)
        return HandledBy(unit, region, found.title.zh if found else unit, found.title.en if found else unit)
