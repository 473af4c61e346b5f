"""Family that is told too: with both consents, ended by either, told nothing of the case."""

import asyncio
from datetime import timedelta

import pytest

from core.audit.ledger import lines_of
from core.db import fetch
from core.errors import Problem
from notices.errors import CopyCodeInvalid, CopyOfOneself, TooManyCopies
from tests.fakes.notices import House
from tests.notices.people import ELDER_MOBILE, MATTER, MOBILE, an_elder, somebody


async def test_family_reads_along_after_an_offer_and_its_acceptance(house: House) -> None:
    elder, child = await an_elder(house), await somebody(house)
    offer = await house.copies.offer(elder)
    await house.tell("matters.approved", elder.citizen_id, **MATTER)
    assert await house.inbox.list_notices(child) == []
    view = await house.copies.accept(child, offer.code)
    assert (view.mine, view.name) == (False, "逄**")
    case = house.ground.ids.uuid()
    await house.tell("matters.approved", elder.citizen_id, case, **MATTER)
    [copy] = await house.inbox.list_notices(child)
    assert (copy.about, copy.object_id) == ("逄**", None)
    assert "居住证" not in copy.text.zh
    assert [mobile for mobile, _ in house.sms.texts] == [ELDER_MOBILE, ELDER_MOBILE, MOBILE]
    assert "家人" in house.sms.texts[-1][1]
    # What concerns the elder alone is not copied.
    await house.tell("certificates.shown", elder.citizen_id, certificate="社保卡", certificate_en="card")
    assert len(await house.inbox.list_notices(child)) == 1


async def test_a_copy_goes_by_wechat_where_that_was_agreed(house: House) -> None:
    elder, child = await an_elder(house), await somebody(house)
    await house.copies.accept(child, (await house.copies.offer(elder)).code)
    await house.consent(child, "security")
    await house.tell("matters.approved", elder.citizen_id, **MATTER)
    [(openid, card, _)] = house.wechat.sent
    assert (openid, card.values["thing1"]) == ("openid-1", "家人的申请有结果了")


@pytest.mark.parametrize("side", ["elder", "child"])
async def test_either_side_ends_it(house: House, side: str) -> None:
    elder, child = await an_elder(house), await somebody(house)
    offer = await house.copies.offer(elder)
    await house.copies.accept(child, offer.code)
    stranger = await house.auth.caller("openid-other")
    assert not await house.copies.end(stranger, offer.id)
    assert await house.copies.end(elder if side == "elder" else child, offer.id)
    assert not await house.copies.end(child, offer.id)
    await house.tell("matters.approved", elder.citizen_id, **MATTER)
    assert await house.inbox.list_notices(child) == []
    assert (await house.copies.list_copies(elder), await house.copies.list_copies(child)) == ([], [])
    for who in (elder, child):
        told = [line.action for line in await lines_of(who.citizen_id, before=None, limit=20)]
        assert {"notices.copy-accepted", "notices.copy-ended"} <= set(told)


async def test_a_code_works_once_for_somebody_else_within_its_time(house: House) -> None:
    elder, child = await an_elder(house), await somebody(house)
    offer = await house.copies.offer(elder)
    with pytest.raises(CopyOfOneself):
        await house.copies.accept(elder, offer.code)
    await house.copies.accept(child, offer.code)
    for code in (offer.code, "never-given", ""):
        with pytest.raises(CopyCodeInvalid):
            await house.copies.accept(child, code)
    late = await house.copies.offer(elder)
    house.ground.clock.move(timedelta(minutes=15))
    with pytest.raises(CopyCodeInvalid):
        await house.copies.accept(child, late.code)


async def test_of_ten_who_take_one_code_at_once_one_reads_along(house: House) -> None:
    elder = await an_elder(house)
    offer = await house.copies.offer(elder)
    callers = [await house.auth.caller(f"openid-{number}") for number in range(10)]
    done = await asyncio.gather(
        *(house.copies.accept(caller, offer.code) for caller in callers), return_exceptions=True
    )
    assert sum(not isinstance(each, Problem) for each in done) == 1
    assert len(await house.copies.list_copies(elder)) == 1


async def test_so_many_read_along_and_no_more_however_fast_they_are_asked(house: House) -> None:
    elder = await an_elder(house)
    done = await asyncio.gather(*(house.copies.offer(elder) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(each, TooManyCopies) for each in done) == 10 - house.settings.copies
    house.ground.clock.move(timedelta(minutes=15))
    await house.copies.offer(elder)


async def test_accepting_twice_is_reading_along_once(house: House) -> None:
    elder, child = await an_elder(house), await somebody(house)
    for _ in range(2):
        await house.copies.accept(child, (await house.copies.offer(elder)).code)
    assert len(await house.copies.list_copies(elder)) == 1
    await house.tell("matters.approved", elder.citizen_id, **MATTER)
    assert len(await house.inbox.list_notices(child)) == 1


async def test_a_code_is_kept_as_a_hash_and_prints_nothing(house: House) -> None:
    elder = await an_elder(house)
    offer = await house.copies.offer(elder)
    rows = str(await fetch("SELECT * FROM notice_copy"))
    assert offer.code not in rows
    assert offer.code not in repr(offer)
