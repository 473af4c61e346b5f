"""What should be rare in handling, counted: cases annulled, materials asked for twice, nothing said in time."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from auth.types import StaffScope
from core.db import fetch
from matters.cases.reasons import DEEMED_ACCEPTED
from matters.cases.wording import reason_text
from matters.handling.rules import ERRORS
from matters.handling.types import Counted, Figures
from matters.reach import Condition
from matters.types import Step

_COUNT: Final = """
SELECT application.department, case_action.step, case_action.reason, count(*) AS n
FROM case_action JOIN application ON application.id = case_action.application_id
WHERE {condition} GROUP BY application.department, case_action.step, case_action.reason
ORDER BY application.department, case_action.step, case_action.reason
"""


class HandlingFigures:
    """Counts. Nothing here is about a person."""

    async def count(self, *, since: datetime, until: datetime, scopes: Collection[StaffScope]) -> Figures:
        """Return what happened from a moment until before another, as far as one of the scopes reaches.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition()
        condition.add("case_action.created_at >= {} AND case_action.created_at < {}", since, until)
        # A first demand has no reason; only one that was an exception has.
        condition.add(
            "((case_action.step = 'terminated' AND case_action.actor_kind = 'operator')"
            " OR (case_action.step = 'supplement_requested' AND case_action.reason <> '')"
            " OR (case_action.step = 'accepted' AND case_action.reason = {}))",
            DEEMED_ACCEPTED,
        )
        condition.reach(scopes)
        found: dict[Step, list[Counted]] = {}
        for row in await fetch(_COUNT.format(condition=condition.text), *condition.values):
            step, reason = Step(row["step"]), str(row["reason"])
            counted = Counted(
                department=str(row["department"]),
                reason=reason,
                words=reason_text(reason),
                count=int(row["n"]),
                error=step is Step.TERMINATED and reason in ERRORS,
            )
            found.setdefault(step, []).append(counted)
        return Figures(
            annulled=found.get(Step.TERMINATED, []),
            asked_again=found.get(Step.SUPPLEMENT_REQUESTED, []),
            deemed_accepted=found.get(Step.ACCEPTED, []),
        )
