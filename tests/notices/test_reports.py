"""What the provider of short messages reports, in any order and however often."""

from datetime import timedelta
from uuid import UUID

import pytest

from core.db import as_uuid, fetch, fetch_one, transaction
from notices.types import Reason
from tests.fakes.notices import House
from tests.notices.people import MATTER, an_elder, somebody


async def sms_of(house: House) -> UUID:
    [row] = await fetch("SELECT id FROM notice_delivery WHERE channel = 'sms'")
    return as_uuid(row["id"])


async def test_a_message_that_arrived_is_delivered_and_stays_so(house: House) -> None:
    me = await somebody(house)
    await house.tell("matters.approved", me.citizen_id, **MATTER)
    found = await sms_of(house)
    assert await house.reports.hear(found, None)
    assert not await house.reports.hear(found, None)
    assert not await house.reports.hear(found, Reason.NOT_RECEIVED)
    assert (await house.deliveries(me.citizen_id))[1] == ("sms", "delivered", "")
    assert await house.undelivered.list_undelivered() == []


async def test_a_message_that_did_not_arrive_is_told_another_way_once(house: House) -> None:
    elder = await an_elder(house)
    await house.consent(elder, "progress")
    await house.tell("matters.approved", elder.citizen_id, **MATTER)
    found = await sms_of(house)
    assert await house.reports.hear(found, Reason.NOT_RECEIVED)
    assert not await house.reports.hear(found, Reason.NOT_RECEIVED)
    await house.work()
    assert await house.deliveries(elder.citizen_id) == [
        ("sms", "permanent-failure", "not-received"),
        ("wechat", "sent", ""),
    ]


async def test_a_report_may_come_before_our_own_call_returns(house: House) -> None:
    me = await somebody(house)
    house.sms.away = True
    await house.tell("matters.approved", me.citizen_id, **MATTER)
    house.sms.away = False
    found = await sms_of(house)
    house.ground.clock.move(timedelta(minutes=5))
    change = await house.sending.send(str(found))
    assert change is not None
    assert await house.reports.hear(found, None)
    await transaction(change)
    assert (await house.deliveries(me.citizen_id))[1] == ("sms", "delivered", "")


async def test_a_report_of_nothing_we_know_is_nothing(house: House) -> None:
    assert not await house.reports.hear(house.ground.ids.uuid(), None)
    assert not await house.reports.hear(house.ground.ids.uuid(), Reason.NOT_RECEIVED)


@pytest.mark.parametrize(("hours", "closed"), [(71, 0), (73, 1)])
async def test_of_a_message_without_a_report_the_operators_learn(house: House, hours: int, closed: int) -> None:
    me = await somebody(house)
    await house.tell("matters.approved", me.citizen_id, **MATTER)
    house.ground.clock.move(timedelta(hours=hours))
    assert await house.reports.close_silent() == closed
    seen = [(each.channel, each.reason) for each in await house.undelivered.list_undelivered()]
    assert seen == [("sms", "no-report")] * closed
    # Late, it may still be told that it arrived.
    assert await house.reports.hear(await sms_of(house), None)
    assert (await house.deliveries(me.citizen_id))[1] == ("sms", "delivered", "")


async def test_old_notices_go_with_their_deliveries(house: House) -> None:
    me = await somebody(house)
    await house.tell("matters.approved", me.citizen_id, **MATTER)
    house.ground.clock.move(timedelta(days=364))
    assert await house.inbox.forget(365) == 0
    house.ground.clock.move(timedelta(days=2))
    assert await house.inbox.forget(365) == 1
    assert await fetch_one("SELECT count(*) AS n FROM notice_delivery") == {"n": 0}
