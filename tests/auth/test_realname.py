"""The real name: bound once, to one account, and only when the registry agrees."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from auth.errors import (
    AlreadyBound,
    ConsentRequired,
    IdentityFixed,
    IdentityMismatch,
    IdNumberInvalid,
    LevelTooLow,
    NameInvalid,
    RegistryUnavailable,
)
from auth.settings import AuthLimits, AuthSettings
from auth.types import Caller, Level, ReadPurpose
from core.audit.actors import Actor
from core.audit.ledger import lines_of
from core.cache import Limits, TooManyRequests
from core.db import as_json, fetch
from core.pii import IdNumber, PersonName
from core.settings import CoreSettings
from tests.conftest import Ground
from tests.fakes.auth import Auth, make_auth

NAME, NUMBER = "霍明哲", "999999198503122179"
OTHER_NAME, OTHER_NUMBER = "厉云齐", "999999199011053335"


@pytest.fixture
def auth(ground: Ground) -> Auth:
    auth = make_auth(ground)
    auth.registry.people |= {NUMBER: NAME, OTHER_NUMBER: OTHER_NAME}
    return auth


async def bind(auth: Auth, caller: Caller, name: str = NAME, number: str = NUMBER) -> None:
    await auth.realname.bind(caller, name=name, id_number=number, consent="real-name@1")


async def test_the_same_token_is_at_real_name_at_once_on_all_devices(auth: Auth) -> None:
    here, there = await auth.log_in("openid-1"), await auth.log_in("openid-1")
    await bind(auth, await auth.sessions.caller_of(here.access_token))
    for grant in (here, there):
        assert (await auth.sessions.caller_of(grant.access_token)).level is Level.REAL_NAME


async def test_the_person_is_known_by_name_and_number(auth: Auth) -> None:
    caller = await auth.caller("openid-1")
    with pytest.raises(LevelTooLow) as caught:
        await auth.realname.person_of(caller.citizen_id, ReadPurpose.OWN_RIGHTS)
    assert caught.value.extras.members["required"] == "real_name"
    await bind(auth, caller)
    person = await auth.realname.person_of(caller.citizen_id, ReadPurpose.OWN_RIGHTS)
    assert (person.name.reveal(), person.id_number.reveal(), person.mobile) == (NAME, NUMBER, None)
    assert await auth.realname.find_citizen(IdNumber.parse(NUMBER)) == caller.citizen_id
    assert await auth.realname.find_citizen(IdNumber.parse(OTHER_NUMBER)) is None
    with pytest.raises(LevelTooLow):
        await auth.realname.person_of(UUID(int=5), ReadPurpose.OWN_RIGHTS)


async def test_a_small_x_and_spaces_are_no_mistake(auth: Auth) -> None:
    auth.registry.people["99999919820909519X"] = "庄季恒"
    caller = await auth.caller("openid-1")
    await bind(auth, caller, " 庄季恒", " 99999919820909519x ")
    assert (
        await auth.realname.person_of(caller.citizen_id, ReadPurpose.OWN_RIGHTS)
    ).id_number.reveal() == "99999919820909519X"


@pytest.mark.parametrize("number", ["", "123", "999999198503122178", "999999198502302173", "99999919850312217٩"])
async def test_a_number_that_cannot_be_one_is_told_so_and_the_registry_is_not_asked(auth: Auth, number: str) -> None:
    with pytest.raises(IdNumberInvalid) as caught:
        await bind(auth, await auth.caller(), number=number)
    assert [error.pointer for error in caught.value.extras.errors] == ["/id_number"]
    assert auth.registry.questions == 0


async def test_a_name_that_cannot_be_one_is_told_so(auth: Auth) -> None:
    with pytest.raises(NameInvalid):
        await bind(auth, await auth.caller(), name="霍<script>")


async def test_without_the_consent_nothing_is_asked(auth: Auth) -> None:
    caller = await auth.caller()
    with pytest.raises(ConsentRequired) as caught:
        await auth.realname.bind(caller, name=NAME, id_number=NUMBER, consent="face@1")
    assert caught.value.extras.members == {"consent": "real-name@1"}
    assert auth.registry.questions == 0


async def test_unknown_people_wrong_names_and_the_dead_get_the_same_answer(auth: Auth) -> None:
    unknown = "999999198604044819"
    auth.registry.dead.add(OTHER_NUMBER)
    answers = []
    for openid, name, number in [("1", "禾方舟", unknown), ("2", "错名字", NUMBER), ("3", OTHER_NAME, OTHER_NUMBER)]:
        with pytest.raises(IdentityMismatch) as caught:
            await bind(auth, await auth.caller(openid), name, number)
        answers.append((caught.value.code, caught.value.extras))
    assert answers[0] == answers[1] == answers[2]
    lines = await fetch("SELECT outcome, field_names FROM audit_line WHERE action = 'auth.identity-bound'")
    assert [(line["outcome"], as_json(line["field_names"])) for line in lines] == [
        ("mismatch", ["name", "id_number"])
    ] * 3


async def test_a_mismatch_binds_nothing_even_when_the_number_belongs_to_another_account(auth: Auth) -> None:
    await bind(auth, await auth.caller("openid-1"))
    with pytest.raises(IdentityMismatch):
        await bind(auth, await auth.caller("openid-2"), "错名字", NUMBER)


async def test_another_account_of_the_same_person_is_told_the_ways_out(auth: Auth) -> None:
    await bind(auth, await auth.caller("openid-1"))
    second = await auth.caller("openid-2")
    with pytest.raises(AlreadyBound) as caught:
        await bind(auth, second)
    assert [way.method for way in caught.value.extras.alternatives] == [
        "other-account",
        "takeover",
        "face",
        "counter",
    ]
    assert (await auth.sessions.list_sessions(second))[0].level is Level.LINKED


async def test_an_account_is_never_handed_on_to_another_person(auth: Auth) -> None:
    caller = await auth.caller("openid-1")
    await bind(auth, caller)
    with pytest.raises(IdentityFixed):
        await bind(auth, caller, OTHER_NAME, OTHER_NUMBER)
    assert (await auth.realname.person_of(caller.citizen_id, ReadPurpose.OWN_RIGHTS)).name.reveal() == NAME


async def test_repeating_what_is_bound_is_no_attempt(auth: Auth) -> None:
    caller = await auth.caller("openid-1")
    await bind(auth, caller)
    for _ in range(10):
        await bind(auth, caller)
    assert auth.registry.questions == 1


async def test_a_new_name_under_the_same_number_is_checked_and_taken(auth: Auth) -> None:
    caller = await auth.caller("openid-1")
    await bind(auth, caller)
    with pytest.raises(IdentityMismatch):
        await bind(auth, caller, "霍新名")
    auth.registry.people[NUMBER] = "霍新名"
    await bind(auth, caller, "霍新名")
    assert (await auth.realname.person_of(caller.citizen_id, ReadPurpose.OWN_RIGHTS)).name.reveal() == "霍新名"


async def test_when_the_registry_is_away_nothing_is_bound_and_it_may_be_tried_again(auth: Auth) -> None:
    caller = await auth.caller("openid-1")
    auth.registry.trouble = RegistryUnavailable(retry_after=5)
    for _ in range(10):  # More often than anybody may try: an outage is nobody's attempt.
        with pytest.raises(RegistryUnavailable):
            await bind(auth, caller)
    auth.registry.trouble = None
    await bind(auth, caller)


async def test_the_sixth_attempt_on_one_number_is_refused_whoever_makes_it(auth: Auth) -> None:
    for attempt in range(5):
        with pytest.raises(IdentityMismatch):
            await bind(auth, await auth.caller(f"openid-{attempt}"), "错名字")
    with pytest.raises(TooManyRequests) as caught:
        await bind(auth, await auth.caller("openid-6"))
    assert caught.value.extras.retry_after is not None
    assert caught.value.extras.retry_after > 60


async def test_the_sixth_attempt_of_one_account_is_refused_whatever_number_it_tries(auth: Auth) -> None:
    caller = await auth.caller("openid-1")
    for number in ("999999197806214551", "999999199502286280", "999999194910017247", OTHER_NUMBER, NUMBER):
        with pytest.raises(IdentityMismatch):
            await bind(auth, caller, "错名字", number)
    with pytest.raises(TooManyRequests):
        await bind(auth, caller, "谌欣然", "999999200407223666")


async def test_a_wiped_cache_gives_nobody_more_attempts(ground: Ground, auth: Auth) -> None:
    for attempt in range(5):
        with pytest.raises(IdentityMismatch):
            await bind(auth, await auth.caller(f"openid-{attempt}"), "错名字")
    fresh = Limits(CoreSettings(), clock=ground.clock)
    after = make_auth(replace(ground, limits=fresh), registry=auth.registry)
    with pytest.raises(TooManyRequests):
        await bind(after, await after.caller("openid-6"))
    assert auth.registry.questions == 5
    await fresh.close()


async def ledger_of(citizen_id: UUID) -> list[tuple[str, str, str]]:
    lines = await lines_of(citizen_id, before=None, limit=50)
    return [(line.action, line.actor_id, line.outcome) for line in lines if line.action.startswith("auth.identity")]


async def test_who_holds_a_number_reads_of_every_attempt_on_it(auth: Auth) -> None:
    holder = await auth.caller_named("openid-1", NAME, NUMBER)
    stranger = await auth.caller("openid-2")
    with pytest.raises(IdentityMismatch):
        await bind(auth, stranger, "错名字")
    with pytest.raises(AlreadyBound):
        await bind(auth, stranger)
    assert sorted(await ledger_of(holder.citizen_id)) == sorted(
        [
            ("auth.identity-bound", str(holder.citizen_id), "ok"),
            ("auth.identity-tried", str(stranger.citizen_id), "mismatch"),
            ("auth.identity-tried", str(stranger.citizen_id), "already-bound"),
        ]
    )
    assert sorted(await ledger_of(stranger.citizen_id)) == sorted(
        [
            ("auth.identity-bound", str(stranger.citizen_id), "mismatch"),
            ("auth.identity-bound", str(stranger.citizen_id), "already-bound"),
        ]
    )


async def test_an_attempt_writes_as_much_whether_anybody_holds_the_number_or_not(auth: Auth) -> None:
    await auth.caller_named("openid-1", NAME, NUMBER)
    written = []
    for openid, number in (("openid-2", NUMBER), ("openid-3", OTHER_NUMBER)):
        caller = await auth.caller(openid)
        before = len(await fetch("SELECT id FROM audit_line"))
        with pytest.raises(IdentityMismatch):
            await bind(auth, caller, "错名字", number)
        written.append(len(await fetch("SELECT id FROM audit_line")) - before)
    assert written == [2, 2]


async def test_a_slip_with_ones_own_number_is_nobody_elses_attempt(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", NAME, NUMBER)
    with pytest.raises(IdentityMismatch):
        await bind(auth, caller, "错名字")
    assert [action for action, _, _ in await ledger_of(caller.citizen_id)] == ["auth.identity-bound"] * 2


async def test_of_fifty_bindings_of_one_number_at_once_one_wins(ground: Ground) -> None:
    auth = make_auth(ground, AuthSettings(limits=AuthLimits(identity_number="100/hour")))
    auth.registry.people[NUMBER] = NAME
    callers = [await auth.caller(f"openid-{number}") for number in range(50)]
    results = await asyncio.gather(*(bind(auth, caller) for caller in callers), return_exceptions=True)
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, AlreadyBound) for result in results) == 49
    assert len(await fetch("SELECT id FROM citizen WHERE id_number_hash IS NOT NULL")) == 1


async def test_two_bindings_of_one_account_at_once_leave_one_person(ground: Ground) -> None:
    auth = make_auth(ground)
    auth.registry.people |= {NUMBER: NAME, OTHER_NUMBER: OTHER_NAME}
    caller = await auth.caller("openid-1")
    results = await asyncio.gather(
        bind(auth, caller), bind(auth, caller, OTHER_NAME, OTHER_NUMBER), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["IdentityFixed", "NoneType"]


async def test_a_binding_keeps_the_consent_and_a_line_without_values(auth: Auth) -> None:
    caller = await auth.caller("openid-1")
    await bind(auth, caller)
    await auth.consents.require(caller.citizen_id, "real-name")
    stored = repr([await fetch("SELECT * FROM citizen"), await fetch("SELECT * FROM audit_line")])
    for value in (NAME, NUMBER):
        assert value not in stored
        assert value.encode().hex() not in stored


async def test_somebody_without_wechat_gets_an_account_by_their_number(auth: Auth) -> None:
    name, number = PersonName.parse(NAME), IdNumber.parse(NUMBER)
    citizen_id = await auth.citizens.ensure_by_number(name, number)
    assert await auth.citizens.ensure_by_number(name, number) == citizen_id
    assert (await auth.realname.person_of(citizen_id, ReadPurpose.OWN_RIGHTS)).name == name
    assert await fetch("SELECT id FROM wechat_account") == []
    grant = await auth.sessions.open(citizen_id, level=Level.PRESENT, device="")
    assert grant.citizen.level is Level.PRESENT


async def test_an_account_by_number_is_made_only_when_the_registry_agrees(auth: Auth) -> None:
    with pytest.raises(IdentityMismatch):
        await auth.citizens.ensure_by_number(PersonName.parse("错名字"), IdNumber.parse(NUMBER))
    assert not await auth.realname.agrees(PersonName.parse("错名字"), IdNumber.parse(NUMBER))
    assert await auth.realname.agrees(PersonName.parse(NAME), IdNumber.parse(NUMBER))
    assert await fetch("SELECT id FROM citizen") == []


async def test_ten_accounts_by_one_number_at_once_are_one(auth: Auth) -> None:
    name, number = PersonName.parse(NAME), IdNumber.parse(NUMBER)
    made = await asyncio.gather(*(auth.citizens.ensure_by_number(name, number) for _ in range(10)))
    assert len(set(made)) == 1


async def test_nobody_reads_a_person_for_nothing(auth: Auth) -> None:
    caller = await auth.caller_named("openid-purpose", NAME, NUMBER)
    for nothing in ("", "curiosity"):
        with pytest.raises(ValueError, match="not a valid ReadPurpose"):
            await auth.realname.person_of(caller.citizen_id, nothing)  # type: ignore[arg-type]


async def test_a_reading_for_somebody_else_is_in_the_ledger_with_its_purpose(auth: Auth) -> None:
    caller = await auth.caller_named("openid-purpose", NAME, NUMBER)
    sql = "SELECT actor_kind, purpose, field_names FROM audit_line WHERE action = 'auth.person-read'"
    await auth.realname.person_of(caller.citizen_id, ReadPurpose.CORRECTION, reader=caller.actor)
    assert await fetch(sql) == []
    await auth.realname.person_of(caller.citizen_id, ReadPurpose.CORRECTION, reader=Actor.operator(UUID(int=9)))
    [line] = await fetch(sql)
    assert (line["actor_kind"], line["purpose"]) == ("operator", "correction")
    assert as_json(line["field_names"]) == ["name", "id_number"]
