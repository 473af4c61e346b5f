"""How jobs stand, for figures and readiness: also where no worker runs to say so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.db import as_moment, fetch_one
from core.metrics import JOBS_BURIED, JOBS_DUE, JOBS_OLDEST_DUE

_DUE: Final = "SELECT count(*) AS n, min(run_at) AS earliest FROM job WHERE state = 'ready' AND run_at <= $1"
_BURIED: Final = "SELECT count(*) AS n FROM job WHERE state = 'buried'"


@dataclass(frozen=True, slots=True)
class JobFigures:
    """`oldest_due_seconds`: how long the job has been due that has waited the longest."""

    due: int
    oldest_due_seconds: float
    buried: int


async def look_at_jobs(now: datetime) -> JobFigures:
    """Count what is due and what is buried, and note it in the figures.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    due, buried = await fetch_one(_DUE, now), await fetch_one(_BURIED)
    earliest = due["earliest"] if due else None
    figures = JobFigures(
        due=int(due["n"]) if due else 0,
        oldest_due_seconds=max(0.0, (now - as_moment(earliest)).total_seconds()) if earliest else 0.0,
        buried=int(buried["n"]) if buried else 0,
    )
    JOBS_DUE.set(figures.due)
    JOBS_OLDEST_DUE.set(figures.oldest_due_seconds)
    JOBS_BURIED.set(figures.buried)
    return figures
