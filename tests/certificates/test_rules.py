"""The wallet's decisions, checked by vectors of the standards and by properties."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates import rules
from certificates.definitions import Kinds
from certificates.types import Claim, ClaimSource, Colour, Outcome, Reading, State
from tests.fakes.certificates import LICENCE, PERMIT, issued
from tests.fakes.shipped import shipped_kinds

TODAY = date(2026, 3, 10)
DEMO = "11999999MB0000019T"
letters = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=20)


@pytest.mark.parametrize(
    "identifier",
    [
        "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    ],
)
def test_published_identifiers_are_right(identifier: str) -> None:
    assert rules.identifier_is_right(identifier)


@pytest.mark.parametrize("text", ["", "1.2.156.3005.2", "11100000MB03271699022.340100.000000016.001.9", "1.2.3.4.5.6"])
def test_what_is_no_identifier_is_wrong(text: str) -> None:
    assert not rules.identifier_is_right(text)


@given(serial=letters, version=st.integers(1, 9999), data=st.data())
def test_one_changed_character_is_found(serial: str, version: int, data: st.DataObject) -> None:
    identifier = rules.compose_identifier(type_code=f"{DEMO}902", issuer_code="999999", serial=serial, version=version)
    assert rules.identifier_is_right(identifier)
    body_starts = len(rules.IDENTIFIER_ROOT) + 1
    place = data.draw(st.integers(body_starts, len(identifier) - 1).filter(lambda index: identifier[index] != "."))
    other = data.draw(
        st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ").filter(lambda letter: letter != identifier[place])
    )
    assert not rules.identifier_is_right(identifier[:place] + other + identifier[place + 1 :])


@pytest.mark.parametrize("serial", ["", "A-1", "编号", "A" * 41])
def test_a_serial_with_other_characters_makes_no_identifier(serial: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        rules.compose_identifier(type_code=f"{DEMO}902", issuer_code="999999", serial=serial, version=1)


def test_a_new_version_is_the_same_certificate_and_another_serial_is_not() -> None:
    one, two, other = (
        rules.compose_identifier(type_code=f"{DEMO}902", issuer_code="999999", serial=serial, version=version)
        for serial, version in (("DL1", 1), ("DL1", 2), ("DL2", 1))
    )
    assert rules.same_certificate(one, two)
    assert not rules.same_certificate(one, other)


# --- what an issuer answered ------------------------------------------------------------------------------------------


def test_fields_that_a_kind_does_not_know_are_left_out(kinds: Kinds) -> None:
    fitted = rules.fit_fields(kinds.get("driving-licence"), {**LICENCE, "blood_group": "A"})
    assert fitted == dict(LICENCE)


@pytest.mark.parametrize(
    "wrong", [{"points": "0"}, {"points": True}, {"birth_on": "1985-13-01"}, {"name": None}, {"vehicle_class": ""}]
)
def test_an_answer_that_does_not_fit_is_refused(kinds: Kinds, wrong: dict[str, str | int | None]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        rules.fit_fields(kinds.get("driving-licence"), {**LICENCE, **wrong})


def test_dates_are_kept_in_one_form(kinds: Kinds) -> None:
    assert (
        rules.fit_fields(kinds.get("driving-licence"), {**LICENCE, "birth_on": "19850312"})["birth_on"] == "1985-03-12"
    )


def test_a_residence_permit_is_good_until_its_endorsement_ends(kinds: Kinds) -> None:
    assert rules.valid_until(kinds.get("residence-permit"), PERMIT) == date(2026, 3, 22)


def test_a_certificate_without_an_end_is_valid_for_ever(kinds: Kinds) -> None:
    assert rules.valid_until(kinds.get("driving-licence"), {**LICENCE, "valid_until": None}) is None


def test_an_issuer_that_does_not_count_gets_one_more_on_change() -> None:
    assert rules.next_version(held=3, told=None, changed=True) == 4
    assert rules.next_version(held=3, told=None, changed=False) == 3
    assert rules.next_version(held=3, told=7, changed=True) == 7


def test_an_identifier_with_a_wrong_check_is_refused(kinds: Kinds) -> None:
    told = issued(identifier="1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.8")
    with pytest.raises(ValueError, match="identifier"):
        rules.identifier_of(kinds.get("driving-licence"), told, version=1)


@pytest.mark.parametrize("told", list(State))
def test_revoked_is_for_good(told: State) -> None:
    assert rules.next_state(State.REVOKED, told, same=True) is State.REVOKED
    assert rules.next_state(State.REVOKED, told, same=False) is told
    wanted = told if rules.may_move(State.FROZEN, told) else State.FROZEN
    assert rules.next_state(State.FROZEN, told, same=True) is wanted


# --- states, colours, masks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last_day", "state"),
    [
        (TODAY - timedelta(days=1), State.EXPIRED),
        (TODAY, State.EXPIRING),
        (TODAY + timedelta(days=30), State.EXPIRING),
        (TODAY + timedelta(days=31), State.ACTIVE),
        (None, State.ACTIVE),
    ],
)
def test_the_calendar_moves_an_active_certificate(last_day: date | None, state: State) -> None:
    assert rules.state_on(State.ACTIVE, last_day, TODAY, expiring_days=30) is state


@given(st.sampled_from([state for state in State if state is not State.ACTIVE]), st.dates())
def test_the_issuers_word_stands_above_the_calendar(state: State, last_day: date) -> None:
    assert rules.state_on(state, last_day, TODAY, expiring_days=30) is state


@pytest.mark.parametrize(
    ("change", "colour"),
    [
        ({}, Colour.BLACK),
        ({"points": 11}, Colour.BLACK),
        ({"points": 12}, Colour.RED),
        ({"status": "withheld"}, Colour.RED),
        ({"status": "overdue"}, Colour.RED),
        ({"status": "a word the issuer adds later"}, Colour.RED),
        ({"points": None}, Colour.RED),
    ],
)
def test_twelve_points_or_another_status_make_a_licence_red(
    kinds: Kinds, change: dict[str, str | int | None], colour: Colour
) -> None:
    assert rules.colour_of(kinds.get("driving-licence"), State.ACTIVE, {**LICENCE, **change}) is colour


@pytest.mark.parametrize("state", list(State))
def test_only_certificates_in_force_are_black(kinds: Kinds, state: State) -> None:
    in_force = state in {State.ACTIVE, State.EXPIRING}
    colour = rules.colour_of(kinds.get("residence-permit"), state, PERMIT)
    assert colour is (Colour.BLACK if in_force else Colour.RED)
    assert (rules.outcome_of(state) is Outcome.OK) == in_force


def test_out_of_force_for_good_is_not_shown() -> None:
    hidden = {state for state in State if not rules.may_be_shown(state)}
    assert hidden == {State.REVOKED, State.CANCELLED, State.MOVED}


@given(st.text(min_size=1, max_size=40))
def test_a_mask_keeps_the_length_and_hides_the_most(text: str) -> None:
    masked = rules.mask_number(text)
    assert len(masked) == len(text)
    assert masked.count("*") >= min(len(text), 1)
    assert sum(a == b for a, b in zip(masked, text, strict=True) if b != "*") <= 8


def test_numbers_and_names_are_masked_as_agreed() -> None:
    assert rules.mask_number("999999198503122179") == "9999**********2179"
    assert rules.mask_number("A99000451") == "A9*****51"
    assert rules.mask_number("1234") == "****"
    assert rules.mask_name("霍明哲") == "霍**"


# --- claims -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("age>=18", True),
        ("age>=41", False),
        ("age>=40", True),
        ("age<=39", False),
        ("age=40", True),
        ("licence-covers=C1", True),
        ("licence-covers=C2", True),
        ("licence-covers=B1", False),
    ],
)
def test_a_licence_supports_claims_about_age_and_classes(kinds: Kinds, text: str, holds: bool) -> None:
    kind = kinds.get("driving-licence")
    claim = rules.find_claim(kind, text)
    assert claim is not None
    assert str(claim) == text
    assert rules.holds(kind.claims[claim.name], claim, LICENCE, TODAY) is holds


def test_the_day_before_the_birthday_is_one_year_less(kinds: Kinds) -> None:
    source, claim = kinds.get("driving-licence").claims["age"], Claim("age", ">=", "41")
    assert not rules.holds(source, claim, LICENCE, date(2026, 3, 11))
    assert rules.holds(source, claim, LICENCE, date(2026, 3, 12))


def test_age_is_read_from_the_citizens_number_where_there_is_no_birth_date(kinds: Kinds) -> None:
    source = kinds.get("residence-permit").claims["age"]
    assert rules.holds(source, Claim("age", ">=", "40"), PERMIT, TODAY)
    assert not rules.holds(source, Claim("age", ">=", "18"), {**PERMIT, "id_number": "not a number"}, TODAY)


def test_a_licence_of_several_classes_covers_what_each_covers(kinds: Kinds) -> None:
    source = kinds.get("driving-licence").claims["licence-covers"]
    fields = {**LICENCE, "vehicle_class": "A2D"}
    covered = {
        each for each in ("A1", "A2", "B1", "C3", "M", "D", "E", "F", "N")
        if rules.holds(source, Claim("licence-covers", "=", each), fields, TODAY)
    }  # fmt: skip
    assert covered == {"A2", "B1", "C3", "M", "D", "E", "F"}


def test_a_number_is_compared_as_a_number() -> None:
    source = ClaimSource(field="grade", reads=Reading.NUMBER, covers={}, words={})
    assert rules.holds(source, Claim("disability-grade", "<=", "2"), {"grade": "2"}, TODAY)
    assert rules.holds(source, Claim("disability-grade", "<=", "10"), {"grade": 9}, TODAY)
    assert not rules.holds(source, Claim("disability-grade", "<=", "2"), {"grade": "two"}, TODAY)


@pytest.mark.parametrize(
    "text", ["", "age", "age>18", "age>=", "age>=eighteen", "licence-covers>=C1", "licence-covers=c1", "height>=180"]
)
def test_claims_that_a_kind_cannot_support_are_none(kinds: Kinds, text: str) -> None:
    assert rules.find_claim(kinds.get("driving-licence"), text) is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_claims(text: str) -> None:
    kind = shipped_kinds().get("driving-licence")
    claim = rules.find_claim(kind, text)
    assert claim is None or str(claim) == text
