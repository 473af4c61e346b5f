"""Twenty face checks at once through the portal: who is shed, and how long its event loop is held meanwhile."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp

from benchmarks.figures import spread
from benchmarks.residents import Resident, Town

CHECKS: Final = 20
_HOLD: Final = re.compile(r"^zhijian_loop_lag_seconds (\S+)$", re.MULTILINE)


async def burst(town: Town, portal: str, residents: Sequence[Resident]) -> tuple[dict[str, float], dict[str, int]]:
    """Send a check of each resident at once; return the figures, and the answers that nobody expects.

    The sandbox's camera takes the pictures of every check, since the portal knows pictures again. Nobody here has a
    portrait, so every check ends as not passed, after all of its pictures were looked at like anybody's.
    """
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        checks = [await _started(session, portal, resident) for resident in residents]
        frames = await asyncio.gather(*(town.frames(check.actions) for check in checks))
        # The gauge holds the longest hold of the second before: one quiet second, and what came before is forgotten.
        await asyncio.sleep(1.5)
        over = asyncio.Event()
        watching = asyncio.gather(_live(session, portal, over), _holds(session, portal, over))
        begun = time.perf_counter()
        sending = (
            _sent(session, portal, resident, check, theirs)
            for resident, check, theirs in zip(residents, checks, frames, strict=True)
        )
        outcomes = Counter(await asyncio.gather(*sending))
        seconds = time.perf_counter() - begun
        over.set()
        live, holds = await watching
    p50, p99, longest = spread(live)
    others = {answer: count for answer, count in outcomes.items() if answer not in {"decided", "shed"}}
    figures = {
        "burst_checks": len(checks),
        "burst_decided": outcomes["decided"],
        "burst_shed": outcomes["shed"],
        "burst_other": sum(others.values()),
        "burst_seconds": seconds,
        "burst_hold_ms": max(holds) * 1000,
        "burst_live_p50_ms": p50 * 1000,
        "burst_live_p99_ms": p99 * 1000,
        "burst_live_max_ms": longest * 1000,
    }
    return figures, others


@dataclass(frozen=True, slots=True)
class _Check:
    """A check that waits for its pictures."""

    id: str
    actions: Sequence[str]


async def _started(session: aiohttp.ClientSession, portal: str, resident: Resident) -> _Check:
    body = {"purpose": "step-up", "consent": "face@1"}
    async with session.post(f"{portal}/v1/citizen/face-checks", json=body, headers=resident.headers) as response:
        response.raise_for_status()
        told = await response.json()
        return _Check(told["id"], told["actions"])


async def _sent(
    session: aiohttp.ClientSession, portal: str, resident: Resident, check: _Check, frames: Sequence[bytes]
) -> str:
    form = aiohttp.FormData()
    for index, frame in enumerate(frames):
        form.add_field("frames", frame, filename=f"{index}.jpg", content_type="image/jpeg")
    url = f"{portal}/v1/citizen/face-checks/{check.id}/evidence"
    async with session.post(url, data=form, headers=resident.headers) as response:
        told = await response.json(content_type=None)
        if response.status == 503 and "Retry-After" in response.headers:
            return "shed" if told.get("code") == "face.engine-busy" else f"503 {told.get('code')}"
        return "decided" if response.status == 200 else f"{response.status} {told.get('code')}"


async def _live(session: aiohttp.ClientSession, portal: str, over: asyncio.Event) -> list[float]:
    """Ask every ten milliseconds whether the portal lives, and note how long it took to say so."""
    took = []
    while not over.is_set():
        begun = time.perf_counter()
        async with session.get(f"{portal}/health/live") as response:
            await response.read()
        took.append(time.perf_counter() - begun)
        await asyncio.sleep(0.01)
    return took


async def _holds(session: aiohttp.ClientSession, portal: str, over: asyncio.Event) -> list[float]:
    """Read the portal's own gauge until a second after the end, so that the last second is in it."""
    holds = [0.0]
    last = 0.0
    while not over.is_set() or time.perf_counter() - last < 1.2:
        if not over.is_set():
            last = time.perf_counter()
        async with session.get(f"{portal}/metrics") as response:
            found = _HOLD.search(await response.text())
        holds.append(float(found[1]) if found else 0.0)
        await asyncio.sleep(0.3)
    return holds
