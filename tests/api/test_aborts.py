"""Callers that vanish at any moment harm nobody: every transaction ends whole and the server lives on."""

import asyncio
import random

from core.db import drain
from tests.api.edge import Edge
from tests.core.test_db import pool_is_idle

ABORTS, AT_ONCE = 2000, 40


async def abort(edge: Edge, number: int, chance: random.Random) -> None:
    """Send a request that writes, and hang up hard after 0 to 10 ms."""
    _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    key = f"key-{number}" if number % 3 == 0 else ""
    writer.write(edge.request("POST", "/v1/citizen/things", {"name": f"thing {number}"}, Idempotency_Key=key))
    await asyncio.sleep(chance.uniform(0, 0.01))
    writer.transport.abort()


async def test_two_thousand_aborts_leave_nothing_half_and_the_server_alive(edge: Edge) -> None:
    chance = random.Random(11)
    for start in range(0, ABORTS, AT_ONCE):
        await asyncio.gather(*(abort(edge, number, chance) for number in range(start, start + AT_ONCE)))
    async with asyncio.timeout(1):
        assert await edge.is_well()
    async with asyncio.timeout(30):
        while edge.services.idempotency._running:
            await asyncio.sleep(0.02)
        await drain()
    things, counted = await edge.rows()
    assert things == counted
    assert things > ABORTS // 10
    assert await pool_is_idle()
    ready = await edge.send(edge.request("GET", "/health/ready", token=None), within=1)
    assert ready is not None
    assert ready.status == 200
    assert (await edge.ask("POST", "/v1/citizen/things", {"name": "after"})).status == 201
