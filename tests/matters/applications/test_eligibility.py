"""Checks at four departments at once."""

import asyncio
from collections.abc import Mapping

import pytest

from core.db import as_json, fetch
from matters.applications.eligibility import Eligibility
from matters.errors import MatterUnknown, NotCheckable
from matters.settings import MatterSettings
from matters.types import Applicant, Fact, Outcome
from tests.fakes.matters import FakeRecords
from tests.matters.conftest import ENDORSEMENT, SETTLEMENT, Desk, count_of, good_records


async def test_four_good_answers_make_the_applicant_eligible(desk: Desk) -> None:
    examined = await desk.eligibility.check(desk.citizen(), SETTLEMENT)
    assert examined.outcome == "eligible"
    assert [each.read.outcome for each in examined.checks] == [Outcome.PASSED] * 4
    assert all(each.read.text.zh and each.read.text.en for each in examined.checks)


@pytest.mark.parametrize(
    ("department", "facts", "outcome"),
    [
        ("education", {"result": "none"}, "not_eligible"),
        ("public-security", {"result": "conflict"}, "not_eligible"),
        ("real-estate", {"result": "none"}, "unclear"),
        ("human-resources", {"insured": False}, "eligible"),
        ("education", None, "unavailable"),
    ],
)
async def test_each_department_may_change_the_outcome(
    desk: Desk, department: str, facts: Mapping[str, Fact] | None, outcome: str
) -> None:
    desk.records[department].facts = facts
    assert (await desk.eligibility.check(desk.citizen(), SETTLEMENT)).outcome == outcome


async def test_departments_are_asked_at_the_same_time(desk: Desk) -> None:
    all_asked = asyncio.Barrier(4)

    class Waiting(FakeRecords):
        async def ask(self, applicant: Applicant, *, purpose: str) -> Mapping[str, Fact]:
            async with asyncio.timeout(2):
                await all_asked.wait()
            return await super().ask(applicant, purpose=purpose)

    eligibility = Eligibility(
        catalogue=desk.catalogue,
        people=desk.people,
        records={name: Waiting(each.facts) for name, each in good_records().items()},
        audit=desk.ground.audit,
        limits=desk.ground.limits,
        clock=desk.ground.clock,
        settings=MatterSettings(),
    )
    assert (await eligibility.check(desk.citizen(), SETTLEMENT)).outcome == "eligible"


async def test_a_check_leaves_a_line_in_the_ledger_and_nothing_else(desk: Desk) -> None:
    caller = desk.citizen()
    await desk.eligibility.check(caller, SETTLEMENT)
    [line] = await fetch("SELECT * FROM audit_line WHERE action = 'matters.checked'")
    assert str(line["subject_id"]) == str(caller.citizen_id)
    assert line["purpose"] == "资格核验：应届毕业生落户"
    assert as_json(line["field_names"]) == ["name", "id_number"]
    assert line["object_kind"] == "departments"
    assert line["object_id"] == "education,human-resources,public-security,real-estate"
    assert await count_of("application") == 0


async def test_only_matters_with_rules_are_checked(desk: Desk) -> None:
    with pytest.raises(NotCheckable):
        await desk.eligibility.check(desk.citizen(), ENDORSEMENT)
    with pytest.raises(MatterUnknown):
        await desk.eligibility.check(desk.citizen(), "nothing")


def test_a_catalogue_that_names_records_nobody_answers_for_stops_the_start(desk: Desk) -> None:
    with pytest.raises(ValueError, match="education"):
        Eligibility(
            catalogue=desk.catalogue,
            people=desk.people,
            records={name: each for name, each in good_records().items() if name != "education"},
            audit=desk.ground.audit,
            limits=desk.ground.limits,
            clock=desk.ground.clock,
            settings=MatterSettings(),
        )


async def test_a_decision_keeps_a_digest_of_what_it_rests_on_and_none_of_it(desk: Desk) -> None:
    digests = []
    for insured in (True, True, False):
        desk.records["human-resources"].facts = {"insured": insured}
        submitted = await desk.submitted(desk.citizen(), SETTLEMENT)
        await desk.deliver(submitted.application_id)
        data = (await desk.history.read(submitted.application_id))[-1].data
        assert data["rule_version"] == "graduate-settlement@1"
        assert "bachelor" not in str(data)
        digests.append(data["facts_digest"])
    assert digests[0] == digests[1] != digests[2]
