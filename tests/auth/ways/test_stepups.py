"""Step-ups: a session is raised once, by whoever proves to be there; wrong codes and outages have their bounds."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from auth.errors import ConsentRequired
from auth.types import Caller, Level
from auth.ways.attempts import Allowance
from auth.ways.errors import (
    CardNumberInvalid,
    CheckDecided,
    CheckExpired,
    CheckInProgress,
    CodeRequired,
    MobileInvalid,
    NoSuchCheck,
    WayLocked,
    WayNotOffered,
    WayRefused,
    WayUnavailable,
)
from auth.ways.settings import GivesSettings, WaySettings
from auth.ways.types import CheckResult, Method, Outcome, Reason, StartedCheck, State
from core.audit.ledger import lines_of
from core.db import execute, fetch, fetch_one, transaction
from tests.auth.ways.people import CARD, ELDER_NAME, ELDER_NUMBER, MOBILE, NAME, NUMBER
from tests.conftest import Ground
from tests.fakes.ways import Ways, make_ways


async def card_check(ways: Ways, caller: Caller) -> StartedCheck:
    return await ways.step_up(caller, Method.BANK_CARD, mobile=MOBILE, card_number=CARD)


async def level_of(ways: Ways, caller: Caller) -> Level:
    token = ways.auth.tokens.issue(caller.citizen_id, caller.session_id)
    return (await ways.auth.sessions.caller_of(token)).level


def enter_password(ways: Ways, check: StartedCheck, name: str = NAME, number: str = NUMBER) -> None:
    ways.payment.opened_by[str(check.prompt.ticket)] = (name, number)


async def actions_of(citizen_id: UUID) -> list[tuple[str, str]]:
    lines = await lines_of(citizen_id, before=None, limit=100)
    return [(line.action, line.outcome) for line in lines if line.action.startswith(("auth.way", "auth.level"))]


async def test_a_password_entered_elsewhere_raises_the_session_at_once(ways: Ways, caller: Caller) -> None:
    check = await ways.step_up(caller)
    assert check.prompt.kind == "open"
    assert (check.attempts_left, check.codes_left) == (4, None)
    waiting = await ways.step_ups.submit_evidence(caller, check.id, None)
    assert (waiting.outcome, waiting.reason) == (Outcome.PENDING, None)
    assert await level_of(ways, caller) is Level.REAL_NAME
    enter_password(ways, check)
    passed = await ways.step_ups.submit_evidence(caller, check.id, None)
    # Given back: who is who they say does not run out.
    assert passed == CheckResult(Method.PAYMENT_PASSWORD, Outcome.PASSED, None, 5, None, elder=False)
    assert await level_of(ways, caller) is Level.PRESENT
    assert sorted(await actions_of(caller.citizen_id)) == [
        ("auth.level-raised", "present"),
        ("auth.way-passed", "ok"),
        ("auth.way-started", "ok"),
    ]


async def test_presence_lasts_as_long_as_after_a_face_check(ways: Ways, caller: Caller) -> None:
    check = await ways.step_up(caller)
    enter_password(ways, check)
    await ways.step_ups.submit_evidence(caller, check.id, None)
    ways.ground.clock.move(timedelta(minutes=10))
    assert await level_of(ways, caller) is Level.REAL_NAME


async def test_somebody_elses_password_ends_the_check(ways: Ways, caller: Caller) -> None:
    check = await ways.step_up(caller)
    enter_password(ways, check, "厉云齐", "999999199011053335")
    failed = await ways.step_ups.submit_evidence(caller, check.id, None)
    assert (failed.outcome, failed.reason, failed.attempts_left) == (Outcome.FAILED, Reason.NOT_PASSED, 4)
    with pytest.raises(CheckDecided):
        await ways.step_ups.submit_evidence(caller, check.id, None)
    assert await level_of(ways, caller) is Level.REAL_NAME


async def test_five_codes_may_be_tried_and_no_sixth(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    assert check.codes_left == 5
    seen = []
    for _ in range(5):
        result = await ways.step_ups.submit_evidence(caller, check.id, "000000")
        seen.append((result.reason, result.codes_left))
    wrong = Reason.CODE_WRONG
    assert seen == [(wrong, 4), (wrong, 3), (wrong, 2), (wrong, 1), (Reason.NO_CODES_LEFT, 0)]
    with pytest.raises(CheckDecided):
        await ways.step_ups.submit_evidence(caller, check.id, ways.card.code_of(check.id))
    assert ways.card.finished == 5


async def test_the_fifth_code_may_be_the_right_one(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    for _ in range(4):
        await ways.step_ups.submit_evidence(caller, check.id, "000000")
    result = await ways.step_ups.submit_evidence(caller, check.id, ways.card.code_of(check.id))
    assert result.outcome is Outcome.PASSED


async def test_of_twenty_right_codes_at_once_one_raises_the_session(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    code = ways.card.code_of(check.id)
    tries = [ways.step_ups.submit_evidence(caller, check.id, code) for _ in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    passed = [each for each in results if isinstance(each, CheckResult)]
    assert [each.outcome for each in passed] == [Outcome.PASSED]
    refused = [each for each in results if not isinstance(each, CheckResult)]
    assert all(isinstance(each, CheckDecided | CheckInProgress) for each in refused)
    raised = [line for line in await actions_of(caller.citizen_id) if line[0] == "auth.level-raised"]
    assert len(raised) == 1


async def test_twenty_wrong_codes_at_once_are_no_more_than_five(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    for _ in range(3):
        tries = [ways.step_ups.submit_evidence(caller, check.id, "000000") for _ in range(20)]
        await asyncio.gather(*tries, return_exceptions=True)
    assert ways.card.finished <= 5


async def test_a_code_is_needed_where_one_was_sent_and_none_counts(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    with pytest.raises(CodeRequired):
        await ways.step_ups.submit_evidence(caller, check.id, None)
    result = await ways.step_ups.submit_evidence(caller, check.id, "000000")
    assert result.codes_left == 4


async def test_an_outage_at_the_start_is_nobodys_attempt(ways: Ways, caller: Caller) -> None:
    ways.payment.trouble = WayUnavailable(retry_after=7)
    for _ in range(6):
        with pytest.raises(WayUnavailable) as caught:
            await ways.step_up(caller)
    assert caught.value.extras.retry_after == 7
    assert next(way.method for way in caught.value.extras.alternatives) == "face"
    ways.payment.trouble = None
    assert (await ways.step_up(caller)).attempts_left == 4


async def test_an_outage_at_the_end_leaves_the_check_and_its_codes(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    ways.card.trouble = WayUnavailable()
    for _ in range(7):
        with pytest.raises(WayUnavailable):
            await ways.step_ups.submit_evidence(caller, check.id, "000000")
    ways.card.trouble = None
    result = await ways.step_ups.submit_evidence(caller, check.id, "000000")
    assert (result.reason, result.codes_left) == (Reason.CODE_WRONG, 4)


async def test_a_final_no_of_the_provider_ends_the_check(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    ways.card.trouble = WayRefused()
    with pytest.raises(WayRefused) as caught:
        await ways.step_ups.submit_evidence(caller, check.id, "000000")
    assert "counter" in [way.method for way in caught.value.extras.alternatives]
    with pytest.raises(CheckDecided):
        await ways.step_ups.submit_evidence(caller, check.id, "000000")
    with pytest.raises(WayRefused):
        await card_check(ways, caller)
    assert [view.reason for view in await ways.step_ups.list_checks(caller)] == [Reason.REFUSED, Reason.REFUSED]


async def test_a_method_that_is_used_up_leaves_the_others_open(ways: Ways, caller: Caller) -> None:
    for _ in range(5):
        await ways.step_up(caller)
    with pytest.raises(WayLocked) as caught:
        await ways.step_up(caller)
    assert caught.value.extras.retry_after == 6 * 3600
    assert [way.method for way in caught.value.extras.alternatives][:2] == ["face", "bank-card"]
    assert (await ways.step_up(caller, Method.NETWORK_ID)).attempts_left == 4
    ways.ground.clock.move(timedelta(hours=6))
    assert (await ways.step_up(caller)).attempts_left == 4


async def test_of_twenty_starts_at_once_five_fit_in(ways: Ways, caller: Caller) -> None:
    results = await asyncio.gather(*(ways.step_up(caller) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(each, StartedCheck) for each in results) == 5
    assert sum(isinstance(each, WayLocked) for each in results) == 15


async def test_elders_have_more_attempts_and_more_time(ways: Ways) -> None:
    ways.know(ELDER_NAME, ELDER_NUMBER, "19900000006")
    elder = await ways.auth.caller_named("openid-elder", ELDER_NAME, ELDER_NUMBER)
    check = await ways.step_up(elder)
    assert check.attempts_left == 7
    assert check.expires_at == ways.ground.clock.now() + timedelta(seconds=600)


async def test_what_was_claimed_is_wiped_with_the_outcome(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    sql = "SELECT claim_sealed, reference_sealed FROM way_check WHERE id = $1"
    before = await fetch_one(sql, check.id)
    assert before
    assert all(before.values())
    await ways.step_ups.submit_evidence(caller, check.id, ways.card.code_of(check.id))
    assert await fetch_one(sql, check.id) == {"claim_sealed": None, "reference_sealed": None}


async def test_what_was_claimed_is_wiped_when_nobody_came_back(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    assert await ways.tidying.tidy() == 0
    ways.ground.clock.move(timedelta(seconds=301))
    assert await ways.tidying.tidy() == 1
    with pytest.raises(CheckExpired):
        await ways.step_ups.submit_evidence(caller, check.id, ways.card.code_of(check.id))
    [view] = await ways.step_ups.list_checks(caller)
    assert view.state is State.EXPIRED
    ways.ground.clock.move(timedelta(days=91))
    await ways.tidying.tidy()
    assert await ways.step_ups.list_checks(caller) == []


async def test_a_check_belongs_to_one_person_and_one_session(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    same_person = await ways.auth.caller("openid-1")
    other = await ways.auth.caller_named("openid-2", "厉云齐", "999999199011053335")
    for stranger in (same_person, other):
        with pytest.raises(NoSuchCheck):
            await ways.step_ups.submit_evidence(stranger, check.id, ways.card.code_of(check.id))
    assert not await ways.step_ups.revoke(other, check.id)
    with pytest.raises(NoSuchCheck):
        await ways.step_ups.submit_evidence(caller, UUID(int=7), "000000")


async def test_a_check_that_is_given_up_cannot_be_passed(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    assert await ways.step_ups.revoke(caller, check.id)
    assert not await ways.step_ups.revoke(caller, check.id)
    with pytest.raises(CheckDecided):
        await ways.step_ups.submit_evidence(caller, check.id, ways.card.code_of(check.id))
    [view] = await ways.step_ups.list_checks(caller)
    assert (view.state, view.reason, view.decided_at) == (State.REVOKED, Reason.REVOKED, ways.ground.clock.now())


async def test_the_history_comes_in_pages_newest_first(ways: Ways, caller: Caller) -> None:
    made = []
    for _ in range(3):
        made.append((await ways.step_up(caller)).id)
        ways.ground.clock.move(timedelta(seconds=1))
    first = await ways.step_ups.list_checks(caller, limit=2)
    rest = await ways.step_ups.list_checks(caller, before=(first[-1].started_at, first[-1].id), limit=2)
    assert [view.id for view in (*first, *rest)] == made[::-1]


async def test_a_look_whose_process_died_does_not_keep_the_check_for_ever(ways: Ways, caller: Caller) -> None:
    check = await card_check(ways, caller)
    now = ways.ground.clock.now()
    sql = "UPDATE way_check SET state = 'judging', takes = 1, tries = 1, taken_at = $2 WHERE id = $1"
    await transaction(lambda: execute(sql, check.id, now))
    with pytest.raises(CheckInProgress):
        await ways.step_ups.submit_evidence(caller, check.id, ways.card.code_of(check.id))
    ways.ground.clock.move(timedelta(seconds=31))
    result = await ways.step_ups.submit_evidence(caller, check.id, ways.card.code_of(check.id))
    assert (result.outcome, result.codes_left) == (Outcome.PASSED, 3)


async def test_an_ended_session_is_not_raised_and_the_check_stays_as_it_was(ways: Ways, caller: Caller) -> None:
    check = await ways.step_up(caller)
    enter_password(ways, check)
    await ways.auth.logout.of(caller, caller.session_id)
    with pytest.raises(Exception, match="token-invalid"):
        await ways.step_ups.submit_evidence(caller, check.id, None)
    [row] = await fetch("SELECT state, outcome FROM way_check")
    assert row == {"state": "open", "outcome": ""}


async def test_the_consent_is_that_to_the_real_name(ways: Ways, caller: Caller) -> None:
    # As after a new text came into force.
    await execute("DELETE FROM consent WHERE citizen_id = $1 AND purpose = 'real-name'", caller.citizen_id)
    with pytest.raises(ConsentRequired):
        await ways.step_up(caller)

    async def start(consent: str) -> None:
        await ways.step_ups.start(
            caller, Method.NETWORK_ID, consent=consent, mobile=None, card_number=None, address=ways.auth.address
        )

    with pytest.raises(ConsentRequired):
        await start("face@1")
    await start("real-name@1")
    await ways.auth.consents.require(caller.citizen_id, "real-name")


@pytest.mark.parametrize("card", ["", "123", "6299990000000000013", "6299 9900 0000 0000 01x"])
async def test_a_card_number_that_cannot_be_one_is_told_so(ways: Ways, caller: Caller, card: str) -> None:
    with pytest.raises(CardNumberInvalid) as caught:
        await ways.step_up(caller, Method.BANK_CARD, mobile=MOBILE, card_number=card)
    assert [error.pointer for error in caught.value.extras.errors] == ["/card_number"]
    assert ways.card.begun == []


async def test_a_card_number_may_be_typed_in_groups(ways: Ways, caller: Caller) -> None:
    await ways.step_up(caller, Method.BANK_CARD, mobile=MOBILE, card_number="6299 9900 0000 0000 012")
    [claim] = ways.card.begun
    assert claim.card_number is not None
    assert claim.card_number.reveal() == CARD


@pytest.mark.parametrize("mobile", [None, "", "12345678901", "1990000000１"])
async def test_a_mobile_is_needed_where_none_is_on_record(ways: Ways, caller: Caller, mobile: str | None) -> None:
    with pytest.raises(MobileInvalid):
        await ways.step_up(caller, Method.BANK_CARD, mobile=mobile, card_number=CARD)


async def test_a_code_alone_shows_nobody_present_unless_the_installation_says_so(ways: Ways, caller: Caller) -> None:
    with pytest.raises(WayNotOffered) as caught:
        await ways.step_up(caller, Method.SMS, mobile=MOBILE)
    assert "sms" not in [way.method for way in caught.value.extras.alternatives]
    assert ways.sender.sent == {}


async def test_a_code_goes_to_the_mobile_on_record(ground: Ground) -> None:
    ways = make_ways(ground, settings=WaySettings(sms_gives=GivesSettings(login="real_name", step_up="present")))
    ways.know(NAME, NUMBER, MOBILE)
    caller = await ways.auth.caller_named("openid-1", NAME, NUMBER)
    await ways.auth.citizens.set_mobile(caller, ways.auth.mini_program.mobile_code_for(MOBILE))
    check = await ways.step_up(caller, Method.SMS)
    assert check.prompt.sent_to == "199****0001"
    code = ways.sender.last_to(MOBILE)
    [row] = await fetch("SELECT * FROM way_check")
    assert code not in str(row)
    result = await ways.step_ups.submit_evidence(caller, check.id, f" {code} ")
    assert result.outcome is Outcome.PASSED
    assert await level_of(ways, caller) is Level.PRESENT


async def test_attempts_of_a_kind_are_forgotten_when_they_count_no_more(ways: Ways, caller: Caller) -> None:
    await ways.step_up(caller)
    await ways.tidying.tidy()
    assert len(await fetch("SELECT id FROM way_attempt")) == 2  # On the person, and on the account.
    ways.ground.clock.move(timedelta(hours=48))
    await ways.tidying.tidy()
    assert await fetch("SELECT id FROM way_attempt") == []
    assert await fetch("SELECT key FROM way_subject") == []


async def test_a_kind_counts_within_its_window_alone(ways: Ways) -> None:
    allowance = Allowance("anything", 2, timedelta(minutes=10))

    async def start() -> None:
        await transaction(lambda: ways.attempts.start(allowance, ("o:1",)))

    await start()
    ways.ground.clock.move(timedelta(minutes=4))
    await start()
    with pytest.raises(WayLocked) as caught:
        await start()
    assert caught.value.extras.retry_after == 6 * 60
    ways.ground.clock.move(timedelta(minutes=6))
    assert await ways.attempts.left(allowance, ("o:1",)) == 1
    await start()
