"""Holders are reminded 90, 30 and 7 days before the last one, once each, of the matter that renews it."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from certificates import rules
from certificates.definitions import Kinds
from certificates.living.reminders import Reminders
from certificates.types import State
from core.db import as_json, fetch
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.loading import load_catalogue
from notices.texts import Texts
from tests.certificates.conftest import LICENCE_KIND, Hall
from tests.fakes.certificates import LICENCE, PERMIT, issued

TODAY = date(2026, 3, 10)
PERMIT_KIND = "residence-permit"


@pytest.fixture
def reminders(hall: Hall) -> Reminders:
    return Reminders(kinds=hall.kinds, jobs=hall.ground.jobs, clock=hall.ground.clock)


async def told() -> list[dict[str, Any]]:
    rows = await fetch("SELECT payload FROM job WHERE name = 'notices.tell' ORDER BY id")
    return [as_json(row["payload"]) for row in rows]


async def permit(hall: Hall, days: int, **more: Any) -> None:
    last = hall.ground.clock.now().date() + timedelta(days=days)
    fields = {**PERMIT, "valid_until": None, "endorsed_until": last.isoformat()}
    await hall.held(issued(fields, serial="RP1", **more), PERMIT_KIND)


async def test_each_day_is_told_once_with_what_is_left(hall: Hall, reminders: Reminders) -> None:
    await permit(hall, 95)
    for _ in range(96):
        await reminders.remind()
        await reminders.remind()
        hall.ground.clock.move(timedelta(days=1))
    assert [line["days"] for line in await told()] == ["90", "30", "7"]
    assert {(line["event"], line["matter"]) for line in await told()} == {
        ("certificates.renewal-due", "residence-permit-endorsement")
    }


async def test_what_is_fetched_late_is_told_of_at_once_and_then_as_usual(hall: Hall, reminders: Reminders) -> None:
    await permit(hall, 20)
    for _ in range(20):
        await reminders.remind()
        hall.ground.clock.move(timedelta(days=1))
    assert [line["days"] for line in await told()] == ["20", "7"]


async def test_days_that_were_missed_are_made_up_for_once(hall: Hall, reminders: Reminders) -> None:
    await permit(hall, 95)
    hall.ground.clock.move(timedelta(days=70))
    await reminders.remind()
    assert [line["days"] for line in await told()] == ["25"]


async def test_many_processes_remind_once(hall: Hall, reminders: Reminders) -> None:
    await permit(hall, 7)
    counts = await asyncio.gather(*(reminders.remind() for _ in range(8)))
    assert sum(counts) == 1
    assert len(await told()) == 1


async def test_a_renewed_one_begins_anew_and_an_unchanged_one_does_not(hall: Hall, reminders: Reminders) -> None:
    await permit(hall, 7)
    await reminders.remind()
    await permit(hall, 7, version=2)
    await reminders.remind()
    assert len(await told()) == 1
    await permit(hall, 29, version=3)
    await reminders.remind()
    assert [line["days"] for line in await told()] == ["7", "29"]


async def test_only_what_is_in_force_is_reminded_of(hall: Hall, reminders: Reminders) -> None:
    await permit(hall, 7, state=State.REVOKED)
    assert await reminders.remind() == 0
    assert await told() == []


async def test_a_kind_without_a_matter_says_what_to_do(hall: Hall, reminders: Reminders) -> None:
    until = (hall.ground.clock.now().date() + timedelta(days=30)).isoformat()
    await hall.held(issued({**LICENCE, "valid_until": until}))
    await reminders.remind()
    [line] = await told()
    assert (line["event"], line["matter"]) == ("certificates.expires-soon", "")
    assert line["advice"] == "请到公安交管窗口换领"


def test_the_matters_that_renew_are_published(kinds: Kinds) -> None:
    catalogue = Catalogue(load_catalogue())
    renewed = {kind.slug: kind.renewed_by for kind in kinds if kind.renewed_by}
    assert renewed == {PERMIT_KIND: "residence-permit-endorsement"}
    for matter in renewed.values():
        assert catalogue.find(matter).matter.slug == matter


def test_the_texts_of_reminders_have_their_words() -> None:
    words = dict.fromkeys(("certificate", "certificate_en", "days", "last_day", "advice", "advice_en", "matter"), "x")
    for event in ("certificates.renewal-due", "certificates.expires-soon"):
        assert Texts.load().find(event, words)


def test_days_are_counted_from_the_last_one(kinds: Kinds) -> None:
    kind = kinds.get(LICENCE_KIND)
    assert rules.first_reminder(kind, date(2026, 12, 31), TODAY) == date(2026, 10, 2)
    assert rules.first_reminder(kind, TODAY, TODAY) == TODAY
    assert rules.first_reminder(kind, date(2026, 3, 9), TODAY) is None
    assert rules.first_reminder(kind, None, TODAY) is None
    assert rules.next_reminder(kind, date(2026, 3, 17), TODAY) is None
    assert rules.next_reminder(kind, None, TODAY) is None
