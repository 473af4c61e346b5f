"""What delegation decides, from values alone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.delegation.errors import MandateInvalid, TooYoung, UsccInvalid
from auth.delegation.rules import (
    birthday,
    check_terms,
    is_usable,
    parse_organisation_name,
    parse_uscc,
    require_adult,
    state_now,
    uscc_is_right,
)
from auth.delegation.types import MandateState, Relation, Terms
from auth.types import Scope
from core.pii import IdNumber
from tests.fakes.delegation import number_of

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    "code",
    [
        "11100000MB0341032Y",
        "11100000000013338W",
        "12441500196720244T",
        "914403006990676707",
        "11999999MB0000019T",
        "91999999MA0000170G",
    ],
)
def test_real_credit_codes_are_right(code: str) -> None:
    assert uscc_is_right(code)
    assert parse_uscc(f" {code.lower()} ") == code


@pytest.mark.parametrize("code", ["", "11100000MB0341032X", "11100000MB034103", "11100000IB0341032Y"])
def test_wrong_credit_codes_are_found(code: str) -> None:
    assert not uscc_is_right(code)
    with pytest.raises(UsccInvalid) as refused:
        parse_uscc(code)
    assert [error.pointer for error in refused.value.extras.errors] == ["/uscc"]


@given(st.sampled_from(["11100000MB0341032Y", "914403006990676707"]), st.integers(0, 16), st.data())
def test_one_wrong_character_is_always_found(code: str, place: int, data: st.DataObject) -> None:
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY".replace(code[place], "")
    wrong = code[:place] + data.draw(st.sampled_from(letters)) + code[place + 1 :]
    assert not uscc_is_right(wrong)


def test_names_of_organisations_are_read_as_people_type_them() -> None:
    assert parse_organisation_name("  示例（东湖)有限公司 ") == "示例（东湖）有限公司"


def test_a_birthday_begins_at_midnight_in_china() -> None:
    number = IdNumber.parse(number_of(1, "20170601"))
    assert birthday(number, 14) == datetime(2031, 5, 31, 16, 0, tzinfo=UTC)
    assert number.age_on(date(2031, 5, 31)) == 13
    assert number.age_on(date(2031, 6, 1)) == 14


def test_who_was_born_on_a_leap_day_is_older_on_the_first_of_march() -> None:
    number = IdNumber.parse(number_of(1, "20160229"))
    assert birthday(number, 14) == datetime(2030, 2, 28, 16, 0, tzinfo=UTC)
    assert number.age_on(date(2030, 2, 28)) == 13
    assert number.age_on(date(2030, 3, 1)) == 14


def test_eighteen_is_of_age() -> None:
    require_adult(IdNumber.parse(number_of(1, "20080310")), date(2026, 3, 10))
    with pytest.raises(TooYoung):
        require_adult(IdNumber.parse(number_of(1, "20080311")), date(2026, 3, 10))


@pytest.mark.parametrize(
    ("certificates", "matters", "ends_in", "pointers"),
    [
        (None, None, timedelta(seconds=1), []),
        (None, frozenset(), YEAR, []),
        (frozenset(), frozenset({"119999"}), YEAR, []),
        (frozenset(), frozenset(), YEAR, ["/scope"]),
        (frozenset({"a,b"}), frozenset(), YEAR, ["/scope/certificates"]),
        (frozenset(), frozenset({"%"}), YEAR, ["/scope/matters"]),
        (frozenset(), frozenset(str(number) for number in range(51)), YEAR, ["/scope/matters"]),
        (None, None, timedelta(0), ["/ends_at"]),
        (None, None, YEAR + timedelta(seconds=1), ["/ends_at"]),
        (frozenset(), frozenset(), timedelta(days=-1), ["/scope", "/ends_at"]),
    ],
)
def test_a_mandate_covers_something_and_ends_in_time(
    certificates: frozenset[str] | None, matters: frozenset[str] | None, ends_in: timedelta, pointers: list[str]
) -> None:
    terms = Terms(Scope(certificates, matters), NOW + ends_in, one_time=False)
    if not pointers:
        check_terms(terms, NOW, longest=YEAR)
        return
    with pytest.raises(MandateInvalid) as refused:
        check_terms(terms, NOW, longest=YEAR)
    assert [error.pointer for error in refused.value.extras.errors] == pointers


@given(st.sampled_from(list(MandateState)), st.integers(-10, 10))
def test_nothing_is_usable_that_is_over(state: MandateState, seconds: int) -> None:
    ends_at = NOW + timedelta(seconds=seconds)
    usable = is_usable(state, ends_at, NOW)
    assert usable == (state in {MandateState.ACTIVE, MandateState.USED} and seconds > 0)
    shown = state_now(state, ends_at, NOW)
    assert shown is state or (shown is MandateState.ENDED and seconds <= 0)


def test_a_relation_is_its_mirror_from_the_other_side() -> None:
    assert Relation.CHILD.seen_from_the_other is Relation.PARENT
    assert all(relation.seen_from_the_other.seen_from_the_other is relation for relation in Relation)
