"""Does the time of an answer tell who exists? Known numbers under a wrong name, beside numbers that nobody has.

One request after the other, the two kinds in turn, so that whatever slows the machine slows both. Half of the known are
residents here, too: also that must not show.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import aiohttp

from benchmarks.machine import CannotMeasure
from benchmarks.residents import Resident

REQUESTS: Final = 500
MOST_MS: Final = 5.0
# Nobody's name, neither of the cast nor of the pretended residents.
_WRONG_NAME: Final = "甄试验"


@dataclass(slots=True)
class _Kind:
    """What was seen of one kind of number."""

    took: list[float]
    bodies: set[str]


async def timing(portal: str, asking: Resident, known: Sequence[str], unknown: Sequence[str]) -> dict[str, float]:
    """Ask so often for each kind; return the medians and their gap in milliseconds.

    Raises:
        CannotMeasure: an answer is another than the refusal that all are to get.
    """
    kinds = {"known": _Kind([], set()), "unknown": _Kind([], set())}
    async with aiohttp.ClientSession() as session:
        for turn in range(-20, REQUESTS):  # The first ones warm up and do not count.
            pair = (("known", known), ("unknown", unknown))
            for name, numbers in pair if turn % 2 else reversed(pair):
                took, body = await _refused(session, portal, asking, numbers[turn % len(numbers)])
                if turn >= 0:
                    kinds[name].took.append(took)
                    kinds[name].bodies.add(body)
    if len(kinds["known"].bodies | kinds["unknown"].bodies) != 1:
        raise CannotMeasure("identity: the answers to known and unknown numbers differ in more than their ids")
    known_ms, unknown_ms = (median(kinds[name].took) * 1000 for name in ("known", "unknown"))
    return {"requests": REQUESTS, "known_ms": known_ms, "unknown_ms": unknown_ms, "gap_ms": abs(known_ms - unknown_ms)}


async def _refused(session: aiohttp.ClientSession, portal: str, asking: Resident, number: str) -> tuple[float, str]:
    body = {"name": _WRONG_NAME, "id_number": number, "consent": "real-name@1"}
    begun = time.perf_counter()
    async with session.put(f"{portal}/v1/citizen/me/identity", json=body, headers=asking.headers) as response:
        told: dict[str, Any] = await response.json(content_type=None)
        took = time.perf_counter() - begun
    if (response.status, told.get("code")) != (403, "auth.identity-mismatch"):
        raise CannotMeasure(f"identity answered {response.status} {told.get('code')}")
    return took, repr(sorted((key, str(value)) for key, value in told.items() if key != "instance"))
