"""What was promised or put off: recorded with its day, kept, broken, objected to."""

from datetime import timedelta
from uuid import UUID

import pytest

from auth.types import Caller, Role, RoleGrant, StaffCaller
from core.db import fetch, fetch_one
from matters.errors import MaterialsMissing, NoSuchApplication, StateForbids
from matters.materials.commitments import kind_of
from matters.materials.errors import CommitmentSettled, NoSuchCommitment
from matters.materials.types import Commitment, CommitmentKind, CommitmentState, Settled
from tests.fakes.papers import PDF
from tests.matters.conftest import ENDORSEMENT, Desk

ELSEWHERE = "medical-elsewhere"
EMERGENCY = {"place": "邻市", "kind": "referral"}
LOST = "id-card-elsewhere"
PROOF = "proof-of-residence"
WHY = "核查发现已经搬离"


def clerk(desk: Desk) -> StaffCaller:
    return StaffCaller(desk.ground.ids.uuid(), desk.ground.ids.uuid(), "clerk", (RoleGrant(Role.DEPARTMENT_OPERATOR),))


async def promised(desk: Desk, caller: Caller) -> UUID:
    """Submit with a promise in place of a proof."""
    return (await desk.submitted(caller, ENDORSEMENT)).application_id


async def deferred(desk: Desk, caller: Caller) -> UUID:
    """Submit what lacks a file that may come later."""
    draft = await desk.drafts.start(caller, ELSEWHERE, EMERGENCY)
    await desk.attachments.add(caller, draft.id, "social-security-card", PDF)
    await desk.submit(caller, draft.id)
    return draft.id


async def of(desk: Desk, caller: Caller, application_id: UUID) -> Commitment:
    [commitment] = await desk.commitments.list_of(caller, application_id)
    return commitment


async def test_a_promise_is_recorded_with_the_day_until_which_it_is_looked_at(desk: Desk) -> None:
    caller = desk.citizen()
    now = desk.ground.clock.now()
    found = await of(desk, caller, await promised(desk, caller))
    assert (found.material, found.kind, found.state) == (PROOF, CommitmentKind.PROMISE, CommitmentState.OPEN)
    assert found.due_at == now + timedelta(days=90)
    desk.ground.clock.move(timedelta(days=90, seconds=-1))
    assert await desk.commitments.look() == 0
    desk.ground.clock.move(timedelta(seconds=1))
    assert await desk.commitments.look() == 1
    assert (await fetch("SELECT state FROM commitment"))[0]["state"] == "kept"


async def test_what_was_put_off_comes_later_while_the_case_goes_on(desk: Desk) -> None:
    caller = desk.citizen()
    application_id = await deferred(desk, caller)
    found = await of(desk, caller, application_id)
    assert (found.kind, found.due_at) == (CommitmentKind.DEFERRED, desk.ground.clock.now() + timedelta(days=15))
    with pytest.raises(StateForbids):
        await desk.attachments.add(caller, application_id, "social-security-card", PDF)
    await desk.attachments.add(caller, application_id, "referral", PDF)
    assert (await of(desk, caller, application_id)).state is CommitmentState.KEPT
    with pytest.raises(StateForbids):
        await desk.attachments.add(caller, application_id, "referral", PDF)
    desk.ground.clock.move(timedelta(days=16))
    assert await desk.commitments.look() == 0


async def test_what_does_not_come_in_time_is_broken_and_mended_by_coming_late(desk: Desk) -> None:
    caller = desk.citizen()
    application_id = await deferred(desk, caller)
    desk.ground.clock.move(timedelta(days=15))
    assert await desk.commitments.look() == 1
    assert await desk.commitments.look() == 0
    assert (await of(desk, caller, application_id)).state is CommitmentState.BREACHED
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    with pytest.raises(MaterialsMissing) as missing:
        await desk.submit(caller, draft.id)
    assert [error.pointer for error in missing.value.extras.errors] == [f"/attachments/{PROOF}"]
    await desk.attachments.add(caller, application_id, "referral", PDF)
    assert (await of(desk, caller, application_id)).state is CommitmentState.MENDED
    await desk.submit(caller, draft.id)
    lines = await fetch("SELECT actor_kind FROM audit_line WHERE action = 'matters.promise-breached'")
    assert [line["actor_kind"] for line in lines] == ["system"]


async def test_whoever_broke_a_promise_gives_files_elsewhere_and_is_told_why(desk: Desk) -> None:
    caller, other = desk.citizen(), desk.citizen()
    first = await promised(desk, caller)
    await desk.commitments.breach(clerk(desk), first, PROOF, WHY)
    assert (await of(desk, caller, first)).reason == WHY
    row = await fetch_one("SELECT reason_sealed FROM commitment")
    assert row is not None
    assert WHY.encode() not in bytes(row["reason_sealed"])
    with pytest.raises(CommitmentSettled):
        await desk.commitments.breach(clerk(desk), first, PROOF, WHY)
    # Also where the matter knows no file in the place of a promise.
    for caller_now, way in ((caller, "upload"), (other, "promise")):
        draft = await desk.drafts.start(caller_now, LOST, {})
        view = await desk.view(caller_now, draft.id)
        line = next(each for each in view.materials if each.code == "loss")
        assert line.way == way
        assert ("没有兑现" in line.reason.zh) is (way == "upload")
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    with pytest.raises(MaterialsMissing):
        await desk.submit(caller, draft.id)
    await desk.attachments.add(caller, draft.id, PROOF, PDF)
    await desk.submit(caller, draft.id)
    assert await desk.commitments.list_of(caller, draft.id) == []
    view = await desk.view(caller, draft.id)
    assert next(each for each in view.materials if each.code == PROOF).way == "upload"


async def test_an_objection_is_answered_and_a_lifted_breach_lets_promise_again(desk: Desk) -> None:
    caller = desk.citizen()
    first = await promised(desk, caller)
    with pytest.raises(CommitmentSettled):
        await desk.commitments.object(caller, first, PROOF, "没有搬离")
    await desk.commitments.breach(clerk(desk), first, PROOF, WHY)
    await desk.commitments.object(caller, first, PROOF, "没有搬离")
    with pytest.raises(CommitmentSettled):
        await desk.commitments.object(caller, first, PROOF, "真的没有搬离")
    await desk.commitments.review(clerk(desk), first, PROOF, lifted=False, note="维持原认定")
    assert (await of(desk, caller, first)).state is CommitmentState.BREACHED
    await desk.commitments.review(clerk(desk), first, PROOF, lifted=True, note="核查有误，予以撤销")
    found = await of(desk, caller, first)
    assert (found.state, found.objection, found.answer) == (CommitmentState.LIFTED, "没有搬离", "核查有误，予以撤销")
    with pytest.raises(CommitmentSettled):
        await desk.commitments.breach(clerk(desk), first, PROOF, WHY)
    second = await promised(desk, caller)
    assert (await of(desk, caller, second)).state is CommitmentState.OPEN


async def test_nobody_reads_or_objects_for_a_stranger_and_what_was_not_promised_is_not_broken(desk: Desk) -> None:
    caller, stranger = desk.citizen(), desk.citizen()
    first = await promised(desk, caller)
    with pytest.raises(NoSuchApplication):
        await desk.commitments.list_of(stranger, first)
    with pytest.raises(NoSuchApplication):
        await desk.commitments.object(stranger, first, PROOF, "没有搬离")
    with pytest.raises(NoSuchCommitment):
        await desk.commitments.breach(clerk(desk), first, "identity", WHY)


@pytest.mark.parametrize(
    ("settled", "kind"),
    [
        (Settled("a", "1", "promise", ""), CommitmentKind.PROMISE),
        (Settled("a", "3", "promise", ""), CommitmentKind.PROMISE),
        (Settled("a", "3", "upload", ""), CommitmentKind.DEFERRED),
        (Settled("a", "3", "upload", "attachment:1"), None),
        (Settled("a", "1", "upload", "attachment:1"), None),
        (Settled("a", "2", "", ""), None),
        (Settled("a", "1", "shared", "department:taxation"), None),
    ],
)
def test_what_is_left_to_be_kept(settled: Settled, kind: CommitmentKind | None) -> None:
    assert kind_of(settled) is kind
