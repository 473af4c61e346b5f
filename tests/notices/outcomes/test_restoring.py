"""After a restore: what may have gone out stands in the inbox and goes out no more; what was not due goes its way."""

from datetime import datetime, timedelta

from core.db import fetch, transaction
from notices.outcomes.restoring import RestoredNotices
from notices.rules import CHINA
from tests.fakes.notices import House
from tests.notices.people import MATTER, MOBILE, somebody

APPROVED = "matters.approved"


async def restored(house: House) -> int:
    """Mark as the command does before anything runs."""
    notices = RestoredNotices(clock=house.ground.clock)
    return await transaction(notices.mark)


async def test_what_was_on_its_way_is_taken_for_sent_and_goes_out_no_more(house: House) -> None:
    me = await somebody(house)
    house.sms.away = True
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    assert (await house.deliveries(me.citizen_id))[1] == ("sms", "temporary-failure", "unreachable")
    house.sms.away = False
    house.ground.clock.move(timedelta(minutes=5))
    assert await restored(house) == 1
    await house.work(until=timedelta(hours=1))
    assert house.sms.texts == []
    assert (await house.deliveries(me.citizen_id))[1] == ("sms", "sent", "restored")
    assert await house.inbox.count_unread(me) == 1
    # Nothing is heard of it: then operators see it as every other.
    await house.work(until=timedelta(hours=house.settings.report_hours + 1))
    await house.reports.close_silent()
    assert [each.reason for each in await house.undelivered.list_undelivered()] == ["no-report"]
    assert await house.buried() == []


async def test_what_was_promised_is_told_in_the_inbox_alone_with_family_that_reads_along(house: House) -> None:
    me, family = await somebody(house), await house.auth.caller_named("openid-2", "宛秋实", "999999197806214551")
    await house.consent(me, "progress")
    await house.copies.accept(family, (await house.copies.offer(me)).code)

    async def promise() -> None:
        for citizen_id in (me.citizen_id, ""):
            await house.promise({"event": APPROVED, "citizen_id": citizen_id, **MATTER})

    await transaction(promise)
    assert await restored(house) == 2
    await house.work(until=timedelta(hours=1))
    assert (house.wechat.sent, house.sms.texts) == ([], [])
    for reader in (me, family):
        [notice] = await house.inbox.list_notices(reader)
        assert notice.event == APPROVED
        assert await house.deliveries(reader.citizen_id) == []
    # Nobody has to call on them: they may well have been told.
    assert await house.undelivered.list_undelivered() == []
    # What happens from now on goes out as ever.
    await house.tell("matters.rejected", me.citizen_id, **MATTER)
    assert len(house.wechat.sent) == 1
    assert await house.buried() == []


async def test_what_was_not_due_yet_cannot_have_gone_and_goes_out_at_its_time(house: House) -> None:
    me = await somebody(house)
    house.ground.clock.set(datetime(2026, 3, 10, 23, 0, tzinfo=CHINA))
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    house.ground.clock.set(datetime(2026, 3, 11, 5, 0, tzinfo=CHINA))
    assert await restored(house) == 0
    await house.work(until=timedelta(hours=10))
    assert [mobile for mobile, _ in house.sms.texts] == [MOBILE]


async def test_what_is_settled_stays_as_it_is(house: House) -> None:
    me = await somebody(house)
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    before = await fetch("SELECT id, state, reason, sent_at, settled_at FROM notice_delivery ORDER BY id")
    assert await restored(house) == 0
    assert await fetch("SELECT id, state, reason, sent_at, settled_at FROM notice_delivery ORDER BY id") == before
