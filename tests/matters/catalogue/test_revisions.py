"""The dynamic list: who drafts, who publishes, what counts when, and what running cases keep."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auth.staff.errors import SelfApproval
from auth.types import Role, StaffCaller
from core.db import transaction
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.comparing import raw_of
from matters.catalogue.lint.checking import Lint
from matters.catalogue.loading import load_surroundings
from matters.catalogue.revisions.editing import Revisions
from matters.catalogue.revisions.errors import (
    NoSuchRevision,
    OperationForbidden,
    RevisionChanged,
    RevisionRejected,
    RevisionSettled,
    RevisionTaken,
    RevisionUnreadable,
)
from matters.catalogue.revisions.living import LivingCatalogue
from matters.catalogue.revisions.publishing import Publishing
from matters.catalogue.revisions.store import list_operations, read_codes, read_revision
from matters.catalogue.revisions.types import OperationKind, RevisionState, Row
from matters.catalogue.types import Published
from matters.errors import CaseNotYours, DemandUnlawful, MaterialsMissing, MatterUnknown
from matters.types import State
from tests.fakes.shipped import shipped_matters
from tests.fakes.staff import Staff, make_staff
from tests.matters.conftest import Desk, count_of

SHIPPED = shipped_matters()
FINE, APPEAL = "camera-fine", "wrong-fine-appeal"
ACTION = "matters.change-list"


@dataclass(frozen=True, slots=True)
class Keeping:
    """Those who keep the list, over the desk's own catalogue."""

    desk: Desk
    staff: Staff
    living: LivingCatalogue
    revisions: Revisions
    publishing: Publishing
    operator: StaffCaller
    approver: StaffCaller

    @property
    def catalogue(self) -> Catalogue:
        return self.desk.catalogue

    def content(self, which: str, **members: object) -> dict[str, Any]:
        """Return a published matter as JSON, changed."""
        return raw_of(self.catalogue.find(which).matter) | members

    async def checked(self, content: Mapping[str, Any], department: str = "public-security") -> Row:
        row = await self.revisions.draft(self.operator, department, content)
        return await self.revisions.check(self.operator, row.id, edition=row.edition)

    async def agreed(self, kind: str, *rows: Row, sources: list[str] | None = None, **more: Any) -> None:
        """Ask for an operation and have it approved, as two people do."""
        payload = {"kind": kind, "sources": sources or [], "revisions": [str(row.id) for row in rows], **more}
        view = await self.staff.approvals.ask(self.operator, ACTION, payload, reason="调整清单")
        await self.staff.approvals.decide(self.approver, view.id, approve=True, looked_at=view.payload_hash)
        await self.living.look()

    def code(self, slug: str) -> str:
        return self.catalogue.find(slug).matter.code


@pytest.fixture
async def keeping(desk: Desk) -> Keeping:
    ground = desk.ground
    staff = make_staff(ground)
    living = LivingCatalogue(catalogue=desk.catalogue, shipped=SHIPPED, clock=ground.clock)
    base: dict[str, Any] = {"audit": ground.audit, "clock": ground.clock, "ids": ground.ids}
    publishing = Publishing(catalogue=desk.catalogue, living=living, **base)
    staff.approvals.take_on({ACTION: publishing.do}, {ACTION: publishing.check})

    async def caller(role: Role) -> StaffCaller:
        return await staff.caller(await staff.log_in(await staff.member(role)))

    return Keeping(
        desk=desk,
        staff=staff,
        living=living,
        revisions=Revisions(catalogue=desk.catalogue, living=living, lint=Lint(load_surroundings()), **base),
        publishing=publishing,
        operator=await caller(Role.OPERATOR),
        approver=await caller(Role.APPROVER),
    )


def promised(published: Published) -> int:
    return published.matter.promised_limit.days


async def test_a_revision_counts_once_two_people_have_published_it(keeping: Keeping) -> None:
    row = await keeping.revisions.draft(
        keeping.operator, "public-security", keeping.content(APPEAL, promised_limit={"days": 2})
    )
    assert (row.state, row.version) == (RevisionState.DRAFT, 2)
    found = await keeping.revisions.differences(row.id)
    assert [(each.path, each.before, each.after) for each in found or ()] == [
        ("version", "1", "2"),
        ("promised_limit/days", "1", "2"),
    ]
    with pytest.raises(RevisionSettled):
        await keeping.agreed("publish", row)
    row = await keeping.revisions.check(keeping.operator, row.id, edition=row.edition)
    assert row.state is RevisionState.CHECKED
    await keeping.living.look()
    assert promised(keeping.catalogue.find(APPEAL)) == 1
    await keeping.agreed("publish", row)
    assert promised(keeping.catalogue.find(APPEAL)) == 2
    assert (await read_revision(row.id)).state is RevisionState.PUBLISHED
    assert len(keeping.catalogue.all) == 155


async def test_nobody_publishes_alone(keeping: Keeping) -> None:
    row = await keeping.checked(keeping.content(APPEAL, promised_limit={"days": 2}))
    payload = {"kind": "publish", "sources": [], "revisions": [str(row.id)]}
    view = await keeping.staff.approvals.ask(keeping.operator, ACTION, payload, reason="调整清单")
    with pytest.raises(SelfApproval):
        await keeping.staff.approvals.decide(keeping.operator, view.id, approve=True, looked_at=view.payload_hash)
    await keeping.living.look()
    assert promised(keeping.catalogue.find(APPEAL)) == 1


async def test_a_revision_waits_for_its_time_and_ends_at_its_time(keeping: Keeping) -> None:
    clock = keeping.desk.ground.clock
    row = await keeping.checked(keeping.content(APPEAL, promised_limit={"days": 2}))
    later = clock.now() + timedelta(days=3)
    await keeping.agreed("publish", row, effective_at=later.isoformat())
    assert promised(keeping.catalogue.find(APPEAL)) == 1
    clock.move(timedelta(days=2, hours=23, minutes=59))
    await keeping.living.look()
    assert promised(keeping.catalogue.find(APPEAL)) == 1
    clock.move(timedelta(minutes=1))
    await keeping.living.look()
    assert promised(keeping.catalogue.find(APPEAL)) == 2
    end = clock.now() + timedelta(days=1)
    await keeping.agreed("cancel", sources=[keeping.code(APPEAL)], effective_at=end.isoformat())
    assert promised(keeping.catalogue.find(APPEAL)) == 2
    clock.move(timedelta(days=1))
    await keeping.living.look()
    with pytest.raises(MatterUnknown):
        keeping.catalogue.find(APPEAL)


async def test_a_running_case_keeps_the_version_it_was_begun_with(keeping: Keeping) -> None:
    desk = keeping.desk
    caller = desk.citizen()
    form = {"notice_number": "9999990000008371", "reason": "wrong-record", "situation": "不是我的车"}
    begun = await desk.drafts.start(caller, APPEAL, form)
    extra = {
        "code": "dashcam",
        "title": {"zh": "行车记录", "en": "Dash camera"},
        "necessity": "1",
        "form": "电子",
        "source": "申请人自备",
        "ways": [{"way": "upload", "text": {"zh": "上传行车记录", "en": "Upload it"}}],
    }
    content = keeping.content(APPEAL)
    content["materials"].append(extra)
    await keeping.agreed("publish", await keeping.checked(content))
    submitted = await desk.submit(caller, begun.id)
    await desk.deliver(begun.id)
    assert submitted.state is State.SUBMITTED
    fresh = await desk.drafts.start(caller, APPEAL, form)
    with pytest.raises(MaterialsMissing):
        await desk.submit(caller, fresh.id)
    # What the new version has cannot be demanded in the case that was begun before it.
    with pytest.raises(DemandUnlawful) as refused:
        await desk.demands.require_lawful("public-security", submitted.number, ["evidence", "dashcam"])
    [told] = refused.value.extras.errors
    assert (told.pointer, told.code) == ("/materials/1", "unpublished")
    await desk.demands.require_lawful("public-security", submitted.number, ["evidence"])


async def test_a_department_demands_nothing_beyond_what_is_published_and_nothing_elsewhere(keeping: Keeping) -> None:
    desk = keeping.desk
    submitted = await desk.submitted(desk.citizen())
    with pytest.raises(DemandUnlawful):
        await desk.demands.require_lawful("public-security", submitted.number, ["hair"])
    for department, number in (("notary", submitted.number), ("public-security", "1" * 43)):
        with pytest.raises(CaseNotYours):
            await desk.demands.require_lawful(department, number, ["hair"])


async def test_a_withdrawn_matter_is_begun_no_more_and_its_cases_go_on(keeping: Keeping) -> None:
    desk = keeping.desk
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    code = keeping.code("residence-permit-endorsement")
    await keeping.agreed("cancel", sources=[code])
    with pytest.raises(MatterUnknown):
        await desk.drafts.start(caller, "residence-permit-endorsement", {})
    assert len(keeping.catalogue.all) == 154
    await desk.deliver(submitted.application_id)
    await desk.hear(submitted.number, 1, State.ACCEPTED)
    await desk.hear(submitted.number, 2, State.APPROVED)
    view = await desk.view(caller, submitted.application_id)
    assert (view.state, view.title) == (State.APPROVED, "居住证签注")


def renamed(content: dict[str, Any], number: int, slug: str, title: str, **members: object) -> dict[str, Any]:
    basic = f"0001099{number:02d}001"
    content = {**content, "basic_code": basic, "slug": slug, "title": {"zh": title, "en": slug}, **members}
    del content["code"], content["item_code"]
    return content


async def test_matters_are_merged_split_and_delegated_and_the_counts_follow(keeping: Keeping) -> None:
    fine, appeal = keeping.code(FINE), keeping.code(APPEAL)
    merged = await keeping.checked(renamed(keeping.content(FINE), 1, "traffic-violation", "交通违法处理和申诉"))
    await keeping.agreed("merge", merged, sources=[fine, appeal])
    assert keeping.catalogue.find("traffic-violation").matter.code == merged.code
    for slug in (FINE, APPEAL):
        with pytest.raises(MatterUnknown):
            keeping.catalogue.find(slug)
    parts = [
        await keeping.checked(renamed(keeping.content("traffic-violation"), 2 + n, f"part-{n}", f"交通违法之{n}"))
        for n in (1, 2)
    ]
    await keeping.agreed("split", *parts, sources=[merged.code])
    lower = keeping.content("passport-application", exercised_at="4")
    del lower["code"], lower["item_code"]
    lower["slug"] = "passport-application-in-the-county"
    delegated = await keeping.checked(lower)
    await keeping.agreed("delegate", delegated, sources=[keeping.code("passport-application")])
    counts = {each.department: each for each in await keeping.publishing.counts()}
    police = counts["public-security"]
    assert (police.before, police.after) == (49, 49)
    assert dict(police.by_kind) == {OperationKind.MERGE: 1, OperationKind.SPLIT: 1, OperationKind.DELEGATE: 1}
    assert sum(each.after for each in counts.values()) == 155
    lines = await list_operations(before=(datetime(2100, 1, 1, tzinfo=UTC), keeping.operator.operator_id), limit=10)
    assert {line.kind for line in lines} == {OperationKind.MERGE, OperationKind.SPLIT, OperationKind.DELEGATE}
    assert all(line.approved_by == str(keeping.approver.operator_id) for line in lines)
    assert set(await read_codes()) >= {fine, appeal, merged.code}


@pytest.mark.parametrize(
    ("kind", "sources"),
    [
        ("merge", [FINE]), ("split", [FINE]), ("cancel", []), ("publish", [FINE]), ("delegate", [FINE]),
        ("cancel", [FINE, FINE]), ("cancel", ["nothing"]), ("merge", [FINE, "notary-birth"]),
    ],
)  # fmt: skip
async def test_an_operation_that_makes_no_sense_is_refused_at_once(
    keeping: Keeping, kind: str, sources: list[str]
) -> None:
    rows = [] if kind == "cancel" else [await keeping.checked(renamed(keeping.content(FINE), 9, "another", "另一项"))]
    codes = ["9" * 31 if slug == "nothing" else keeping.code(slug) for slug in sources]
    with pytest.raises(OperationForbidden):
        await keeping.agreed(kind, *rows, sources=codes)
    assert await count_of("list_operation") == 0


async def test_what_breaks_a_rule_is_not_checked_and_each_rule_is_named(keeping: Keeping) -> None:
    bad = keeping.content(APPEAL, promised_limit={"days": 99}, slug=FINE)
    row = await keeping.revisions.draft(keeping.operator, "public-security", bad)
    with pytest.raises(RevisionRejected) as rejected:
        await keeping.revisions.check(keeping.operator, row.id, edition=row.edition)
    assert {error.code for error in rejected.value.extras.errors} >= {"promised-limit", "doubled"}
    mended = await keeping.revisions.amend(keeping.operator, row.id, keeping.content(APPEAL), edition=row.edition)
    checked = await keeping.revisions.check(keeping.operator, row.id, edition=mended.edition)
    again = await keeping.revisions.amend(keeping.operator, row.id, keeping.content(APPEAL), edition=checked.edition)
    assert again.state is RevisionState.DRAFT


async def test_a_draft_may_be_made_from_a_template(keeping: Keeping) -> None:
    row = await keeping.checked(
        {
            "template": "notarial-certificate",
            "slug": "notary-good-standing",
            "basic_code": "000112099001",
            "title": {"zh": "良好记录公证", "en": "Notarial certificate: good standing"},
            "aliases": ["良民证"],
            "summary": {"zh": "三个工作日出具。", "en": "Within three working days."},
            "materials": ["identity", "household-record"],
        },
        "notary",
    )
    await keeping.agreed("publish", row)
    made = keeping.catalogue.find("notary-good-standing")
    assert made.department.slug == "notary"
    assert len(keeping.catalogue.all) == 156


@pytest.mark.parametrize(
    ("department", "content"),
    [
        ("fire-brigade", {}),
        ("notary", {}),
        ("notary", {"template": "wish"}),
        ("notary", {"template": "notarial-certificate", "materials": ["wish"]}),
        ("notary", {"template": "notarial-certificate", "slug": 7}),
    ],
)
async def test_what_is_no_matter_is_refused_with_its_place(
    keeping: Keeping, department: str, content: dict[str, Any]
) -> None:
    with pytest.raises(RevisionUnreadable) as refused:
        await keeping.revisions.draft(keeping.operator, department, content)
    assert refused.value.extras.errors


async def test_one_revision_of_a_matter_is_under_way_at_a_time(keeping: Keeping) -> None:
    content = keeping.content(APPEAL)
    drafts = [keeping.revisions.draft(keeping.operator, "public-security", content) for _ in range(8)]
    done = await asyncio.gather(*drafts, return_exceptions=True)
    rows = [each for each in done if isinstance(each, Row)]
    assert len(rows) == 1
    assert all(isinstance(each, RevisionTaken) for each in done if not isinstance(each, Row))
    [row] = rows
    with pytest.raises(RevisionChanged):
        await keeping.revisions.amend(keeping.operator, row.id, content, edition=row.edition + 1)
    other = keeping.content(FINE)
    with pytest.raises(RevisionUnreadable):
        await keeping.revisions.amend(keeping.operator, row.id, other, edition=row.edition)
    await keeping.revisions.drop(keeping.operator, row.id, edition=row.edition)
    with pytest.raises(NoSuchRevision):
        await read_revision(row.id)


async def test_two_approvals_of_one_revision_publish_it_once(keeping: Keeping) -> None:
    row = await keeping.checked(keeping.content(APPEAL, promised_limit={"days": 2}))
    payload = {"kind": "publish", "sources": [], "revisions": [str(row.id)]}
    views = [await keeping.staff.approvals.ask(keeping.operator, ACTION, payload, reason="调整清单") for _ in range(2)]
    decided = await asyncio.gather(
        *(
            keeping.staff.approvals.decide(keeping.approver, view.id, approve=True, looked_at=view.payload_hash)
            for view in views
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(each, RevisionSettled) for each in decided) == 1
    assert await count_of("list_operation") == 1
    row = await read_revision(row.id)
    with pytest.raises(RevisionSettled):
        await keeping.revisions.drop(keeping.operator, row.id, edition=row.edition)


async def test_a_file_of_a_higher_version_comes_with_a_release(keeping: Keeping) -> None:
    await keeping.agreed("publish", await keeping.checked(keeping.content(APPEAL, promised_limit={"days": 2})))
    shipped = [
        replace(each, matter=replace(each.matter, version=3)) if each.matter.slug == APPEAL else each
        for each in SHIPPED
    ]
    catalogue = Catalogue(shipped)
    living = LivingCatalogue(catalogue=catalogue, shipped=shipped, clock=keeping.desk.ground.clock)
    await living.look()
    assert (catalogue.find(APPEAL).matter.version, promised(catalogue.find(APPEAL))) == (3, 1)
    code = catalogue.find(APPEAL).matter.code
    assert promised(catalogue.of_case(code, 2)) == 2


async def test_nothing_is_done_outside_the_transaction_that_approves_it(keeping: Keeping) -> None:
    row = await keeping.checked(keeping.content(APPEAL, promised_limit={"days": 2}))
    payload = {"kind": "publish", "sources": [], "revisions": [str(row.id)]}
    with pytest.raises(RuntimeError):
        await keeping.publishing.do(payload, keeping.approver)

    async def half() -> None:
        await keeping.publishing.do(payload, keeping.approver)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await transaction(half)
    assert (await read_revision(row.id)).state is RevisionState.CHECKED
    assert json.dumps(dict((await read_revision(row.id)).content))
