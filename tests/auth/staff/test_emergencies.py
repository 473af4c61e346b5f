"""Emergencies: done by one, looked at by others, undone when there was no reason."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from auth.errors import RoleForbidden
from auth.registers.types import PartyKind, PartyState, PartyView
from auth.staff.errors import (
    ApprovalDecided,
    EmergencyBarred,
    EmergencyUnused,
    NoSuchApproval,
    NotApproved,
    NothingToFollowUp,
    SelfApproval,
)
from auth.staff.types import ApprovalState, Finding, Left, Undone
from auth.types import Role
from core.audit.actors import Actor, ActorKind
from core.db import execute, fetch, transaction
from core.metrics import EMERGENCIES_OPEN, EMERGENCIES_UNJUSTIFIED
from tests.auth.registers.test_parties import only, pem, verifier
from tests.fakes.staff import Member, Staff

RETIRE = {"key_set": "tokens"}


@pytest.fixture
async def system(staff: Staff) -> Member:
    return await staff.member(Role.SYSTEM_ADMIN)


@pytest.fixture
async def security(staff: Staff) -> Member:
    return await staff.member(Role.SECURITY_ADMIN)


def change(party: PartyView, **changes: Any) -> dict[str, Any]:
    """What is asked for to change a verifier."""
    said = {name: value for name, value in verifier().items() if name not in {"slug", "key"}}
    return {**said, "verifier_id": str(party.id), "state": "active", **changes}


async def alone(staff: Staff, who: Member, action: str, payload: dict[str, Any]) -> Any:
    return await staff.emergencies.act(who.caller, action, payload, reason="nobody else is there")


async def agreed(staff: Staff, action: str, payload: dict[str, Any], first: Member, second: Member) -> None:
    view = await staff.approvals.ask(first.caller, action, payload, reason="as we have agreed")
    await staff.approvals.decide(second.caller, view.id, approve=True, looked_at=view.payload_hash)


async def test_an_emergency_is_done_at_once_told_and_reviewed_by_somebody_else(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    view = await staff.emergencies.act(system.caller, "keys.retire", RETIRE, reason="the key is in a public place")
    assert await transaction(lambda: staff.approvals.spend(view.id, "keys.retire", RETIRE)) == (
        system.caller.operator_id,
        None,
    )
    jobs = {row["name"] for row in await fetch("SELECT name FROM job")}
    assert jobs == {"auth.announce-emergency", "auth.remind-of-emergency"}
    lines = await fetch("SELECT actor_id, outcome FROM audit_line WHERE action = 'auth.glass-broken'")
    assert [(line["actor_id"], line["outcome"]) for line in lines] == [(str(system.caller.operator_id), "keys.retire")]
    await staff.emergencies.announce(str(view.id))
    assert EMERGENCIES_OPEN._value.get() == 1
    start = (staff.ground.clock.now() - timedelta(days=1), view.id)
    assert [each.id for each in await staff.emergencies.list_open(after=start, limit=5)] == [view.id]
    with pytest.raises(SelfApproval):
        await staff.reviews.review(system.caller, view.id, Finding.JUSTIFIED)
    reviewed = await staff.reviews.review(security.caller, view.id, Finding.JUSTIFIED)
    assert (reviewed.finding, reviewed.reviewed_by) == (Finding.JUSTIFIED, security.caller.operator_id)
    with pytest.raises(ApprovalDecided):
        await staff.reviews.review(security.caller, view.id, Finding.UNJUSTIFIED)
    assert await staff.emergencies.count_open() == 0
    assert EMERGENCIES_OPEN._value.get() == 0
    assert await staff.emergencies.list_open(after=start, limit=5) == []


async def test_not_everything_is_an_emergency_and_not_everybody_may(staff: Staff) -> None:
    system, auditor = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.AUDITOR)
    for action in ("operators.grant-roles", "data.export"):
        with pytest.raises(RoleForbidden):
            await staff.emergencies.act(system.caller, action, {}, reason="because")
    with pytest.raises(RoleForbidden):
        await staff.emergencies.act(auditor.caller, "keys.retire", RETIRE, reason="because")
    # Roles count as they are now, not as they were when the request came in.
    await transaction(
        lambda: execute("UPDATE operator_account SET state = 'disabled' WHERE id = $1", system.caller.operator_id)
    )
    with pytest.raises(RoleForbidden):
        await staff.emergencies.act(system.caller, "keys.retire", RETIRE, reason="because")
    assert await fetch("SELECT id FROM approval") == []


async def test_an_emergency_is_no_approval_that_somebody_decides(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    view = await staff.emergencies.act(system.caller, "keys.retire", RETIRE, reason="because")
    with pytest.raises(NoSuchApproval):
        await staff.approvals.decide(security.caller, view.id, approve=True, looked_at=view.payload_hash)
    with pytest.raises(NoSuchApproval):
        await staff.approvals.change(system.caller, view.id, {"key": "other"})


# --- looked at afterwards ---------------------------------------------------------------------------------------------


async def test_whether_there_was_a_reason_shows_when_it_is_over(staff: Staff, system: Member, security: Member) -> None:
    used, unused = [await alone(staff, system, "keys.retire", RETIRE) for _ in range(2)]
    for view in (used, unused):
        with pytest.raises(EmergencyUnused):
            await staff.reviews.review(security.caller, view.id, Finding.JUSTIFIED)
    await transaction(lambda: staff.approvals.spend(used.id, "keys.retire", RETIRE))
    assert (await staff.reviews.review(security.caller, used.id, Finding.JUSTIFIED)).finding is Finding.JUSTIFIED
    staff.ground.clock.move(timedelta(hours=24))
    assert (await staff.reviews.review(security.caller, unused.id, Finding.JUSTIFIED)).state is ApprovalState.EXPIRED


async def test_what_was_found_unjustified_before_it_was_used_is_stopped(
    staff: Staff, system: Member, security: Member
) -> None:
    view = await alone(staff, system, "keys.retire", RETIRE)
    reviewed = await staff.reviews.review(security.caller, view.id, Finding.UNJUSTIFIED)
    assert (reviewed.state, reviewed.aftermath.undone) == (ApprovalState.WITHDRAWN, (Undone.STOPPED,))
    with pytest.raises(NotApproved):
        await transaction(lambda: staff.approvals.spend(view.id, "keys.retire", RETIRE))


async def test_a_use_and_a_stop_at_once_agree_on_what_happened(staff: Staff, system: Member, security: Member) -> None:
    for _ in range(8):
        view = await alone(staff, system, "keys.retire", RETIRE)
        spent, _ = await asyncio.gather(
            transaction(lambda view=view: staff.approvals.spend(view.id, "keys.retire", RETIRE)),  # type: ignore[misc]
            staff.reviews.review(security.caller, view.id, Finding.UNJUSTIFIED),
            return_exceptions=True,
        )
        seen = await staff.emergencies.get(view.id)
        if isinstance(spent, NotApproved):
            assert (seen.state, seen.aftermath.undone) == (ApprovalState.WITHDRAWN, (Undone.STOPPED,))
        else:
            assert (seen.state, dict(seen.aftermath.left)) == (ApprovalState.EXECUTED, {Left.KEYS_DESTROYED: 0})
        await staff.reviews.follow_up(security.caller, view.id, "looked into it")


async def test_of_many_reviews_at_once_one_counts(staff: Staff, system: Member) -> None:
    reviewers = [await staff.member(role) for role in (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.SECURITY_ADMIN)]
    view = await alone(staff, system, "verifiers.register", verifier())
    told = await asyncio.gather(
        *(staff.reviews.review(each.caller, view.id, Finding.UNJUSTIFIED) for each in reviewers),
        return_exceptions=True,
    )
    assert sum(isinstance(each, ApprovalDecided) for each in told) == 2
    assert len(await fetch("SELECT id FROM audit_line WHERE action = 'auth.emergency-undone'")) == 1


# --- undone -----------------------------------------------------------------------------------------------------------


async def test_a_verifier_let_in_without_a_reason_is_out_and_what_it_asked_is_counted(
    staff: Staff, system: Member, security: Member
) -> None:
    view = await alone(staff, system, "verifiers.register", verifier())
    party = await only(staff, PartyKind.VERIFIER)
    by = Actor(ActorKind.VERIFIER, str(party.id))
    for _ in range(3):
        await transaction(lambda: staff.ground.audit.record("certificates.verified", actor=by))
    reviewed = await staff.reviews.review(security.caller, view.id, Finding.UNJUSTIFIED)
    assert reviewed.aftermath.undone == (Undone.KEY_WITHDRAWN, Undone.PARTY_SUSPENDED)
    assert dict(reviewed.aftermath.left) == {Left.PARTY_ACTED: 3}
    party = await only(staff, PartyKind.VERIFIER)
    assert (party.state, [key.active for key in party.keys]) == (PartyState.SUSPENDED, [False])
    assert await staff.registered_keys.find("hotel-1-a") is None
    told = await fetch("SELECT action, actor_id FROM audit_line WHERE object_kind = 'party' ORDER BY at, id")
    assert [line["action"] for line in told] == [
        "auth.party-registered",
        "auth.party-key-withdrawn",
        "auth.party-suspended",
    ]
    assert {line["actor_id"] for line in told[1:]} == {str(security.caller.operator_id)}


async def test_a_departments_key_added_without_a_reason_is_withdrawn(
    staff: Staff, system: Member, security: Member
) -> None:
    def key(key_id: str) -> dict[str, Any]:
        return {"kind": "department", "slug": "taxation", "key": {"key_id": key_id, "public_key": pem()}}

    await agreed(staff, "keys.add", key("tax-1"), system, security)
    view = await alone(staff, system, "keys.add", key("tax-2"))
    reviewed = await staff.reviews.review(security.caller, view.id, Finding.UNJUSTIFIED)
    assert reviewed.aftermath.undone == (Undone.KEY_WITHDRAWN,)
    party = await only(staff, PartyKind.DEPARTMENT)
    assert {each.key_id: each.active for each in party.keys} == {"tax-1": True, "tax-2": False}
    assert party.state is PartyState.ACTIVE


async def test_what_a_verifier_may_read_is_put_back(staff: Staff, system: Member, security: Member) -> None:
    await agreed(staff, "verifiers.register", verifier(), system, security)
    before = await only(staff, PartyKind.VERIFIER)
    wide = {"contact": "somebody else", "networks": [], "purposes": {"anything": ["id_number"]}, "quota_per_day": 0}
    view = await alone(staff, system, "verifiers.change", change(before, **wide))
    assert (await only(staff, PartyKind.VERIFIER)).purposes == {"anything": ("id_number",)}
    reviewed = await staff.reviews.review(security.caller, view.id, Finding.UNJUSTIFIED)
    assert (reviewed.aftermath.undone, dict(reviewed.aftermath.left)) == ((Undone.PARTY_RESTORED,), {})
    after = await only(staff, PartyKind.VERIFIER)
    for name in ("purposes", "networks", "quota_per_day", "contact", "state", "name"):
        assert getattr(after, name) == getattr(before, name), name
    stored = repr(await fetch("SELECT * FROM approval"))
    assert "somebody else" not in stored
    assert "前台" not in stored


@pytest.mark.parametrize("state", ["active", "suspended"])
async def test_what_others_have_changed_since_is_suspended_and_not_put_back(
    staff: Staff, system: Member, security: Member, state: str
) -> None:
    await agreed(staff, "verifiers.register", verifier(), system, security)
    party = await only(staff, PartyKind.VERIFIER)
    view = await alone(staff, system, "verifiers.change", change(party, state=state, quota_per_day=7))
    await agreed(staff, "verifiers.change", change(party, state=state, quota_per_day=8), system, security)
    reviewed = await staff.reviews.review(security.caller, view.id, Finding.UNJUSTIFIED)
    assert reviewed.aftermath.undone == ((Undone.PARTY_SUSPENDED,) if state == "active" else ())
    assert dict(reviewed.aftermath.left) == {Left.PARTY_CHANGED_SINCE: 0}
    party = await only(staff, PartyKind.VERIFIER)
    assert (party.quota_per_day, party.state) == (8, PartyState.SUSPENDED)


@pytest.mark.parametrize(("before", "wanted"), [("active", "suspended"), ("suspended", "active")])
async def test_a_party_stands_again_as_it_stood(
    staff: Staff, system: Member, security: Member, before: str, wanted: str
) -> None:
    await agreed(staff, "verifiers.register", verifier(), system, security)
    party = await only(staff, PartyKind.VERIFIER)
    await agreed(staff, "verifiers.change", change(party, state=before), system, security)
    view = await alone(staff, system, "verifiers.change", change(party, state=wanted))
    assert (await only(staff, PartyKind.VERIFIER)).state == wanted
    await staff.reviews.review(security.caller, view.id, Finding.UNJUSTIFIED)
    assert (await only(staff, PartyKind.VERIFIER)).state == before


async def test_a_justified_one_stands(staff: Staff, system: Member, security: Member) -> None:
    view = await alone(staff, system, "verifiers.register", verifier())
    reviewed = await staff.reviews.review(security.caller, view.id, Finding.JUSTIFIED)
    assert (reviewed.aftermath.undone, dict(reviewed.aftermath.left)) == ((), {})
    assert (await only(staff, PartyKind.VERIFIER)).state is PartyState.ACTIVE
    with pytest.raises(NothingToFollowUp):
        await staff.reviews.follow_up(security.caller, view.id, "nothing to do")


# --- seen to ----------------------------------------------------------------------------------------------------------


async def test_an_unjustified_one_rings_and_bars_its_author_until_somebody_has_seen_to_it(
    staff: Staff, system: Member, security: Member
) -> None:
    view = await alone(staff, system, "keys.rotate", RETIRE)
    await transaction(lambda: staff.approvals.spend(view.id, "keys.rotate", RETIRE))
    reviewed = await staff.reviews.review(security.caller, view.id, Finding.UNJUSTIFIED)
    assert dict(reviewed.aftermath.left) == {Left.KEY_MADE: 0}
    (job,) = await fetch("SELECT payload FROM job WHERE name = 'auth.announce-unjustified'")
    assert str(view.id) in str(job["payload"])
    await staff.emergencies.count_open()
    assert (EMERGENCIES_OPEN._value.get(), EMERGENCIES_UNJUSTIFIED._value.get()) == (0, 1)
    start = (staff.ground.clock.now() - timedelta(days=1), view.id)
    assert [each.id for each in await staff.emergencies.list_open(after=start, limit=5)] == [view.id]
    with pytest.raises(EmergencyBarred):
        await alone(staff, system, "keys.retire", RETIRE)
    with pytest.raises(SelfApproval):
        await staff.reviews.follow_up(system.caller, view.id, "it is all right")
    noted = await staff.reviews.follow_up(security.caller, view.id, "talked to them; rotated again")
    assert (noted.followed_up_by, noted.follow_up) == (security.caller.operator_id, "talked to them; rotated again")
    with pytest.raises(NothingToFollowUp):
        await staff.reviews.follow_up(security.caller, view.id, "once more")
    await staff.emergencies.count_open()
    assert EMERGENCIES_UNJUSTIFIED._value.get() == 0
    assert await staff.emergencies.list_open(after=start, limit=5) == []
    await alone(staff, system, "keys.retire", RETIRE)
    assert "rotated again" not in repr(await fetch("SELECT * FROM approval"))
