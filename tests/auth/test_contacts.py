"""How residents can be reached, and what they are told of their account."""

from datetime import timedelta
from typing import Any

import pytest

from auth.errors import IdentityMismatch
from auth.types import Level
from core.audit.actors import SYSTEM
from core.db import as_json, fetch, transaction
from core.pii import IdNumber, Secret
from tests.fakes.auth import Auth

NAME, NUMBER = "霍明哲", "999999198503122179"
PHONE, OTHER_PHONE = "a-phone-0123456789", "another-phone-0123456789"


async def told() -> list[dict[str, Any]]:
    rows = await fetch("SELECT payload FROM job WHERE name = 'notices.tell' ORDER BY created_at, id")
    return [as_json(row["payload"]) for row in rows]


async def test_somebody_is_reached_by_mobile_and_the_account_bound_last(auth: Auth) -> None:
    me = await auth.caller_named("openid-1", NAME, NUMBER)
    await auth.citizens.set_mobile(me, auth.mini_program.mobile_code_for("19900000001"))
    contact = await auth.contacts.find(me.citizen_id)
    assert contact is not None
    assert (contact.name, str(contact.mobile), contact.elder) == ("霍**", "199****0001", False)
    assert [account.openid.reveal() for account in contact.accounts] == ["openid-1"]
    assert "openid-1" not in repr(contact)
    assert await auth.contacts.find_account(Secret("openid-1")) == contact.accounts[0].account_id
    assert await auth.contacts.find_account(Secret("openid-2")) is None


async def test_the_dead_and_strangers_are_not_reached(auth: Auth) -> None:
    me = await auth.caller_named("openid-1", NAME, NUMBER)
    await auth.deaths.record(IdNumber(NUMBER), actor=SYSTEM)
    assert await auth.contacts.find(me.citizen_id) is None
    assert await auth.contacts.find(auth.ground.ids.uuid()) is None


async def test_a_login_on_a_new_device_is_told_and_on_a_known_one_is_not(auth: Auth) -> None:
    grant = await auth.log_in("openid-1", device=PHONE)
    caller = await auth.sessions.caller_of(grant.access_token)
    auth.registry.people[NUMBER] = NAME
    await auth.realname.bind(caller, name=NAME, id_number=NUMBER, consent="real-name@1")
    await auth.log_in("openid-1", device=PHONE)
    assert await told() == []
    new = await auth.log_in("openid-1", device=OTHER_PHONE)
    [payload] = await told()
    assert payload == {
        "event": "auth.new-device",
        "citizen_id": str(caller.citizen_id),
        "object_id": str(new.session_id),
    }
    auth.ground.clock.move(timedelta(days=1))
    await auth.log_in("openid-1", device=OTHER_PHONE)
    assert len(await told()) == 1


async def test_leaving_the_devices_mark_out_does_not_go_unseen(auth: Auth) -> None:
    grant = await auth.log_in("openid-1", device=PHONE)
    caller = await auth.sessions.caller_of(grant.access_token)
    auth.registry.people[NUMBER] = NAME
    await auth.realname.bind(caller, name=NAME, id_number=NUMBER, consent="real-name@1")
    await auth.sessions.open(caller.citizen_id, level=Level.PRESENT, device="")
    assert [payload["event"] for payload in await told()] == ["auth.new-device"]


async def test_somebody_without_a_name_is_not_told_of_devices(auth: Auth) -> None:
    for device in (PHONE, OTHER_PHONE):
        await auth.log_in("openid-1", device=device)
    assert await told() == []


async def test_the_holder_is_told_that_their_number_was_tried_and_the_promise_looks_the_same_for_nobody(
    auth: Auth,
) -> None:
    holder = await auth.caller_named("openid-1", NAME, NUMBER)
    stranger = await auth.caller("openid-2")
    for number in (NUMBER, "999999197806214551"):
        with pytest.raises(IdentityMismatch):
            await auth.realname.bind(stranger, name="王小明", id_number=number, consent="real-name@1")
    assert await told() == [
        {"event": "auth.identity-tried", "citizen_id": str(holder.citizen_id)},
        {"event": "auth.identity-tried", "citizen_id": ""},
    ]


async def test_who_mistypes_their_own_number_is_not_warned_of_themselves(auth: Auth) -> None:
    me = await auth.caller_named("openid-1", NAME, NUMBER)
    auth.registry.people[NUMBER] = "霍明远"  # The registry knows another name by now.
    with pytest.raises(IdentityMismatch):
        await auth.realname.bind(me, name="王小明", id_number=NUMBER, consent="real-name@1")
    assert [payload["citizen_id"] for payload in await told()] == [""]


async def test_every_step_of_a_takeover_is_told_to_the_holder(auth: Auth) -> None:
    holder = await auth.caller_named("openid-1", NAME, NUMBER)
    claimant = await auth.caller("openid-2")
    asked = await transaction(lambda: auth.takeovers.ask(claimant, IdNumber(NUMBER)))
    assert asked is not None
    assert await auth.takeovers.stop(claimant, asked.id)
    again = await transaction(lambda: auth.takeovers.ask(claimant, IdNumber(NUMBER)))
    assert again is not None
    auth.ground.clock.move(timedelta(hours=24))
    await transaction(await auth.takeovers.complete(str(again.id)))
    assert [(payload["event"], payload["citizen_id"]) for payload in await told()] == [
        (f"auth.{what}", str(holder.citizen_id))
        for what in ("takeover-asked", "takeover-stopped", "takeover-asked", "taken-over")
    ]
