"""How other departments fare while one is slow or away: the time from a submission to the department's answer."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from benchmarks.figures import percentile
from benchmarks.machine import CannotMeasure
from benchmarks.residents import Resident, Town
from benchmarks.store import Store

MOST: Final = 1.3
"""The p99 of the others while one is away over that while all are well, at the most."""
# Whose desk fails, and what residents ask of another meanwhile: it takes the dossier and refuses it at once, for nobody
# of the measurement holds a driving licence in its books.
AWAY: Final = "public-security"
OTHER: Final = "notary-driving-licence"
_FORM: Final = {"used_in": "示例国", "purpose": "在国外驾驶"}
# Slower than anybody waits, and answering with failures at once.
FAULTS: Final = ({"mode": "slow", "delay_ms": 15_000}, {"mode": "error"})
# So often a second something is submitted to each of the two, for so long.
_A_SECOND: Final = 20
_SECONDS: Final = 20
_PATIENCE_SECONDS: Final = 60.0
_ANSWERED: Final = """
SELECT settled_at - created_at AS took FROM delivery
WHERE application_id = ANY($1::uuid[]) AND settled_at IS NOT NULL
"""


async def figures(town: Town, store: Store, residents: Sequence[Resident]) -> dict[str, float]:
    """Return p50 and p99 of the others in milliseconds: all well, one slow, one failing; and the worse of the ratios.

    A worker has to be running.

    Raises:
        CannotMeasure: a dossier of the others gets no answer.
    """
    told: dict[str, float] = {"a_second": _A_SECOND, "seconds": _SECONDS}
    # The first answers of a worker find nothing made yet: they are not counted.
    await _phase(town, store, residents, seconds=2)
    for name, fault in (("well", None), *((str(fault["mode"]), fault) for fault in FAULTS)):
        if fault is not None:
            await town.set_fault(AWAY, fault)
        took = await _phase(town, store, residents, seconds=_SECONDS)
        told[f"{name}_p50_ms"], told[f"{name}_p99_ms"] = percentile(took, 0.50), percentile(took, 0.99)
    await town.set_fault(AWAY, {"mode": "ok"})
    told["ratio"] = max(told[f"{fault['mode']}_p99_ms"] for fault in FAULTS) / told["well_p99_ms"]
    return told


async def _phase(town: Town, store: Store, residents: Sequence[Resident], *, seconds: int) -> list[float]:
    """Submit to both at a steady pace; return, sorted, what the answers of the other took in milliseconds."""
    count = _A_SECOND * seconds
    away = await town.drafts(residents, count)
    others = await town.drafts(residents, count, matter=OTHER, form=_FORM)
    begun = time.perf_counter()

    async def submit(number: int, draft: tuple[Resident, UUID], delay: float) -> None:
        await asyncio.sleep(begun + number / _A_SECOND + delay - time.perf_counter())
        await town.submit(*draft)

    await asyncio.gather(
        *(submit(number, draft, 0.0) for number, draft in enumerate(away)),
        *(submit(number, draft, 0.5 / _A_SECOND) for number, draft in enumerate(others)),
    )
    wanted = [application_id for _, application_id in others]
    until = time.perf_counter() + _PATIENCE_SECONDS
    while len(rows := await store.fetch(_ANSWERED, wanted)) < count:
        if time.perf_counter() > until:
            raise CannotMeasure(f"{count - len(rows)} of {count} dossiers got no answer: {OTHER}")
        await asyncio.sleep(0.2)
    return sorted(row["took"].total_seconds() * 1000 for row in rows)
