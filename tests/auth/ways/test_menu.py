"""The ways as callers are told of them: in order, with their bounds, and never the face alone."""

from itertools import product

import pytest
from pydantic import ValidationError

from auth.types import Level
from auth.ways.menu import Menu
from auth.ways.settings import GivesSettings, WaySettings
from auth.ways.types import Method, Purpose
from tests.fakes.ways import usual_menu

NOTHING = GivesSettings(login="nothing", step_up="nothing")


def methods(menu: Menu, level: Level, *, elder: bool = False) -> list[str]:
    return [offer.method for offer in menu.leading_to(level, elder=elder)]


def test_the_face_stands_first_where_it_counts() -> None:
    assert methods(usual_menu(), Level.PRESENT) == ["face", "payment-password", "bank-card", "network-id", "counter"]


def test_elders_are_shown_people_and_cards_first() -> None:
    assert methods(usual_menu(), Level.PRESENT, elder=True) == [
        "face",
        "counter",
        "bank-card",
        "payment-password",
        "network-id",
    ]


def test_without_a_face_engine_that_counts_no_face_is_offered() -> None:
    menu = usual_menu(faces=None)
    assert all("face" not in methods(menu, level) for level in Level)
    assert menu.leading_to(Level.PRESENT, elder=False)


@pytest.mark.parametrize(("level", "elder"), list(product(Level, (False, True))))
def test_every_level_is_reached_without_a_face(level: Level, elder: bool) -> None:
    for order in ((method,) for method in Method if method is not Method.SMS):
        menu = usual_menu(WaySettings(order=order))
        others = [offer for offer in menu.leading_to(level, elder=elder) if offer.method != "face"]
        assert others
        assert all(offer.start for offer in others)


@pytest.mark.parametrize(("level", "elder"), list(product(Level, (False, True))))
def test_every_way_has_its_words_and_its_bounds(level: Level, elder: bool) -> None:
    for offer in usual_menu().leading_to(level, elder=elder):
        assert offer.text
        assert offer.text_en
        assert offer.text != offer.text_en
        assert offer.attempts > 0
        assert offer.lockout_seconds > 0
        assert offer.expires_in is None or offer.expires_in > 0
        assert offer.start is not None
        assert offer.start.startswith("/v1/citizen/")


def test_elders_have_more_attempts_and_time() -> None:
    menu = usual_menu()
    usual = {offer.method: offer for offer in menu.leading_to(Level.PRESENT, elder=False)}
    for offer in menu.leading_to(Level.PRESENT, elder=True):
        assert offer.attempts > usual[offer.method].attempts
        assert (offer.expires_in or 0) >= (usual[offer.method].expires_in or 0)


def test_what_is_not_in_the_order_is_not_offered() -> None:
    settings = WaySettings(order=(Method.COUNTER, Method.NETWORK_ID))
    assert methods(usual_menu(settings), Level.PRESENT) == ["face", "counter", "network-id"]
    assert settings.level(Method.BANK_CARD, Purpose.LOGIN) is None


def test_others_leave_out_the_way_at_hand_and_end_with_people() -> None:
    menu = usual_menu()
    names = [way.method for way in menu.others(Purpose.STEP_UP, but="face", elder=False)]
    assert names == ["payment-password", "bank-card", "network-id", "counter", "phone"]
    for_elders = [way.method for way in menu.others(Purpose.LOGIN, but="counter", elder=True)]
    assert for_elders == ["family", "face", "bank-card", "sms", "payment-password", "network-id", "phone"]


@pytest.mark.parametrize(
    "settings",
    [
        {"order": ()},
        {"order": (Method.SMS,)},
        {"order": (Method.COUNTER,), "counter_gives": NOTHING},
        {"order": (Method.COUNTER,), "counter_gives": GivesSettings(login="real_name")},
    ],
)
def test_an_installation_where_the_face_would_be_the_only_way_does_not_start(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="has to give `present`"):
        WaySettings.model_validate(settings)


def test_production_wants_the_systems_behind_what_is_offered_and_no_others() -> None:
    everything = " ".join(WaySettings().unsafe())
    for name in ("SMS", "MOBILE_REGISTER", "BANK_CLEARING", "PAYMENT", "NETWORK_IDENTITY"):
        assert f"ZHIJIAN_WAYS__{name}:" in everything
        assert f"ZHIJIAN_WAYS__{name}__SECRET:" in everything
    counter_alone = " ".join(WaySettings(order=(Method.COUNTER,)).unsafe())
    # Codes for officers who act for somebody go by short message in any case.
    assert "ZHIJIAN_WAYS__SMS:" in counter_alone
    assert "PAYMENT" not in counter_alone
