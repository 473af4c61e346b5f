"""Figures of what goes to departments: each kind by its state, with the age of the oldest."""

from datetime import timedelta

from core.db import execute, transaction
from core.metrics import REGISTRY
from matters.cases.watch import look_at_deliveries
from matters.errors import DossierDeclined
from tests.matters.branches.test_branches import in_branches, sent
from tests.matters.conftest import Desk


def figure(name: str, what: str, state: str) -> float | None:
    return REGISTRY.get_sample_value(f"zhijian_{name}", {"what": what, "state": state})


async def test_what_waits_for_a_person_is_counted_and_aged_until_it_is_settled(desk: Desk) -> None:
    _, submitted = await in_branches(desk)
    desk.common_desk.failures = [DossierDeclined("department-desk", "not-ours")]
    await sent(desk)
    later = desk.ground.clock.now() + timedelta(hours=5)
    await look_at_deliveries(later)
    assert figure("deliveries", "branch", "refused") == 1
    assert figure("delivery_oldest_seconds", "branch", "refused") == timedelta(hours=5).total_seconds()
    assert figure("deliveries", "branch", "pending") == 0
    assert figure("deliveries", "dossier", "pending") == 0
    assert figure("deliveries", "letter", "unknown") == 0

    settled = "UPDATE case_branch SET state = 'cancelled' WHERE application_id = $1"
    await transaction(lambda: execute(settled, submitted.application_id))
    await look_at_deliveries(later)
    assert figure("deliveries", "branch", "refused") == 0
    assert figure("delivery_oldest_seconds", "branch", "refused") == 0
