"""Logins where there is no WeChat: at the level of the method, once, and telling nobody who exists."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from auth.errors import AccountClosed, ConsentRequired, IdNumberInvalid, NameInvalid, RegistryUnavailable
from auth.types import Grant, Level, ReadPurpose
from auth.ways.errors import (
    CheckDecided,
    CheckExpired,
    CheckInProgress,
    MobileInvalid,
    NoSuchCheck,
    WayLocked,
    WayNotOffered,
    WayUnavailable,
)
from auth.ways.rules import told_as
from auth.ways.settings import GivesSettings, WaySettings
from auth.ways.types import CheckResult, Method, Outcome, Reason, StartedCheck
from core.audit.ledger import lines_of
from core.cache import TooManyRequests
from core.db import execute, fetch, transaction
from core.pii import IdNumber
from tests.auth.ways.people import (
    CARD,
    ELDER_NAME,
    ELDER_NUMBER,
    MOBILE,
    NAME,
    NUMBER,
    OTHER_NAME,
    UNKNOWN_NUMBER,
)
from tests.conftest import Ground
from tests.fakes.ways import OFFICER, Ways, make_ways


async def start(
    ways: Ways,
    method: Method = Method.SMS,
    name: str = NAME,
    number: str = NUMBER,
    *,
    mobile: str | None = MOBILE,
    consent: str = "real-name@1",
) -> StartedCheck:
    return await ways.login_checks.start(
        method,
        name=name,
        id_number=number,
        consent=consent,
        mobile=mobile,
        card_number=CARD,
        address=ways.auth.address,
    )


async def send(ways: Ways, check: StartedCheck, code: str | None) -> tuple[CheckResult, Grant | None]:
    return await ways.login_checks.submit_evidence(check.id, code, device="", address=ways.auth.address)


async def evidence_of(ways: Ways, check: StartedCheck, name: str = NAME, number: str = NUMBER) -> str | None:
    """Do what the method asks of whoever is there; return the code, where there is one."""
    match check.method:
        case Method.SMS:
            return ways.sender.last_to(MOBILE)
        case Method.BANK_CARD:
            return ways.card.code_of(check.id)
        case Method.COUNTER:
            await ways.counter.confirm(OFFICER, str(check.prompt.code), name=name, id_number=number)
    way = ways.payment if check.method is Method.PAYMENT_PASSWORD else ways.network
    way.opened_by[str(check.prompt.ticket)] = (name, number)
    return None


@pytest.mark.parametrize(
    ("method", "level"),
    [
        (Method.SMS, Level.REAL_NAME),
        (Method.BANK_CARD, Level.PRESENT),
        (Method.PAYMENT_PASSWORD, Level.PRESENT),
        (Method.NETWORK_ID, Level.PRESENT),
        (Method.COUNTER, Level.PRESENT),
    ],
)
async def test_every_method_opens_a_session_at_what_it_is_worth(ways: Ways, method: Method, level: Level) -> None:
    check = await start(ways, method)
    result, grant = await send(ways, check, await evidence_of(ways, check))
    assert result.outcome is Outcome.PASSED
    assert grant is not None
    caller = await ways.auth.sessions.caller_of(grant.access_token)
    assert (caller.level, caller.operator_id) == (level, None)
    await ways.auth.consents.require(caller.citizen_id, "real-name")
    person = await ways.auth.realname.person_of(caller.citizen_id, ReadPurpose.OWN_RIGHTS)
    assert person.id_number.reveal() == NUMBER


async def test_whoever_has_an_account_comes_back_to_it(ways: Ways) -> None:
    mine = await ways.auth.caller_named("openid-1", NAME, NUMBER)
    check = await start(ways)
    _, grant = await send(ways, check, await evidence_of(ways, check))
    assert grant is not None
    assert grant.citizen.id == mine.citizen_id


async def test_the_policy_is_the_installations(ground: Ground) -> None:
    settings = WaySettings(sms_gives=GivesSettings(login="nothing"), bank_card_gives=GivesSettings(login="real_name"))
    ways = make_ways(ground, settings=settings)
    ways.know(NAME, NUMBER, MOBILE)
    with pytest.raises(WayNotOffered) as caught:
        await start(ways)
    assert "sms" not in [way.method for way in caught.value.extras.alternatives]
    check = await start(ways, Method.BANK_CARD)
    _, grant = await send(ways, check, await evidence_of(ways, check))
    assert grant is not None
    assert grant.citizen.level is Level.REAL_NAME


async def told(ways: Ways, name: str, number: str) -> list[object]:
    """Everything that somebody at the keyboard sees, from the start to the last wrong code, without ids and times."""
    check = await start(ways, name=name, number=number)
    seen: list[object] = [
        (check.method, check.attempts_left, check.codes_left, check.prompt, check.elder),
        check.expires_at - ways.ground.clock.now(),
    ]
    return seen + [await send(ways, check, code) for code in ("wrong-1", "wrong-2")]


@pytest.mark.parametrize(("name", "number"), [(NAME, UNKNOWN_NUMBER), (OTHER_NAME, NUMBER)])
async def test_people_nobody_knows_are_answered_alike_and_leave_as_much(ground: Ground, name: str, number: str) -> None:
    ways = make_ways(ground)
    ways.know(NAME, NUMBER, MOBILE)

    async def rows() -> list[int]:
        checks = await fetch("SELECT id FROM way_check")
        attempts = await fetch("SELECT id FROM way_attempt")
        return [len(checks), len(attempts), len(await fetch("SELECT id FROM audit_line"))]

    known = await told(ways, NAME, NUMBER)
    after_known = await rows()
    questions = (len(ways.sender.sent[MOBILE]), ways.register.questions, ways.auth.registry.questions)
    # Past the window, so that the same number is not one attempt poorer.
    ways.ground.clock.move(timedelta(hours=6))
    unknown = await told(ways, name, number)
    after_unknown = await rows()
    assert [2 * count for count in after_known] == after_unknown
    assert [2 * count for count in questions] == [
        len(ways.sender.sent[MOBILE]),
        ways.register.questions,
        ways.auth.registry.questions,
    ]
    assert known == unknown


@pytest.mark.parametrize("method", [Method.SMS, Method.BANK_CARD, Method.PAYMENT_PASSWORD, Method.NETWORK_ID])
async def test_nobody_comes_in_as_somebody_whom_nobody_knows(ways: Ways, method: Method) -> None:
    check = await start(ways, method, number=UNKNOWN_NUMBER)
    result, grant = await send(ways, check, await evidence_of(ways, check, NAME, UNKNOWN_NUMBER))
    assert result.outcome is Outcome.FAILED
    assert result.reason in {Reason.NOT_PASSED, Reason.CODE_WRONG}
    assert grant is None
    assert await fetch("SELECT id FROM citizen") == []


async def test_whom_the_population_registry_does_not_know_does_not_come_in(ways: Ways) -> None:
    del ways.auth.registry.people[NUMBER]
    check = await start(ways)
    result, grant = await send(ways, check, await evidence_of(ways, check))
    assert (result.outcome, result.reason, grant) == (Outcome.FAILED, Reason.NOT_PASSED, None)


async def test_a_registry_that_is_away_leaves_the_check_and_the_code(ways: Ways) -> None:
    check = await start(ways)
    code = await evidence_of(ways, check)
    ways.auth.registry.trouble = RegistryUnavailable(retry_after=2)
    for _ in range(6):
        with pytest.raises(RegistryUnavailable):
            await send(ways, check, code)
    ways.auth.registry.trouble = None
    assert (await send(ways, check, code))[1] is not None


async def test_a_closed_account_is_told_to_whoever_proves_to_be_its_owner(ways: Ways) -> None:
    mine = await ways.auth.caller_named("openid-1", NAME, NUMBER)
    await transaction(lambda: execute("UPDATE citizen SET state = 'closed' WHERE id = $1", mine.citizen_id))
    check = await start(ways)
    with pytest.raises(AccountClosed):
        await send(ways, check, await evidence_of(ways, check))
    assert (await send(ways, check, "000000"))[0].reason is Reason.CODE_WRONG


async def test_of_twenty_right_codes_at_once_one_opens_a_session(ways: Ways) -> None:
    check = await start(ways)
    code = await evidence_of(ways, check)
    results = await asyncio.gather(*(send(ways, check, code) for _ in range(20)), return_exceptions=True)
    opened = [each for each in results if isinstance(each, tuple)]
    assert [result.outcome for result, _ in opened] == [Outcome.PASSED]
    assert all(isinstance(each, CheckDecided | CheckInProgress) for each in results if not isinstance(each, tuple))
    assert len(await fetch("SELECT id FROM citizen_session")) == 1


async def test_attempts_count_on_the_person_whoever_makes_them(ways: Ways) -> None:
    mine = await ways.auth.caller_named("openid-1", NAME, NUMBER)
    for number in range(5):
        ways.auth.address = f"192.0.2.{number}"
        await start(ways, Method.PAYMENT_PASSWORD)
    with pytest.raises(WayLocked):
        await start(ways, Method.PAYMENT_PASSWORD)
    with pytest.raises(WayLocked):
        await ways.step_up(mine, Method.PAYMENT_PASSWORD)
    assert (await start(ways, Method.COUNTER)).attempts_left == 4
    tried = [
        line for line in await lines_of(mine.citizen_id, before=None, limit=50) if line.action == "auth.way-started"
    ]
    assert {line.actor_kind for line in tried} == {"nobody"}


async def test_the_ledger_does_not_tell_what_collects_the_session(ways: Ways) -> None:
    """Whoever has a check's id gets what it gives: auditors, who read every line, must not."""
    await ways.auth.caller_named("openid-1", NAME, NUMBER)
    check = await start(ways, Method.PAYMENT_PASSWORD)
    rows = await fetch("SELECT * FROM audit_line")
    assert str(told_as(check.id)) in {row["object_id"] for row in rows}
    assert str(check.id) not in repr(rows)
    assert check.id.hex not in repr(rows)


async def test_time_and_attempts_follow_the_birth_date_in_the_number(ways: Ways) -> None:
    check = await start(ways, Method.PAYMENT_PASSWORD, ELDER_NAME, ELDER_NUMBER)
    assert (check.attempts_left, check.elder) == (7, True)
    assert check.expires_at == ways.ground.clock.now() + timedelta(seconds=600)
    at_the_counter = await start(ways, Method.COUNTER)
    assert at_the_counter.expires_at == ways.ground.clock.now() + timedelta(seconds=1800)


async def test_one_mobile_gets_five_codes_an_hour_whoever_asks_for_them(ways: Ways) -> None:
    for _ in range(4):
        await start(ways)
    await start(ways, number=UNKNOWN_NUMBER)
    with pytest.raises(WayLocked):
        await start(ways, number=UNKNOWN_NUMBER)
    assert len(ways.sender.sent[MOBILE]) == 5
    # What was not sent is not an attempt either.
    ways.ground.clock.move(timedelta(hours=1))
    assert (await start(ways, number=UNKNOWN_NUMBER)).attempts_left == 3


async def test_messages_are_limited_by_address(ground: Ground) -> None:
    ways = make_ways(ground, settings=WaySettings(sms_address_limit="2/hour"))
    for last in range(2):
        await start(ways, mobile=f"1991234000{last}")
    with pytest.raises(TooManyRequests):
        await start(ways, mobile="19912340009")
    await start(ways, Method.PAYMENT_PASSWORD)
    ways.auth.address = "192.0.2.200"
    await start(ways, mobile="19912340009")


async def test_a_provider_that_is_away_counts_for_nothing(ways: Ways) -> None:
    ways.sender.trouble = WayUnavailable()
    for _ in range(7):
        with pytest.raises(WayUnavailable):
            await start(ways)
    ways.sender.trouble = None
    assert (await start(ways)).attempts_left == 4


async def test_a_form_knows_what_cannot_be(ways: Ways) -> None:
    with pytest.raises(IdNumberInvalid):
        await start(ways, number="999999198503122178")
    with pytest.raises(NameInvalid):
        await start(ways, name="12")
    with pytest.raises(MobileInvalid):
        await start(ways, mobile=None)
    with pytest.raises(ConsentRequired):
        await start(ways, consent="face@1")
    assert await fetch("SELECT id FROM way_check") == []


async def test_a_residents_own_check_opens_no_session_nor_the_other_way_round(ways: Ways) -> None:
    mine = await ways.auth.caller_named("openid-1", NAME, NUMBER)
    own, login = await ways.step_up(mine), await start(ways, Method.PAYMENT_PASSWORD)
    for check in (own, login):
        ways.payment.opened_by[str(check.prompt.ticket)] = (NAME, NUMBER)
    with pytest.raises(NoSuchCheck):
        await send(ways, own, None)
    with pytest.raises(NoSuchCheck):
        await ways.step_ups.submit_evidence(mine, login.id, None)
    with pytest.raises(NoSuchCheck):
        await ways.login_checks.submit_evidence(UUID(int=1), None, device="", address=ways.auth.address)


async def test_a_login_does_not_wait_for_ever(ways: Ways) -> None:
    check = await start(ways)
    code = await evidence_of(ways, check)
    ways.ground.clock.move(timedelta(seconds=300))
    with pytest.raises(CheckExpired):
        await send(ways, check, code)


async def test_the_pseudonym_is_all_that_is_kept_of_the_network_identity(ways: Ways) -> None:
    check = await start(ways, Method.NETWORK_ID)
    assert (await send(ways, check, await evidence_of(ways, check)))[1] is not None
    [row] = await fetch("SELECT claim_sealed, reference_sealed, outcome FROM way_check")
    assert row == {"claim_sealed": None, "reference_sealed": None, "outcome": "passed"}
    assert await ways.auth.realname.find_citizen(IdNumber.parse(NUMBER)) is not None
