"""Materials of real applications: settled with the submission, demanded only within the list, counted."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.types import Role, RoleGrant, StaffCaller, StaffScope
from core.db import fetch
from matters.applications.concerned import whom_it_concerns
from matters.errors import DemandUnlawful, MaterialExempt, MaterialsMissing, NoSuchApplication, StateForbids
from matters.materials.spared import Grouping, SparedMaterials
from matters.types import State
from tests.fakes.papers import PDF
from tests.matters.conftest import ENDORSEMENT, SETTLEMENT, Desk, jobs_named

PROOF = "proof-of-residence"
EVERYWHERE = [StaffScope()]
DAY = timedelta(days=1)


def clerk(desk: Desk) -> StaffCaller:
    return StaffCaller(desk.ground.ids.uuid(), desk.ground.ids.uuid(), "clerk", (RoleGrant(Role.ACCEPTOR),))


async def test_a_draft_shows_how_each_material_is_satisfied_and_why(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    assert {line.code: (line.way, line.source) for line in draft.materials} == {
        "identity": ("verified", "real-name"),
        "residence-permit": ("shared", "department:public-security"),
        PROOF: ("promise", ""),
    }
    assert all(line.reason.zh and line.reason.en for line in draft.materials)


async def test_what_was_settled_stays_whatever_happens_to_the_wallet(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    desk.holdings.fields.clear()
    view = await desk.view(caller, submitted.application_id)
    assert {line.code: line.way for line in view.materials} == {
        "identity": "verified",
        "residence-permit": "shared",
        PROOF: "promise",
    }
    rows = await fetch("SELECT way FROM application_material ORDER BY way")
    assert [row["way"] for row in rows] == ["promise", "shared", "verified"]


async def test_a_file_instead_of_a_promise_counts_as_handed_in(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    await desk.attachments.add(caller, draft.id, PROOF, PDF)
    await desk.submit(caller, draft.id)
    view = await desk.view(caller, draft.id)
    assert {line.code: (line.way, line.handed_in) for line in view.materials}[PROOF] == ("upload", True)


@pytest.mark.parametrize(
    ("matter", "material", "rule"),
    [
        (ENDORSEMENT, "residence-permit", "exempt-shared"),
        (SETTLEMENT, "degree", "exempt-shared"),
    ],
)
async def test_no_file_is_taken_for_what_the_state_has(desk: Desk, matter: str, material: str, rule: str) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, matter, {})
    with pytest.raises(MaterialExempt) as exempt:
        await desk.attachments.add(caller, draft.id, material, PDF)
    assert [(error.pointer, error.code) for error in exempt.value.extras.errors] == [("/material", rule)]
    assert desk.files.files == {}


async def test_a_clerk_asks_for_what_may_follow_and_the_case_waits_for_the_file(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    await desk.demands.demand(clerk(desk), submitted.application_id, [PROOF], "请补充租房合同")
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.SUPPLEMENT_REQUESTED
    assert view.timeline[-1].note.endswith("请补充租房合同")
    assert [job["event"] for job in await jobs_named("notices.tell")] == ["matters.supplement-requested"]
    with pytest.raises(MaterialsMissing) as missing:
        await desk.supplements.hand_in(caller, view.id, "")
    assert [error.pointer for error in missing.value.extras.errors] == [f"/attachments/{PROOF}"]
    await desk.attachments.add(caller, view.id, PROOF, PDF)
    assert (await desk.supplements.hand_in(caller, view.id, "")).state is State.PRE_REVIEW


@pytest.mark.parametrize(
    ("wanted", "rules"),
    [
        (["identity"], ["exempt-verified"]),
        (["residence-permit", PROOF], ["exempt-shared"]),
        (["marriage-certificate"], ["unpublished"]),
    ],
)
async def test_what_is_spared_or_not_published_is_not_demanded(desk: Desk, wanted: list[str], rules: list[str]) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    with pytest.raises(DemandUnlawful) as unlawful:
        await desk.demands.demand(clerk(desk), submitted.application_id, wanted, "请补充")
    assert [error.code for error in unlawful.value.extras.errors] == rules
    assert (await desk.view(caller, submitted.application_id)).state is State.PRE_REVIEW


async def test_nothing_is_demanded_of_a_draft_or_out_of_turn(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    with pytest.raises(NoSuchApplication):
        await desk.demands.demand(clerk(desk), draft.id, [PROOF], "请补充")
    await desk.submit(caller, draft.id)
    with pytest.raises(StateForbids):
        await desk.demands.demand(clerk(desk), draft.id, [PROOF], "请补充")


async def test_what_was_spared_is_counted_as_far_as_an_operator_reaches(desk: Desk) -> None:
    for matter in (ENDORSEMENT, ENDORSEMENT, SETTLEMENT):
        await desk.submitted(desk.citizen(), matter)
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    await desk.attachments.add(caller, draft.id, PROOF, PDF)
    await desk.submit(caller, draft.id)
    now, spared = desk.ground.clock.now(), SparedMaterials()
    whole, parts = await spared.count(since=now - DAY, until=now + DAY, by=Grouping.WAY, scopes=EVERYWHERE)
    assert (whole.materials, whole.spared) == (14, 13)
    assert {part.key: (part.materials, part.spared) for part in parts} == {
        "promise": (2, 2),
        "shared": (7, 7),
        "upload": (1, 0),
        "verified": (4, 4),
    }
    about = await whom_it_concerns(draft.id)
    scopes = [StaffScope(department=about.department)]
    mine, by_matter = await spared.count(since=now - DAY, until=now + DAY, by=Grouping.MATTER, scopes=scopes)
    assert (mine.materials, mine.spared, mine.rate) == (9, 8, 8 / 9)
    assert [part.key for part in by_matter] == [about.matter]
    empty, _ = await spared.count(
        since=datetime(2020, 1, 1, tzinfo=UTC), until=now - DAY, by=Grouping.DEPARTMENT, scopes=EVERYWHERE
    )
    assert empty.rate is None
