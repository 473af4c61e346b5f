"""Consents: given in the transaction they are for, asked for, taken back."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from auth.errors import ConsentNeeded, ConsentRequired, NoSuchConsent
from auth.texts.consents import IN_FORCE
from core.db import OutsideTransaction, as_uuid, fetch, fetch_one, transaction
from tests.fakes.auth import Auth


async def give(auth: Auth, consent: str = "face@1") -> None:
    citizen_id = (await auth.caller()).citizen_id
    await transaction(lambda: auth.consents.give(citizen_id, consent))


async def test_a_consent_stands_until_it_is_withdrawn_and_can_be_given_again(auth: Auth) -> None:
    caller = await auth.caller()
    citizen_id = caller.citizen_id
    with pytest.raises(ConsentRequired) as caught:
        await auth.consents.require(citizen_id, "face")
    assert caught.value.extras.members == {"consent": "face@1"}
    await give(auth)
    await auth.consents.require(citizen_id, "face")
    assert await auth.consents.withdraw(caller.citizen_id, "face@1")
    with pytest.raises(ConsentRequired):
        await auth.consents.require(citizen_id, "face")
    assert not await auth.consents.withdraw(caller.citizen_id, "face@1")
    await give(auth)
    await auth.consents.require(citizen_id, "face")


async def test_a_consent_is_to_one_purpose(auth: Auth) -> None:
    await give(auth, "real-name@1")
    citizen_id = (await auth.caller()).citizen_id
    with pytest.raises(ConsentRequired):
        await auth.consents.require(citizen_id, "face")
    with pytest.raises(ConsentRequired):
        await auth.consents.require(citizen_id, "unheard-of")


async def test_giving_twice_is_giving_once(auth: Auth) -> None:
    await auth.caller()
    await asyncio.gather(*(give(auth) for _ in range(5)))
    assert len(await fetch("SELECT id FROM consent")) == 1
    assert len(await fetch("SELECT id FROM audit_line WHERE action = 'auth.consent-given'")) == 1


async def test_only_a_text_in_force_can_be_agreed_to(auth: Auth) -> None:
    for consent, in_force in (("face@2", {"consent": "face@1"}), ("unheard-of@1", {}), ("", {})):
        with pytest.raises(NoSuchConsent) as caught:
            await give(auth, consent)
        assert caught.value.extras.members == in_force
    with pytest.raises(ConsentRequired):
        auth.consents.check("real-name@1", purpose="face")
    auth.consents.check("face@1", purpose="face")


async def test_a_consent_is_given_in_the_transaction_of_what_rests_on_it(auth: Auth) -> None:
    with pytest.raises(OutsideTransaction):
        await auth.consents.give((await auth.caller()).citizen_id, "face@1")


async def test_a_consent_proves_which_words_were_agreed_to_and_by_whom(auth: Auth) -> None:
    caller = await auth.caller()
    guardian = await auth.caller("openid-guardian")
    await auth.consents.agree(caller, "face@1")
    await auth.consents.agree(replace(caller, actor_id=guardian.citizen_id), "delegation@1")
    rows = await fetch("SELECT purpose, version, text_hash, channel, given_by, request_id FROM consent ORDER BY id")
    assert [row["text_hash"] for row in rows] == [IN_FORCE["face"].sha256, IN_FORCE["delegation"].sha256]
    assert rows[0]["given_by"] is None
    assert as_uuid(rows[1]["given_by"]) == guardian.citizen_id
    listed = await auth.consents.list_given(caller)
    assert [(view.purpose, view.given_by_guardian) for view in listed] == [("delegation", True), ("face", False)]
    line = await fetch_one("SELECT actor_id, on_behalf_of FROM audit_line WHERE object_id = 'delegation@1'")
    assert line is not None
    assert line["actor_id"] == str(guardian.citizen_id)
    assert as_uuid(line["on_behalf_of"]) == caller.citizen_id


async def test_a_withdrawn_consent_stays_as_history_and_a_new_one_begins(auth: Auth) -> None:
    caller = await auth.caller()
    first, is_new = await auth.consents.agree(caller, "face@1")
    assert is_new
    again, is_new = await auth.consents.agree(caller, "face@1")
    assert (again, is_new) == (first, False)
    auth.ground.clock.move(timedelta(hours=1))
    assert await auth.consents.withdraw(caller.citizen_id, "face@1")
    assert not await auth.consents.withdraw(caller.citizen_id, "face@1")
    second, _ = await auth.consents.agree(caller, "face@1")
    assert second.id != first.id
    listed = await auth.consents.list_given(caller)
    assert [(view.id, view.withdrawn_at is None) for view in listed] == [(second.id, True), (first.id, False)]
    assert [view.id for view in await auth.consents.list_given(caller, before=second.id)] == [first.id]


async def test_what_the_account_rests_on_is_withdrawn_by_closing_it(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", "霍明哲", "999999198503122179")
    with pytest.raises(ConsentNeeded) as caught:
        await auth.consents.withdraw(caller.citizen_id, "real-name@1")
    [way] = caught.value.extras.alternatives
    assert (way.method, way.start) == ("closure", "/v1/citizen/closures")
    await auth.consents.require(caller.citizen_id, "real-name")
    # Who never agreed has nothing to withdraw, and learns no more.
    assert not await auth.consents.withdraw((await auth.caller("openid-2")).citizen_id, "real-name")


async def test_many_withdrawals_at_once_are_one(auth: Auth) -> None:
    caller = await auth.caller()
    await auth.consents.agree(caller, "face@1")
    outcomes = await asyncio.gather(*(auth.consents.withdraw(caller.citizen_id, "face@1") for _ in range(5)))
    assert outcomes.count(True) == 1
    assert len(await fetch("SELECT id FROM audit_line WHERE action = 'auth.consent-withdrawn'")) == 1
