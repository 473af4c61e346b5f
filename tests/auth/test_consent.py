"""Consents: given in the transaction they are for, asked for, taken back."""

import asyncio

import pytest

from auth.errors import ConsentRequired
from core.db import OutsideTransaction, fetch, transaction
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
    assert await auth.consents.withdraw(caller.citizen_id, "face")
    with pytest.raises(ConsentRequired):
        await auth.consents.require(citizen_id, "face")
    assert not await auth.consents.withdraw(caller.citizen_id, "face")
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
    for consent in ("face@2", "unheard-of@1", ""):
        with pytest.raises(ConsentRequired):
            await give(auth, consent)
    with pytest.raises(ConsentRequired):
        auth.consents.check("real-name@1", purpose="face")
    auth.consents.check("face@1", purpose="face")


async def test_a_consent_is_given_in_the_transaction_of_what_rests_on_it(auth: Auth) -> None:
    with pytest.raises(OutsideTransaction):
        await auth.consents.give((await auth.caller()).citizen_id, "face@1")
