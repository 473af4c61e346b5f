"""Checking codes: each works once, late ones do not, and the holder reads of every try."""

import asyncio
import string
from collections import Counter
from datetime import timedelta
from random import Random
from uuid import uuid4

import pytest

from certificates.types import Outcome, State, Verifier
from certificates.verification import Verification
from core.cache import CacheUnavailable, Limits, TooManyRequests
from core.db import as_json, execute, fetch, transaction
from core.settings import CoreSettings
from tests.certificates.conftest import Hall
from tests.fakes.certificates import LICENCE, issued

SHOP = Verifier(uuid4(), "示例租车")


async def test_a_code_works_once(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    outcomes = [(await hall.verification.verify(code)).outcome for _ in range(3)]
    assert outcomes == [Outcome.OK, Outcome.USED, Outcome.USED]


async def test_of_two_hundred_scans_at_once_one_is_good(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    answers = await asyncio.gather(*(hall.verification.verify(code) for _ in range(200)))
    assert Counter(each.outcome for each in answers) == {Outcome.OK: 1, Outcome.USED: 199}
    told = Counter(line.outcome for line in await hall.ledger() if line.action == "certificates.verified")
    assert told == {"ok": 1, "used": 199}


async def test_the_database_itself_refuses_a_second_use(hall: Hall) -> None:
    view = await hall.held()
    await hall.verification.verify((await hall.shown(view.id)).code)

    async def use_again() -> None:
        await execute("UPDATE certificate_presentation SET used_at = NULL")

    with pytest.raises(Exception, match="used once"):
        await transaction(use_again)


@pytest.mark.parametrize(("seconds", "outcome"), [(59, Outcome.OK), (60, Outcome.EXPIRED), (61, Outcome.EXPIRED)])
async def test_a_code_lives_for_less_than_a_minute(hall: Hall, seconds: int, outcome: Outcome) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    hall.ground.clock.move(timedelta(seconds=seconds))
    assert (await hall.verification.verify(code)).outcome is outcome


async def test_the_next_code_ends_the_one_before(hall: Hall) -> None:
    view = await hall.held()
    first = (await hall.shown(view.id)).code
    hall.ground.clock.move(timedelta(seconds=30))
    second = (await hall.shown(view.id)).code
    assert (await hall.verification.verify(first)).outcome is Outcome.EXPIRED
    assert (await hall.verification.verify(second)).outcome is Outcome.OK


async def test_strangers_learn_validity_and_a_masked_name(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id, claims=["age>=18"])).code
    verified = await hall.verification.verify(code)
    assert dict(verified.fields) == {
        "name": "霍**",
        "state": "active",
        "valid_until": "2034-05-16",
        "colour": "black",
    }
    assert verified.kind == "driving-licence"
    assert "霍" not in repr(verified)


async def test_the_holder_is_told_of_every_scan_that_used_or_tried_a_code(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    for scanned in (code, code, "A" * 22):  # Used, tried again, and one that never was.
        await hall.verification.verify(scanned)
    rows = await fetch("SELECT payload FROM job WHERE name = 'notices.tell' ORDER BY created_at, id")
    told = [as_json(row["payload"]) for row in rows]
    assert [payload["event"] for payload in told] == ["certificates.shown", "certificates.scan-failed"]
    assert {payload["citizen_id"] for payload in told} == {str(hall.me.citizen_id)}
    assert told[0]["certificate"] == "驾驶证"


async def test_a_registered_verifier_learns_what_the_holder_agreed_to(hall: Hall) -> None:
    view = await hall.held()
    claims = ["age>=18", "age>=65", "licence-covers=C2"]
    code = (await hall.shown(view.id, fields=["number"], claims=claims)).code
    verified = await hall.verification.verify(code, verifier=SHOP, purpose="租车")
    told = dict(verified.fields)
    assert told.pop("number") == LICENCE["number"]
    assert [told.pop(claim) for claim in claims] == [True, False, True]
    assert set(told) == {"name", "state", "valid_until", "colour"}


async def test_a_code_that_never_was_is_unknown(hall: Hall) -> None:
    verified = await hall.verification.verify("A" * 22)
    assert (verified.outcome, verified.kind, dict(verified.fields)) == (Outcome.UNKNOWN, None, {})
    assert verified.holder_notified is False


@pytest.mark.parametrize(
    "code", ["", "A" * 21, "A" * 23, "A" * 5000, "https://example.org/x", "霍" * 22, "A" * 21 + "\n"]
)
async def test_what_is_no_code_is_unreadable(hall: Hall, code: str) -> None:
    assert (await hall.verification.verify(code)).outcome is Outcome.UNREADABLE


async def test_no_mutation_of_a_code_is_taken_for_it(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    random = Random(code)
    for _ in range(300):
        place = random.randrange(len(code))
        letter = random.choice(string.printable.replace(code[place], ""))
        mutated = random.choice(
            [
                code[:place] + letter + code[place + 1 :],
                code[:place] + code[place + 1 :],
                code[:place] + letter + code[place:],
            ]
        )
        outcome = (await hall.verification.verify(mutated)).outcome
        assert outcome in {Outcome.UNKNOWN, Outcome.UNREADABLE}
    assert (await hall.verification.verify(code)).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (State.FROZEN, Outcome.FROZEN),
        (State.REVOKED, Outcome.REVOKED),
        (State.CANCELLED, Outcome.REVOKED),
        (State.MOVED, Outcome.REVOKED),
        (State.EXPIRED, Outcome.EXPIRED),
    ],
)
async def test_a_change_between_showing_and_scanning_is_seen(hall: Hall, state: State, outcome: Outcome) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    await hall.held(issued(state=state, version=2))
    verified = await hall.verification.verify(code)
    assert (verified.outcome, verified.fields["state"]) == (outcome, state.value)


async def test_a_certificate_that_is_gone_counts_as_revoked(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code

    async def remove() -> None:
        await execute("DELETE FROM certificate")

    await transaction(remove)
    verified = await hall.verification.verify(code)
    assert (verified.outcome, verified.kind) == (Outcome.REVOKED, None)


async def test_the_holder_reads_of_every_scan(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    late = (await hall.shown((await hall.held()).id)).code
    await hall.verification.verify(late, verifier=SHOP, purpose="租车")
    await hall.verification.verify(late, purpose="再看一次")
    await hall.verification.verify(code)
    lines = [line for line in await hall.ledger() if line.action == "certificates.verified"]
    assert [(line.outcome, line.purpose, line.actor_kind) for line in lines] == [
        ("expired", "", "nobody"),
        ("used", "再看一次", "nobody"),
        ("ok", "租车", "verifier"),
    ]
    assert {line.object_kind for line in lines} == {"driving-licence"}
    assert lines[2].actor_id == str(SHOP.id)
    assert "number" in lines[2].field_names
    assert lines[0].field_names == ()


async def test_every_answer_says_whether_the_holder_was_told(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    told = [(await hall.verification.verify(each)).holder_notified for each in (code, code, "A" * 22, "?")]
    assert told == [True, True, False, False]


async def test_a_code_ends_with_the_session_that_shows_it(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    hall.sessions.ended.add(hall.me.session_id)
    answers = [await hall.verification.verify(code) for _ in range(2)]
    assert [(each.outcome, each.kind, each.holder_notified) for each in answers] == [(Outcome.EXPIRED, None, True)] * 2
    assert await fetch("SELECT id FROM certificate_presentation WHERE used_at IS NOT NULL") == []


async def test_a_code_that_was_used_before_the_logout_is_told_as_used(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    await hall.verification.verify(code)
    hall.sessions.ended.add(hall.me.session_id)
    assert (await hall.verification.verify(code)).outcome is Outcome.USED


def _limited(hall: Hall, **limits: str) -> Verification:
    return Verification(
        kinds=hall.kinds,
        records=hall.records,
        sessions=hall.sessions,
        audit=hall.ground.audit,
        jobs=hall.ground.jobs,
        limits=hall.ground.limits,
        clock=hall.ground.clock,
        settings=hall.settings.model_copy(update=limits),
    )


async def test_an_address_may_not_scan_without_end(hall: Hall) -> None:
    verification = _limited(hall, verify_limit="2/hour")
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    for _ in range(2):
        await verification.verify(code, address="192.0.2.1")
    with pytest.raises(TooManyRequests):
        await verification.verify(code, address="192.0.2.1")
    assert (await verification.verify(code, address="192.0.2.2")).outcome is Outcome.USED


async def test_guessing_codes_ends_soon(hall: Hall) -> None:
    verification = _limited(hall, verify_failed_limit="3/hour")
    for _ in range(3):
        await verification.verify("B" * 22, address="192.0.2.3")
    with pytest.raises(TooManyRequests):
        await verification.verify("B" * 22, address="192.0.2.3")


async def test_strangers_are_not_answered_while_their_scans_cannot_be_counted(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    away = Limits(CoreSettings(redis_url="redis://127.0.0.1:1/0"), clock=hall.ground.clock)
    uncounted = Verification(
        kinds=hall.kinds,
        records=hall.records,
        sessions=hall.sessions,
        audit=hall.ground.audit,
        jobs=hall.ground.jobs,
        limits=away,
        clock=hall.ground.clock,
        settings=hall.settings,
    )
    with pytest.raises(CacheUnavailable):
        await uncounted.verify(code, address="192.0.2.4")
    assert (await uncounted.verify(code, verifier=SHOP)).outcome is Outcome.OK
    await away.close()


async def test_a_scan_leaves_no_code_behind(hall: Hall) -> None:
    view = await hall.held()
    code = (await hall.shown(view.id)).code
    await hall.verification.verify(code)
    assert code not in repr(
        [await fetch("SELECT * FROM audit_line"), await fetch("SELECT * FROM certificate_presentation")]
    )
