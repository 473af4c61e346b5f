"""Twenty face checks at once through the portal: who is shed, and how long its event loop is held meanwhile."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

import aiohttp

from benchmarks.figures import spread
from benchmarks.residents import Resident

CHECKS: Final = 20
_HOLD: Final = re.compile(r"^zhijian_loop_lag_seconds (\S+)$", re.MULTILINE)
_COMMENT: Final = b"\xff\xfe"
_START: Final = 2


def distinct(picture: bytes, mark: bytes) -> bytes:
    """Return a JPEG that looks the same and is another file: with a comment behind its first marker."""
    return picture[:_START] + _COMMENT + (len(mark) + 2).to_bytes(2, "big") + mark + picture[_START:]


async def burst(portal: str, residents: Sequence[Resident], frames: Sequence[bytes]) -> dict[str, float]:
    """Send a check of each resident at once and return what came of them.

    The frames do not do what most of the checks ask for, and nobody here has a portrait: every check ends as not
    passed, after all of its pictures were looked at like anybody's.
    """
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        checks = [await _started(session, portal, resident) for resident in residents]
        # The gauge holds the longest hold of the second before: one quiet second, and what came before is forgotten.
        await asyncio.sleep(1.5)
        over = asyncio.Event()
        watching = asyncio.gather(_live(session, portal, over), _holds(session, portal, over))
        begun = time.perf_counter()
        sending = (
            _sent(session, portal, resident, check, [distinct(frame, check.encode()) for frame in frames])
            for resident, check in zip(residents, checks, strict=True)
        )
        outcomes = Counter(await asyncio.gather(*sending))
        seconds = time.perf_counter() - begun
        over.set()
        live, holds = await watching
    p50, p99, longest = spread(live)
    return {
        "burst_checks": len(checks),
        "burst_decided": outcomes["decided"],
        "burst_shed": outcomes["shed"],
        "burst_other": len(checks) - outcomes["decided"] - outcomes["shed"],
        "burst_seconds": seconds,
        "burst_hold_ms": max(holds) * 1000,
        "burst_live_p50_ms": p50 * 1000,
        "burst_live_p99_ms": p99 * 1000,
        "burst_live_max_ms": longest * 1000,
    }


async def _started(session: aiohttp.ClientSession, portal: str, resident: Resident) -> str:
    body = {"purpose": "step-up", "consent": "face@1"}
    async with session.post(f"{portal}/v1/citizen/face-checks", json=body, headers=resident.headers) as response:
        response.raise_for_status()
        return str((await response.json())["id"])


async def _sent(
    session: aiohttp.ClientSession, portal: str, resident: Resident, check: str, frames: Sequence[bytes]
) -> str:
    form = aiohttp.FormData()
    for index, frame in enumerate(frames):
        form.add_field("frames", frame, filename=f"{index}.jpg", content_type="image/jpeg")
    url = f"{portal}/v1/citizen/face-checks/{check}/evidence"
    async with session.post(url, data=form, headers=resident.headers) as response:
        await response.read()
        if response.status == 503 and "Retry-After" in response.headers:
            return "shed"
        return "decided" if response.status == 200 else f"status {response.status}"


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
