"""How a result reaches the applicant, and when a case is closed."""

from datetime import timedelta
from uuid import UUID

import pytest

from auth.types import Caller, Level, Role, RoleGrant, StaffCaller
from core.db import fetch_one
from matters.applications.records import Submitted
from matters.errors import NoSuchApplication, StateForbids
from matters.results.errors import DeliveryTooLate, NothingDecided, PlaceNeeded
from matters.results.types import DeliveryState, DeliveryWay
from matters.types import State, Step
from tests.matters.conftest import ENDORSEMENT, PENSION, Desk, jobs_named

ADDRESS = "示例市示例路1号2单元301"


def clerk(desk: Desk) -> StaffCaller:
    return StaffCaller(desk.ground.ids.uuid(), desk.ground.ids.uuid(), "clerk", (RoleGrant(Role.ACCEPTOR),))


async def approved(desk: Desk, caller: Caller) -> Submitted:
    """Have an application approved at once, and its paper made."""
    submitted = await desk.submitted(caller, PENSION)
    await desk.deliver(submitted.application_id)
    await desk.put_on_paper(submitted.application_id)
    return submitted


async def state_of(desk: Desk, caller: Caller, application_id: UUID) -> State:
    return (await desk.view(caller, application_id)).state


async def test_what_is_chosen_to_come_electronically_is_delivered_once_it_is_on_paper_and_closed_later(
    desk: Desk,
) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, PENSION, {})
    chosen = await desk.deliveries.choose(caller, draft.id, DeliveryWay.ELECTRONIC)
    assert (chosen.state, (await desk.view(caller, draft.id)).version) == (DeliveryState.CHOSEN, draft.version)
    await desk.submit(caller, draft.id)
    await desk.deliver(draft.id)
    assert await desk.deliveries.look() == 0
    await desk.put_on_paper(draft.id)
    assert await desk.deliveries.look() == 1
    assert await state_of(desk, caller, draft.id) is State.DELIVERED
    desk.ground.clock.move(timedelta(days=15, seconds=-1))
    assert await desk.deliveries.look() == 0
    desk.ground.clock.move(timedelta(seconds=1))
    assert await desk.deliveries.look() == 1
    view = await desk.view(caller, draft.id)
    assert view.state is State.CLOSED
    assert view.result is not None
    assert view.result.outcome is State.APPROVED
    assert [entry.step for entry in view.timeline[-3:]] == [Step.APPROVED, Step.DELIVERED, Step.CLOSED]
    assert await jobs_named("matters.archive") == [{"application_id": str(draft.id)}]
    assert await desk.deliveries.look() == 0


async def test_what_nobody_chose_counts_as_delivered_after_some_days(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    submitted = await approved(desk, caller)
    assert await state_of(desk, caller, submitted.application_id) is State.APPROVED
    desk.ground.clock.move(timedelta(days=3, seconds=-1))
    assert await desk.deliveries.look() == 0
    desk.ground.clock.move(timedelta(seconds=1))
    assert await desk.deliveries.look() == 1
    assert await state_of(desk, caller, submitted.application_id) is State.DELIVERED


async def test_what_goes_by_courier_is_delivered_when_a_clerk_says_so_and_its_address_rests_sealed(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, PENSION, {})
    for way, place in ((DeliveryWay.COURIER, ""), (DeliveryWay.PICK_UP, ""), (DeliveryWay.ELECTRONIC, ADDRESS)):
        with pytest.raises(PlaceNeeded):
            await desk.deliveries.choose(caller, draft.id, way, place)
    await desk.deliveries.choose(caller, draft.id, DeliveryWay.PICK_UP, "政务服务大厅")
    await desk.deliveries.choose(caller, draft.id, DeliveryWay.COURIER, ADDRESS)
    row = await fetch_one("SELECT place_sealed FROM result_delivery")
    assert row is not None
    assert ADDRESS.encode() not in bytes(row["place_sealed"])
    told = await desk.deliveries.chosen(caller, draft.id)
    assert (told.way, told.place) == (DeliveryWay.COURIER, ADDRESS)
    await desk.submit(caller, draft.id)
    with pytest.raises(NothingDecided):
        await desk.deliveries.deliver(clerk(desk), draft.id, "快递已签收")
    await desk.deliver(draft.id)
    await desk.put_on_paper(draft.id)
    desk.ground.clock.move(timedelta(days=30))
    assert await desk.deliveries.look() == 0
    await desk.deliveries.deliver(clerk(desk), draft.id, "快递已签收")
    view = await desk.view(caller, draft.id)
    assert (view.state, view.timeline[-1].note) == (State.DELIVERED, "结果已送达。快递已签收")
    with pytest.raises(StateForbids):
        await desk.deliveries.deliver(clerk(desk), draft.id, "快递已签收")
    with pytest.raises(DeliveryTooLate):
        await desk.deliveries.choose(caller, draft.id, DeliveryWay.ELECTRONIC)


async def test_a_choice_may_change_while_the_result_waits(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    submitted = await approved(desk, caller)
    await desk.deliveries.choose(caller, submitted.application_id, DeliveryWay.COURIER, ADDRESS)
    desk.ground.clock.move(timedelta(days=30))
    assert await desk.deliveries.look() == 0
    await desk.deliveries.choose(caller, submitted.application_id, DeliveryWay.ELECTRONIC)
    assert await desk.deliveries.look() == 1
    told = await desk.deliveries.chosen(caller, submitted.application_id)
    assert (told.way, told.place, told.state) == (DeliveryWay.ELECTRONIC, "", DeliveryState.DELIVERED)


async def test_what_was_not_accepted_is_only_closed(desk: Desk) -> None:
    desk.public_security.declines = "incomplete"
    caller = desk.citizen(Level.PRESENT)
    submitted = await desk.submitted(caller, ENDORSEMENT)
    await desk.deliver(submitted.application_id)
    await desk.put_on_paper(submitted.application_id)
    with pytest.raises(DeliveryTooLate):
        await desk.deliveries.choose(caller, submitted.application_id, DeliveryWay.ELECTRONIC)
    desk.ground.clock.move(timedelta(days=15))
    assert await desk.deliveries.look() == 1
    view = await desk.view(caller, submitted.application_id)
    assert [entry.step for entry in view.timeline[-2:]] == [Step.NOT_ACCEPTED, Step.CLOSED]


async def test_late_news_stops_a_delivery_that_has_lost_its_ground(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    await desk.hear(submitted.number, 3, State.APPROVED)
    await desk.put_on_paper(submitted.application_id)
    await desk.hear(submitted.number, 1, State.NOT_ACCEPTED)
    desk.ground.clock.move(timedelta(days=3))
    assert await desk.deliveries.look() == 0
    assert await state_of(desk, caller, submitted.application_id) is State.NOT_ACCEPTED
    await desk.put_on_paper(submitted.application_id)
    desk.ground.clock.move(timedelta(days=15))
    assert await desk.deliveries.look() == 1
    assert await state_of(desk, caller, submitted.application_id) is State.CLOSED


async def test_nobody_chooses_for_a_stranger(desk: Desk) -> None:
    draft = await desk.drafts.start(desk.citizen(), PENSION, {})
    stranger = desk.citizen()
    with pytest.raises(NoSuchApplication):
        await desk.deliveries.choose(stranger, draft.id, DeliveryWay.ELECTRONIC)
    with pytest.raises(NoSuchApplication):
        await desk.deliveries.chosen(stranger, draft.id)
