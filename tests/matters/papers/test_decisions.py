"""What stands on a decision is written in words."""

from datetime import UTC, datetime

from matters.catalogue.catalogue import Catalogue
from matters.papers.decisions import Decided, content_of
from matters.types import Result, State
from tests.fakes.shipped import shipped_matters

AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def test_what_a_department_gives_stands_in_words() -> None:
    published = next(
        each for each in Catalogue(shipped_matters()).all if each.matter.slug == "residence-permit-endorsement"
    )
    result = Result(State.APPROVED, AT, details={"endorsed_until": "2027-03-20", "of_its_own": True})
    decided = Decided(published, "1-06", "1", "某人", AT, result, ())
    lines = {section["title"]: section["lines"] for section in content_of(decided, "code")["sections"]}
    # A name that no page has is not lost: it stands as it came.
    assert lines["部门给出的结果"] == ["签注有效期至：2027-03-20", "of_its_own：是"]
