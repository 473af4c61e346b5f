"""Who is told what, by which way, and what follows when a way does not lead anywhere."""

import asyncio
import logging
from datetime import datetime, timedelta

import pytest
from prometheus_client import generate_latest

from core.audit.actors import SYSTEM
from core.audit.ledger import lines_of
from core.db import as_uuid, fetch, fetch_one, transaction
from core.metrics import REGISTRY
from core.pii import IdNumber
from notices.rules import CHINA
from notices.types import Channel, Reason, Subscribed, Topic
from tests.fakes.notices import House
from tests.notices.people import ELDER_MOBILE, ELDER_NUMBER, MATTER, MOBILE, an_elder, nobodys_phone, somebody
from tests.privacy import leaks

APPROVED = "matters.approved"


async def test_who_has_consented_is_told_on_wechat_and_gets_no_short_message(house: House) -> None:
    me = await somebody(house)
    account_id = await house.consent(me, "progress")
    case = house.ground.ids.uuid()
    await house.tell(APPROVED, me.citizen_id, case, **MATTER)
    assert await house.deliveries(me.citizen_id) == [("wechat", "sent", "")]
    [(openid, card, page)] = house.wechat.sent
    assert openid == "openid-1"
    assert card.values["thing1"] == "居住证签注"
    assert page == f"pages/applications/detail?id={case}"
    assert house.sms.texts == []
    assert await house.subscriptions.ledger_of(account_id) == [
        ("progress", Subscribed.ACCEPTED),
        ("progress", Subscribed.USED),
    ]


async def test_a_consent_that_wechat_does_not_know_is_no_failure_but_a_short_message(house: House) -> None:
    """43101 forced: our ledger says accepted, WeChat says no."""
    me = await somebody(house)
    account_id = await house.consent(me, "progress", known_at_wechat=False)
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    assert await house.deliveries(me.citizen_id) == [
        ("wechat", "permanent-failure", "no-consent"),
        ("sms", "sent", ""),
    ]
    assert [mobile for mobile, _ in house.sms.texts] == [MOBILE]
    assert await house.subscriptions.ledger_of(account_id) == [
        ("progress", Subscribed.ACCEPTED),
        ("progress", Subscribed.EXHAUSTED),
    ]
    assert await house.buried() == []
    # The next one asks WeChat no more.
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    assert len(await house.subscriptions.ledger_of(account_id)) == 2


async def test_one_consent_is_one_message_and_a_long_term_one_is_all(house: House) -> None:
    me = await somebody(house)
    await house.consent(me, "progress")
    for _ in range(2):
        await house.tell(APPROVED, me.citizen_id, **MATTER)
    assert [each[:2] for each in await house.deliveries(me.citizen_id)] == [
        ("wechat", "sent"),
        ("wechat", "permanent-failure"),
        ("sms", "sent"),
    ]
    await house.consent(me, "security")
    house.wechat.quota["openid-1"] = 99
    for _ in range(3):
        await house.tell("auth.takeover-stopped", me.citizen_id)
    assert [card.template for _, card, _ in house.wechat.sent] == ["progress", "security", "security", "security"]


async def test_with_short_messages_down_the_inbox_has_it_and_the_operators_see_it(house: House) -> None:
    me = await somebody(house)
    house.sms.away = True
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    await house.work(until=timedelta(hours=3))
    assert await house.deliveries(me.citizen_id) == [
        ("wechat", "permanent-failure", "no-consent"),
        ("sms", "permanent-failure", "unreachable"),
    ]
    assert house.sms.tries == house.settings.attempts
    [notice] = await house.inbox.list_notices(me)
    assert notice.text.zh == "“居住证签注”已通过。"
    assert await house.inbox.count_unread(me) == 1
    [seen] = await house.undelivered.list_undelivered()
    assert (seen.event, seen.channel, seen.reason) == (APPROVED, "sms", "unreachable")
    [count] = await house.undelivered.counts()
    assert (count.channel, count.reason, count.count) == ("sms", "unreachable", 1)
    await house.undelivered.show()
    assert b'zhijian_notices_undelivered{channel="sms",reason="unreachable"} 1.0' in generate_latest(REGISTRY)
    assert await house.buried() == []


async def test_a_channel_that_comes_back_sends_what_waited_once(house: House) -> None:
    me = await somebody(house)
    house.sms.away = True
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    assert (await house.deliveries(me.citizen_id))[1] == ("sms", "temporary-failure", "unreachable")
    house.sms.away = False
    await house.work(until=timedelta(minutes=5))
    assert (await house.deliveries(me.citizen_id))[1] == ("sms", "sent", "")
    assert len(house.sms.texts) == 1
    assert await house.undelivered.list_undelivered() == []


async def test_elders_are_told_by_short_message_first(house: House) -> None:
    elder = await an_elder(house)
    await house.consent(elder, "progress")
    await house.tell(APPROVED, elder.citizen_id, **MATTER)
    assert await house.deliveries(elder.citizen_id) == [("sms", "sent", "")]
    house.sms.refuses[ELDER_MOBILE] = Reason.TAKES_NONE
    await house.tell(APPROVED, elder.citizen_id, **MATTER)
    assert (await house.deliveries(elder.citizen_id))[1:] == [
        ("sms", "permanent-failure", "takes-none"),
        ("wechat", "sent", ""),
    ]
    assert await house.undelivered.list_undelivered() == []


async def test_who_has_neither_wechat_nor_a_mobile_has_the_inbox(house: House) -> None:
    elder = await nobodys_phone(house)
    await house.tell(APPROVED, elder.citizen_id, **MATTER)
    await house.tell("certificates.shown", elder.citizen_id, certificate="社保卡", certificate_en="card")
    assert len(await house.inbox.list_notices(elder)) == 2
    assert await house.deliveries(elder.citizen_id) == []
    # Somebody may call on them; what hardly matters is no reason to.
    assert [(each.event, each.reason) for each in await house.undelivered.list_undelivered()] == [
        (APPROVED, "no-channel")
    ]


async def test_what_is_urgent_goes_all_ways_at_once_and_wakes_people(house: House) -> None:
    me = await somebody(house)
    await house.consent(me, "security")
    house.ground.clock.set(datetime(2026, 3, 11, 3, 0, tzinfo=CHINA))
    await house.tell("auth.takeover-asked", me.citizen_id, house.ground.ids.uuid())
    assert await house.deliveries(me.citizen_id) == [("sms", "sent", ""), ("wechat", "sent", "")]


async def test_an_urgent_notice_is_undelivered_only_when_every_way_has_failed(house: House) -> None:
    me = await somebody(house)
    await house.consent(me, "security", known_at_wechat=False)
    await house.tell("auth.takeover-asked", me.citizen_id, house.ground.ids.uuid())
    assert await house.deliveries(me.citizen_id) == [
        ("sms", "sent", ""),
        ("wechat", "permanent-failure", "no-consent"),
    ]
    assert await house.undelivered.list_undelivered() == []
    [row] = await fetch("SELECT id FROM notice_delivery WHERE channel = 'sms'")
    assert await house.reports.hear(as_uuid(row["id"]), Reason.NOT_RECEIVED)
    [seen] = await house.undelivered.list_undelivered()
    assert (seen.channel, seen.reason) == ("sms", "not-received")


async def test_what_can_wait_waits_for_the_morning(house: House) -> None:
    me = await somebody(house)
    house.ground.clock.set(datetime(2026, 3, 10, 23, 0, tzinfo=CHINA))
    await house.consent(me, "progress")
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    assert await house.deliveries(me.citizen_id) == [("wechat", "created", "")]
    assert len(await house.inbox.list_notices(me)) == 1
    await house.work(until=timedelta(hours=8, minutes=29))
    assert house.wechat.sent == []
    await house.work(until=timedelta(minutes=2))
    assert await house.deliveries(me.citizen_id) == [("wechat", "sent", "")]


async def test_a_topic_that_is_not_wanted_is_in_the_inbox_alone(house: House) -> None:
    me = await somebody(house)
    await house.consent(me, "progress")
    await house.choices.choose(me, {Topic.PROGRESS: False})
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    assert await house.deliveries(me.citizen_id) == []
    assert len(await house.inbox.list_notices(me)) == 1
    assert await house.undelivered.list_undelivered() == []
    await house.choices.choose(me, {Topic.PROGRESS: True})
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    assert await house.deliveries(me.citizen_id) == [("wechat", "sent", "")]


async def test_a_scan_repeated_a_hundred_times_is_told_once_an_hour(house: House) -> None:
    me = await somebody(house)
    card, other = house.ground.ids.uuid(), house.ground.ids.uuid()
    words = {"certificate": "驾驶证", "certificate_en": "licence"}
    for _ in range(5):
        await house.tell("certificates.scan-failed", me.citizen_id, card, **words)
    assert await house.inbox.count_unread(me) == 1
    await house.tell("certificates.scan-failed", me.citizen_id, other, **words)
    assert await house.inbox.count_unread(me) == 2
    house.ground.clock.move(timedelta(minutes=61))
    await house.tell("certificates.scan-failed", me.citizen_id, card, **words)
    assert await house.inbox.count_unread(me) == 3


async def test_the_dead_and_nobody_are_told_nothing(house: House) -> None:
    me = await somebody(house)

    async def promise() -> None:
        await house.ground.jobs.enqueue("notices.tell", event="auth.identity-tried", citizen_id="")

    await transaction(promise)
    await house.auth.deaths.record(IdNumber("999999198503122179"), actor=SYSTEM)
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    await house.tell(APPROVED, house.ground.ids.uuid(), **MATTER)
    assert await fetch_one("SELECT count(*) AS n FROM notice") == {"n": 0}
    # Only notices have handlers in this house.
    assert [job for job in await house.buried() if job.startswith("notices.")] == []


async def test_what_hardly_matters_and_goes_nowhere_is_no_operators_concern(house: House) -> None:
    me = await somebody(house)
    await house.tell("matters.in-review", me.citizen_id, **MATTER)
    assert await house.deliveries(me.citizen_id) == [("wechat", "permanent-failure", "no-consent")]
    assert await house.undelivered.list_undelivered() == []


async def test_who_dies_before_the_message_leaves_gets_none(house: House) -> None:
    me = await somebody(house)
    house.ground.clock.set(datetime(2026, 3, 10, 23, 0, tzinfo=CHINA))
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    await house.auth.deaths.record(IdNumber("999999198503122179"), actor=SYSTEM)
    await house.work(until=timedelta(hours=10))
    assert (house.wechat.sent, house.sms.texts) == ([], [])


async def test_an_event_without_words_is_buried_for_the_operators(house: House) -> None:
    me = await somebody(house)
    await house.tell("matters.vanished", me.citizen_id)
    assert await house.buried() == ["notices.tell"]


async def test_ten_workers_at_one_delivery_send_one_short_message(house: House) -> None:
    me = await somebody(house)
    house.ground.clock.set(datetime(2026, 3, 10, 23, 0, tzinfo=CHINA))
    await house.tell("matters.in-review", me.citizen_id, **MATTER)
    await house.tell("auth.taken-over", me.citizen_id)
    await fetch("UPDATE notice_delivery SET state = 'created', number = '' WHERE channel = 'sms' RETURNING id")
    house.sms.sent.clear()
    [row] = await fetch("SELECT id FROM notice_delivery WHERE channel = 'sms'")
    changes = await asyncio.gather(*(house.sending.send(str(row["id"])) for _ in range(10)))
    assert len(house.sms.texts) == 1
    assert any(changes)


async def test_the_ledger_says_what_left_the_house_and_no_value(house: House) -> None:
    me = await somebody(house)
    await house.tell(APPROVED, me.citizen_id, **MATTER)
    [line] = [line for line in await lines_of(me.citizen_id, before=None, limit=20) if line.action == "notices.sent"]
    assert (line.actor_kind, line.field_names, line.outcome) == ("system", ("mobile",), "sms")


async def test_nothing_personal_stands_in_messages_jobs_tables_or_logs(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    me, elder = await somebody(house), await an_elder(house)
    offer = await house.copies.offer(elder)
    await house.copies.accept(me, offer.code)
    await house.consent(me, "security")
    house.sms.away = True
    for event in house.texts.all:
        words = {"matter": "居住证签注", "matter_en": "x", "certificate": "驾驶证", "certificate_en": "x"}
        for citizen_id in (me.citizen_id, elder.citizen_id):
            await house.tell(event.name, citizen_id, house.ground.ids.uuid(), **words)
    house.sms.away = False
    await house.work(until=timedelta(days=2))
    texts = [text for _, text in house.sms.texts]
    cards = [str(dict(card.values)) + page for _, card, page in house.wechat.sent]
    assert len(texts) > 10
    assert cards
    kept = [
        str(row)
        for table in ("notice", "notice_delivery", "notice_copy", "subscription", "subscription_entry", "job")
        for row in await fetch(f"SELECT * FROM {table}")  # noqa: S608 — names of our own tables
    ]
    hidden = [*texts, *cards, *kept, caplog.text, generate_latest(REGISTRY).decode()]
    assert leaks(hidden) == []
    assert not any(secret in text for text in hidden for secret in ("openid-1", "openid-elder", ELDER_NUMBER, MOBILE))


def test_channels_are_named_as_in_the_tables() -> None:
    assert [channel.value for channel in Channel] == ["wechat", "sms"]
