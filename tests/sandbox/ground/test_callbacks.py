import asyncio
import json
from itertools import pairwise
from pathlib import Path

import pytest
from http_message_signatures import InvalidSignature

from sandbox.ground.callbacks import ATTEMPTS, Callbacks
from sandbox.ground.clock import Clock
from sandbox.ground.settings import Credentials
from sandbox.ground.signing import CallbackSigner
from sandbox.ground.store import Store
from sandbox.public_security import decide
from tests.sandbox.conftest import Until
from tests.sandbox.town import Caller, Keys, MovableClock, Portal, opened

CASES = "/public-security/v1/cases"


def signer_of(keys: Keys) -> CallbackSigner:
    credentials = Credentials.parse(json.dumps(keys.told))
    return CallbackSigner(
        key_id=credentials.callback_key_id, private_key=credentials.callback_private_key, clock=Clock()
    )


async def test_a_case_is_told_of_in_three_signed_events(caller: Caller, portal: Portal, until: Until) -> None:
    submission = await caller.submission("qumanlin", portal.url)
    await caller.signed(CASES, submission)
    await until(lambda: len(portal.came) == 3)
    assert portal.states == ["accepted", "in_review", "approved"]
    assert portal.bad == []
    assert len(set(portal.nonces)) == 3
    assert [event["sequence"] for event in portal.came] == [1, 2, 3]
    assert {event["reference"] for event in portal.came} == {submission["reference"]}
    assert len({event["event_id"] for event in portal.came}) == 3
    assert "result" not in portal.came[0]


async def test_every_covered_part_is_covered(keys: Keys, portal: Portal) -> None:
    body, signer = b'{"state":"approved"}', signer_of(keys)
    good = signer.headers(url=portal.url, body=body)
    assert portal.verify(body, good)
    assert ";alg=" not in good["Signature-Input"]
    with pytest.raises(InvalidSignature):
        portal.verify(b'{"state":"rejected"}', good)
    with pytest.raises(InvalidSignature):
        portal.verify(body, {**good, "Content-Type": "text/plain"})
    elsewhere = signer.headers(url=portal.url + "x", body=body)
    with pytest.raises(InvalidSignature):
        portal.verify(body, elsewhere)


async def test_an_unwanted_answer_is_repeated_with_a_new_nonce(caller: Caller, portal: Portal, until: Until) -> None:
    portal.answers = [500, 200, 404]
    await caller.signed(CASES, await caller.submission("qumanlin", portal.url))
    await until(lambda: len(portal.came) == 6)
    assert portal.states == ["accepted"] * 4 + ["in_review", "approved"]
    assert len({event["event_id"] for event in portal.came}) == 3
    assert len(set(portal.nonces)) == 6


async def test_a_callback_is_given_up_after_ten_attempts_and_the_next_goes_out(
    caller: Caller, portal: Portal, clock: MovableClock, data: Path, until: Until
) -> None:
    portal.answers = [503] * ATTEMPTS
    await caller.signed(CASES, await caller.submission("qumanlin", portal.url))
    # The pauses grow to a minute: the waiting is skipped by making every call due.
    other = await Store.open(data)

    async def hurry() -> None:
        while len(portal.came) < ATTEMPTS + 2:
            await other.run(lambda db: db.execute("UPDATE callbacks SET due_at = 0").rowcount)
            # A new case wakes the queue.
            await caller.signed(CASES, await caller.submission("huomingzhe", portal.url))
            await asyncio.sleep(0.02)

    async with asyncio.timeout(20):
        await hurry()
    await other.close()
    assert portal.states == ["accepted"] * ATTEMPTS + ["in_review", "approved"]


async def test_the_pauses_grow(keys: Keys, data: Path, clock: MovableClock, portal: Portal) -> None:
    async with opened(data, keys, clock, pause_ms=0) as caller:
        portal.answers = [500] * 3
        began = asyncio.get_running_loop().time()
        at: list[float] = []
        await caller.signed(CASES, await caller.submission("qumanlin", portal.url))
        while len(at) < 4:
            await asyncio.sleep(0.01)
            while len(at) < len(portal.came):
                at.append(asyncio.get_running_loop().time() - began)
    pauses = [after - before for before, after in pairwise(at)]
    assert pauses[0] < pauses[1] < pauses[2]


async def test_what_is_owed_outlives_a_restart(
    keys: Keys, data: Path, clock: MovableClock, portal: Portal, until: Until
) -> None:
    async with opened(data, keys, clock, pause_ms=300) as caller:
        await caller.signed(CASES, await caller.submission("qumanlin", portal.url))
    assert portal.came == []
    async with opened(data, keys, clock) as caller:
        await until(lambda: len(portal.came) == 3)
        [received] = await caller.received("public-security")
        assert (received["count"], received["deliveries"]) == (1, 1)
    assert portal.states == ["accepted", "in_review", "approved"]


async def test_one_case_does_not_wait_for_another(caller: Caller, portal: Portal, until: Until) -> None:
    nobody = portal.url.replace(portal.url.split(":")[2].split("/")[0], "9")
    await caller.signed(CASES, await caller.submission("qumanlin", nobody))
    await caller.signed(CASES, await caller.submission("wujinglan", portal.url))
    await until(lambda: len(portal.came) == 3)


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("http://127.0.0.1:8000/x", True),
        ("https://[::1]:8000/x", True),
        ("http://localhost/x", True),
        ("http://127.8.9.1/x", True),
        ("http://portal:8000/x", True),
        ("http://PORTAL/x", True),
        ("http://10.0.0.1/x", False),
        ("http://169.254.169.254/latest", False),
        ("http://127.0.0.1.example.org/x", False),
        ("http://0.0.0.0/x", False),
        ("http://user@127.0.0.1/x", False),
        ("ftp://127.0.0.1/x", False),
        ("file:///etc/passwd", False),
        ("//127.0.0.1/x", False),
        ("http://[::1", False),
        ("nonsense", False),
        ("", False),
    ],
)
async def test_only_loopback_and_listed_hosts_are_called(keys: Keys, data: Path, url: str, may: bool) -> None:
    store = await Store.open(data)
    hosts = frozenset({"portal"})
    callbacks = Callbacks(
        store=store, signer=signer_of(keys), signers={}, clock=Clock(), decide=decide, pause_ms=0, hosts=hosts
    )
    assert callbacks.may_go_to(url) is may
    await store.close()


async def test_it_stops_even_if_it_is_woken_in_the_same_moment(keys: Keys, data: Path, clock: MovableClock) -> None:
    store = await Store.open(data)
    calls = Callbacks(
        store=store,
        signer=signer_of(keys),
        signers={},
        clock=clock,
        decide=decide,
        pause_ms=20,
        hosts=frozenset(),
    )
    owed = "INSERT INTO callbacks (reference, state, url, body, due_at) VALUES ('1', 'accepted', 'none', x'', 9e12)"
    await store.run(lambda db: db.execute(owed).rowcount)
    calls.start()
    await asyncio.sleep(0.2)  # It has looked into the store and waits until that call is due.
    calls.wake()
    async with asyncio.timeout(5):
        await calls.stop()
    await store.close()
