"""Keys change while residents come in: every one of them is found, no valid token is refused, no dead key is taken."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.wiring.rekeying import INDEXED, SEALED, WRAPPED
from auth.errors import AlreadyBound, TokenExpired, TokenInvalid
from auth.settings import AuthLimits, AuthSettings
from auth.tokens import Tokens
from auth.types import ReadPurpose
from core.cache import TooManyRequests
from core.crypto import KeyRing, Vault, data_key_of
from core.db import fetch
from core.ids import RandomIds
from core.keyring.data_keys import wraps_all
from core.keyring.folder import KeyFolder
from core.keyring.ring import KeySet
from core.pii import IdNumber, PersonName
from core.rekeying.passes import IndexPass, SealedPass
from core.rekeying.work import KeyWork, progress_of
from core.settings import KeySettings
from tests.conftest import Ground
from tests.fakes.auth import Auth, FakeMiniProgram, FakePopulationRegistry, make_auth

# How often one account or one address may log in is not what is tried here.
OFTEN = AuthSettings(
    limits=AuthLimits(login_account="100000/minute", login_address="100000/minute", login_all="100000/second")
)
NOTICE, SECOND = timedelta(seconds=3), timedelta(seconds=1)
# Of the area that was never assigned, with right check digits, and not of the cast.
NUMBERS = (
    "999999197001010017",
    "999999197001010025",
    "999999197001010033",
    "999999197001010041",
    "99999919700101005X",
)


@dataclass
class Process:
    """One process of several over one database and one key folder: it learns of changes when it looks."""

    ground: Ground
    auth: Auth
    work: KeyWork


async def a_process(ground: Ground, mini_program: FakeMiniProgram, registry: FakePopulationRegistry) -> Process:
    ring = KeyRing.load(ground.settings.key_folder)
    vault = Vault(ring, clock=ground.clock, ids=ground.ids)
    await vault.load()
    own = replace(ground, ring=ring, vault=vault)
    work = KeyWork(
        ring=ring,
        vault=vault,
        audit=ground.audit,
        clock=ground.clock,
        settings=KeySettings(settle_seconds=2, batch=2),
        seals=[SealedPass(column, vault) for column in (*SEALED, *WRAPPED)],
        indexes=[IndexPass(column, vault) for column in INDEXED],
    )
    auth = make_auth(own, OFTEN, mini_program=mini_program, registry=registry)
    return Process(own, auth, work)


@pytest.fixture
async def processes(ground: Ground) -> Sequence[Process]:
    mini_program, registry = FakeMiniProgram(), FakePopulationRegistry()
    return [await a_process(ground, mini_program, registry) for _ in range(2)]


def folder(ground: Ground) -> KeyFolder:
    return KeyFolder(ground.settings.key_folder, clock=ground.clock)


async def come_in(processes: Sequence[Process]) -> dict[str, UUID]:
    """Let five residents in, with name, number and mobile; return who they are by their openid."""
    found = {}
    for place, number in enumerate(NUMBERS):
        auth = processes[0].auth
        caller = await auth.caller_named(f"openid-{place}", "甲某", number)
        await auth.citizens.set_mobile(caller, auth.mini_program.mobile_code_for(f"1990000010{place}"))
        found[f"openid-{place}"] = caller.citizen_id
    return found


async def all_are_found(process: Process, residents: dict[str, UUID]) -> int:
    """See that each is found by account and by number, and can be read; return how many look-ups that were."""
    auth = process.auth
    for openid, number in zip(residents, NUMBERS, strict=True):
        grant = await auth.log_in(openid)
        assert grant.citizen.id == residents[openid]
        caller = await auth.sessions.caller_of(grant.access_token)
        assert caller.citizen_id == residents[openid]
        assert await auth.realname.find_citizen(IdNumber.parse(number)) == residents[openid]
        person = await auth.realname.person_of(residents[openid], ReadPurpose.OWN_RIGHTS)
        assert person.id_number.reveal() == number
        # Repeating what is bound changes nothing and is no attempt.
        await auth.realname.bind(caller, name="甲某", id_number=number, consent="real-name@1")
    return 4 * len(residents)


async def to_the_end(processes: Sequence[Process], work_id: str) -> None:
    """Let the workers go on until everything is brought along."""
    for _ in range(20):
        for process in processes:
            await process.work.look()
            await process.work.go_on()
        if await processes[0].work.is_settled(work_id):
            return
        processes[0].ground.clock.move(SECOND)
    raise AssertionError(await progress_of(work_id))


async def test_ten_rotations_refuse_no_valid_token_and_take_no_dead_key(
    ground: Ground, processes: Sequence[Process]
) -> None:
    one, other = (process.auth for process in processes)
    grace = timedelta(seconds=2 * one.settings.sessions.access_seconds)
    life = timedelta(seconds=one.settings.sessions.access_seconds)
    issued: list[tuple[str, datetime]] = []
    dead: list[Tokens] = []
    session = (await one.log_in("openid-0")).access_token
    who = one.tokens.check(session)
    checked = refused = 0

    def use() -> None:
        nonlocal checked, refused
        both, now = (one.tokens, other.tokens), ground.clock.now()
        issued.extend((tokens.issue(who.citizen_id, who.session_id), now) for tokens in both)
        for (token, at), tokens in itertools.product(issued, both):
            if now < at + life:
                checked += 1
                tokens.check(token)
            else:
                refused += 1
                with pytest.raises((TokenExpired, TokenInvalid)):
                    tokens.check(token)
        del issued[:-200]

    for _ in range(10):
        [old] = [key for key in processes[0].ground.ring.tokens.keys if key.secret is key_now(processes[0]).secret]
        dead.append(
            Tokens(
                keys=lambda old=old: KeySet.of(old),  # type: ignore[misc]
                settings=one.settings.sessions, clock=ground.clock, ids=RandomIds(),
            ),
        )  # fmt: skip
        folder(ground).rotate("token", notice=NOTICE, grace=grace)
        # One process looks at once, the other just before the new key is used.
        await processes[0].work.look()
        use()
        ground.clock.move(NOTICE - SECOND)
        await processes[1].work.look()
        for _ in range(8):
            use()
            ground.clock.move(timedelta(seconds=97))
        # Still within its grace: what the earlier key has made is taken.
        other.tokens.check(dead[-1].issue(who.citizen_id, who.session_id))
    ground.clock.move(grace)
    for thief, tokens in itertools.product(dead, (one.tokens, other.tokens)):
        with pytest.raises(TokenInvalid):
            tokens.check(thief.issue(who.citizen_id, who.session_id))
    assert checked > 1000
    assert refused > 100
    assert len(folder(ground).retire("token")) == 10
    for process in processes:
        await process.work.look()
        assert len(process.auth.tokens.jwks()["keys"]) == 1


def key_now(process: Process) -> Any:
    return process.ground.ring.tokens.current(process.ground.clock.now())


async def test_a_remembered_token_dies_with_its_key(ground: Ground, processes: Sequence[Process]) -> None:
    tokens = processes[0].auth.tokens
    token = (await processes[0].auth.log_in("openid-0")).access_token
    tokens.check(token)
    folder(ground).rotate("token", notice=NOTICE)
    ground.clock.move(NOTICE)
    await processes[0].work.look()
    tokens.check(token)
    folder(ground).retire("token", at_once=True)
    await processes[0].work.look()
    with pytest.raises(TokenInvalid):
        tokens.check(token)


async def test_the_next_key_is_published_before_it_is_used(ground: Ground, processes: Sequence[Process]) -> None:
    made = folder(ground).rotate("token", notice=NOTICE)
    for process in processes:
        await process.work.look()
        assert made.kid in {key["kid"] for key in process.auth.tokens.jwks()["keys"]}
        assert key_now(process).kid != made.kid


async def test_every_resident_is_found_while_the_key_of_the_blind_index_changes(
    ground: Ground, processes: Sequence[Process]
) -> None:
    residents = await come_in(processes)
    before = await fetch("SELECT id, id_number_hash, mobile_hash FROM citizen ORDER BY id")
    looked = await all_are_found(processes[1], residents)
    made = folder(ground).rotate("index", notice=NOTICE)
    for process in processes:
        looked += await all_are_found(process, residents)
        await process.work.look()
    looked += await all_are_found(processes[0], residents)
    ground.clock.move(NOTICE)

    done = asyncio.Event()

    async def keep_looking(process: Process) -> int:
        count = 0
        while not done.is_set() or not count:
            count += await all_are_found(process, residents)
        return count

    lookers = [asyncio.create_task(keep_looking(process)) for process in processes]
    await to_the_end(processes, f"index:{made.kid}")
    done.set()
    looked += sum([await looker for looker in lookers])
    after = await fetch("SELECT id, id_number_hash, mobile_hash FROM citizen ORDER BY id")
    assert len(before) == len(after) == len(residents)
    for old, new in zip(before, after, strict=True):
        assert old["id_number_hash"] != new["id_number_hash"]
        assert old["mobile_hash"] != new["mobile_hash"]
    folder(ground).retire("index", at_once=True)
    for process in processes:
        looked += await all_are_found(process, residents)
        await process.work.look()
        looked += await all_are_found(process, residents)
    assert looked >= 200
    assert len(await fetch("SELECT id FROM citizen")) == len(residents)


async def test_one_person_gets_one_account_while_processes_write_under_two_keys(
    ground: Ground, processes: Sequence[Process]
) -> None:
    """One process writes under the earlier key still, the other under the new one: neither doubles a person."""
    folder(ground).rotate("index", notice=NOTICE)
    for process in processes:
        await process.work.look()
    late = replace(processes[0].ground, clock=type(ground.clock)(ground.clock.now()))
    stale = Vault(processes[0].ground.ring, clock=late.clock, ids=ground.ids)
    await stale.load()
    first = make_auth(
        replace(late, vault=stale), mini_program=processes[0].auth.mini_program, registry=processes[0].auth.registry
    )
    ground.clock.move(NOTICE)
    second = processes[1].auth
    number, name = IdNumber.parse(NUMBERS[0]), PersonName.parse("甲某")
    first.registry.people[NUMBERS[0]] = "甲某"
    assert stale.index("a.b", "c") != processes[1].ground.vault.index("a.b", "c")
    for place in range(10):
        await asyncio.gather(*(auth.log_in(f"openid-new-{place}") for auth in (first, second, first, second)))
    assert len(await fetch("SELECT id FROM wechat_account")) == 10
    holders = await asyncio.gather(
        *(auth.realname.ensure_citizen(name, number) for auth in (first, second, first, second))
    )
    assert len(set(holders)) == 1
    grant = await second.log_in("openid-new-0")
    caller = await second.sessions.caller_of(grant.access_token)
    for auth in (first, second):
        with pytest.raises(AlreadyBound):
            await auth.realname.bind(caller, name="甲某", id_number=NUMBERS[0], consent="real-name@1")
    assert len(await fetch("SELECT id FROM citizen WHERE id_number_hash IS NOT NULL")) == 1


async def test_attempts_on_a_number_go_on_counting_under_the_new_key(
    ground: Ground, processes: Sequence[Process]
) -> None:
    auth = processes[0].auth
    pair = processes[0].ground.vault.indexes("citizen.id_number", NUMBERS[0])
    assert pair[0] == pair[1]
    for _ in range(4):
        await auth.attempts.start(ground.ids.uuid(), *pair)
    folder(ground).rotate("index", notice=NOTICE)
    ground.clock.move(NOTICE)
    await processes[0].work.look()
    changed = processes[0].ground.vault.indexes("citizen.id_number", NUMBERS[0])
    assert changed[0] != changed[1] == pair[0]
    await auth.attempts.start(ground.ids.uuid(), *changed)
    with pytest.raises(TooManyRequests):
        await auth.attempts.start(ground.ids.uuid(), *changed)


async def test_everything_is_sealed_anew_and_read_all_along_and_the_earlier_data_key_destroyed(
    ground: Ground, processes: Sequence[Process]
) -> None:
    residents = await come_in(processes)
    folder(ground).plan_data_key(2, notice=NOTICE)
    for process in processes:
        await process.work.look()
        await process.work.go_on()
        await process.work.look()
        assert process.ground.vault.data_keys.current == 1
        await all_are_found(process, residents)
    ground.clock.move(NOTICE)
    for process in processes:
        await process.work.look()
        assert process.ground.vault.data_keys.current == 2
    await all_are_found(processes[0], residents)
    await to_the_end(processes, "data:2")
    for row in await fetch("SELECT name_sealed, id_number_sealed, mobile_sealed FROM citizen"):
        assert {data_key_of(value) for value in row.values()} == {None}  # Each under the person's own key, and that:
    assert {data_key_of(row["wrapped"]) for row in await fetch("SELECT wrapped FROM person_key")} == {2}
    assert {data_key_of(row["openid_sealed"]) for row in await fetch("SELECT openid_sealed FROM wechat_account")} == {2}
    folder(ground).retire_data_keys(2)
    for process in processes:
        await process.work.look()
        await process.work.go_on()
    [gone, kept] = await fetch("SELECT wrapped, retired_at FROM data_key ORDER BY id")
    assert (bytes(gone["wrapped"]), kept["retired_at"]) == (b"", None)
    fresh = await a_process(ground, processes[0].auth.mini_program, processes[0].auth.registry)
    await all_are_found(fresh, residents)
    told = await fetch("SELECT object_id, outcome FROM audit_line WHERE action = 'core.key-changed'")
    assert {("data:2", "made"), ("data:1", "destroyed")} <= {(row["object_id"], row["outcome"]) for row in told}


async def test_a_data_key_that_something_needs_is_not_destroyed(ground: Ground, processes: Sequence[Process]) -> None:
    residents = await come_in(processes)
    folder(ground).plan_data_key(2, notice=NOTICE)
    for process in processes:
        await process.work.look()
        await process.work.go_on()
    # Asked for too early: nothing is brought along yet.
    folder(ground).retire_data_keys(2)
    ground.clock.move(NOTICE)
    await processes[0].work.look()
    await processes[0].work.go_on()
    assert {row["retired_at"] for row in await fetch("SELECT retired_at FROM data_key")} == {None}
    await all_are_found(processes[0], residents)


async def test_data_keys_are_wrapped_anew_and_the_earlier_kek_opens_nothing(
    ground: Ground, processes: Sequence[Process]
) -> None:
    residents = await come_in(processes)
    old = processes[0].ground.ring.keks.keys[0].secret
    folder(ground).rotate("kek", notice=NOTICE)
    ground.clock.move(NOTICE)
    # A process that starts in between has both.
    between = await a_process(ground, processes[0].auth.mini_program, processes[0].auth.registry)
    await all_are_found(between, residents)
    await processes[0].work.look()
    assert await wraps_all(old)
    await processes[0].work.go_on()
    assert not await wraps_all(old)
    assert await wraps_all(processes[0].ground.ring.keks.current(ground.clock.now()).secret)
    folder(ground).retire("kek", at_once=True)
    await processes[1].work.look()
    for process in [*processes, await a_process(ground, between.auth.mini_program, between.auth.registry)]:
        await all_are_found(process, residents)
