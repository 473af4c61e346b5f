"""The shipped catalogue has the shape that was promised, counted anew each time."""

from pathlib import Path

import pytest

from api.wiring.embedded import EmbeddedFolder
from matters.catalogue.figures import figures_of
from matters.catalogue.loading import load_vocabulary
from matters.catalogue.terms.types import Offer
from matters.catalogue.types import Handling, Published, Way
from tests.fakes.shipped import shipped_matters

PUBLISHED = shipped_matters()
FIGURES = figures_of(PUBLISHED, load_vocabulary())
# What the source texts name, and what must be handled in full here.
NAMED = (
    "school-place", "graduate-settlement", "household-move", "id-card-elsewhere", "passport-application",
    "hk-macau-endorsement", "taiwan-endorsement", "residence-permit-endorsement", "camera-fine", "wrong-fine-appeal",
    "vehicle-inspection-elsewhere", "pension-eligibility", "residence-permit", "real-estate-pre-acceptance",
    "notary-birth", "notary-education", "notary-degree", "notary-no-criminal-record", "medical-elsewhere",
    "rent-withdrawal",
)  # fmt: skip


def matter(slug: str) -> Published:
    return next(each for each in PUBLISHED if each.matter.slug == slug)


def test_155_services_of_which_72_are_handled_in_full() -> None:
    assert (FIGURES.matters, FIGURES.handled) == (155, 72)
    assert FIGURES.queries + FIGURES.explained == 83
    assert sum(each.matters for each in FIGURES.departments) == 155


def test_30_without_a_visit_and_9_from_four_or_more_to_one() -> None:
    assert (FIGURES.without_visit, FIGURES.from_many_visits_to_one) == (30, 9)


def test_ten_kinds_of_certificates_and_three_groups() -> None:
    assert len(FIGURES.kinds) == 10
    assert FIGURES.zones == ("disabled", "elderly", "migrant-workers")


def test_20_go_deep_and_52_come_from_templates_with_their_own_conditions_and_materials() -> None:
    assert (FIGURES.deep, FIGURES.by_template) == (20, 52)
    made = [each.matter for each in PUBLISHED if each.matter.template and each.matter.offer is Offer.HANDLING]
    own = {(each.conditions, tuple(material.code for material in each.materials)) for each in made}
    assert len(own) == 52
    deep = [each.matter for each in PUBLISHED if not each.matter.template and each.matter.offer is Offer.HANDLING]
    assert len({str(each.form["properties"]) for each in deep}) == 20


def test_the_notary_has_20_without_a_visit_and_13_within_an_hour() -> None:
    assert (FIGURES.notary_without_visit, FIGURES.notary_within_an_hour) == (20, 13)


def test_people_bring_at_least_70_percent_less_than_before() -> None:
    assert FIGURES.materials_cut >= 0.7
    assert 0 < FIGURES.days_saved < 1


@pytest.mark.parametrize("slug", NAMED)
def test_the_matters_that_the_sources_name_are_handled_in_full(slug: str) -> None:
    assert matter(slug).matter.offer is Offer.HANDLING
    assert matter(slug).matter.handling is not Handling.NONE


def test_the_driving_test_is_explained_because_bookings_are_not_taken_here() -> None:
    assert matter("driving-test-booking").matter.offer is Offer.INFORMATION


def test_school_place_asks_for_no_paper_and_promises_two_days() -> None:
    school = matter("school-place").matter
    assert school.promised_limit.days == 2
    assert all(way.way is not Way.UPLOAD for each in school.materials[1:] for way in each.ways)


def test_everything_is_marked_as_demonstration_data() -> None:
    assert all(each.demonstration and "演示数据" in each.notice.zh for each in PUBLISHED)


def test_every_department_with_matters_at_the_common_desk_has_a_key_there(tmp_path: Path) -> None:
    EmbeddedFolder(tmp_path).prepare()
    keys = EmbeddedFolder(tmp_path).partners("http://127.0.0.1:1")["department_desk"]["callback_public_keys"]
    assert {each.department.slug for each in PUBLISHED if each.desk == "department-desk"} <= keys.keys()
