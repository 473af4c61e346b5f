from pathlib import Path

from tests.sandbox.town import Caller, Keys, MovableClock, opened

VERIFY = "/population-registry/v1/verifications"


async def is_alive(caller: Caller, slug: str) -> bool:
    return bool((await caller.signed(VERIFY, await caller.named(slug))).json["alive"])


async def test_a_death_outlives_a_restart_and_can_be_undone(data: Path, keys: Keys, clock: MovableClock) -> None:
    async with opened(data, keys, clock) as caller:
        assert await is_alive(caller, "huomingzhe")
        told = await caller.call("PUT", "/sandbox/people/huomingzhe/death")
        assert (told.status, told.json) == (200, {"slug": "huomingzhe", "dead": True, "answered": None})
    async with opened(data, keys, clock) as caller:
        assert not await is_alive(caller, "huomingzhe")
        assert await is_alive(caller, "lieyunqi")
        assert (await caller.call("DELETE", "/sandbox/people/huomingzhe/death")).status == 200
        assert await is_alive(caller, "huomingzhe")


async def test_bad_input_gets_a_sentence(caller: Caller) -> None:
    assert (await caller.call("PUT", "/sandbox/people/nobody/death")).status == 404
    far = await caller.call("PUT", "/sandbox/people/huomingzhe/death", {"tell": "http://203.0.113.1/"})
    assert (far.status, "tell" in far.json["error"]) == (422, True)
    assert await is_alive(caller, "huomingzhe")
