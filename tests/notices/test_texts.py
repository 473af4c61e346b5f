"""What is said: complete, short, plain, and without anything personal."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from auth.account.takeovers import Takeovers
from core.settings import UnsafeSettings
from matters.cases.rules import news_of
from matters.types import State
from notices.errors import EventUnknown
from notices.rules import FIELD_LIMITS, PLAIN_LIMIT, SMS_LIMIT, kind_of
from notices.texts import _FOLDER, Texts, card_for, render_text, words_of
from notices.types import Event, Said, Topic
from tests.privacy import leaks, secrets_of_the_cast

TEXTS = Texts.load()
AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def saids(event: Event) -> list[Said]:
    return [event.said, *([event.copy] if event.copy else [])]


@pytest.mark.parametrize("event", TEXTS.all, ids=lambda event: event.name)
def test_no_short_message_can_carry_anything_of_a_person_or_a_case(event: Event) -> None:
    """Every text is rendered with canaries in all its places: none comes out of a short message."""
    canaries = dict.fromkeys(words_of(event), "|".join(sorted(secrets_of_the_cast())))
    for said in saids(event):
        rendered = render_text(said.text, canaries)
        assert leaks([said.sms, said.plain]) == []
        assert "{" not in rendered.zh + rendered.en + said.sms + said.plain
    if event.copy is not None:
        copied = render_text(event.copy.text, canaries), render_text(event.copy.title, canaries)
        assert leaks([text for each in copied for text in (each.zh, each.en)]) == []


def test_the_canaries_would_be_seen() -> None:
    event = TEXTS.find("matters.approved", {"matter": "x", "matter_en": "x"})
    canary = min(secrets_of_the_cast())
    assert leaks([render_text(event.said.text, {"matter": canary}).zh]) != []


@pytest.mark.parametrize("event", TEXTS.all, ids=lambda event: event.name)
def test_every_notice_is_short_and_said_in_both_languages(event: Event) -> None:
    for said in saids(event):
        assert len(said.sms) <= SMS_LIMIT
        assert len(said.plain) <= PLAIN_LIMIT
        assert len(said.title.zh) <= 20
        assert all(CHINESE.search(text) for text in (said.title.zh, said.text.zh, said.plain, said.sms))
        assert not any(CHINESE.search(text) for text in (said.title.en, said.text.en))


@pytest.mark.parametrize("event", TEXTS.all, ids=lambda event: event.name)
@pytest.mark.parametrize("length", [1, 20, 21, 300])
def test_every_card_is_within_wechats_limits_whatever_the_words(event: Event, length: int) -> None:
    card, page = card_for(event, dict.fromkeys(words_of(event), "字" * length), at=AT, object_id=UUID(int=7))
    assert set(card.values) == set(TEXTS.templates[card.template].fields)
    assert all(0 < len(value) <= FIELD_LIMITS[kind_of(name)] for name, value in card.values.items())
    assert page.startswith("pages/")
    assert "{" not in page
    times = [value for name, value in card.values.items() if kind_of(name) == "time"]
    assert times == ["2026-03-10 10:00"]


def test_a_word_that_looks_like_a_place_is_no_place() -> None:
    event = TEXTS.find("matters.approved", {"matter": "", "matter_en": ""})
    assert render_text(event.said.text, {"matter": "{matter_en}", "matter_en": "x"}).zh == "“{matter_en}”已通过。"


def test_every_move_of_a_case_that_is_told_has_its_words() -> None:
    told = {event for state in State if (event := news_of(state)) is not None}
    progress = {event.name for event in TEXTS.all if event.topic is Topic.PROGRESS}
    # What is no state of a case: words called wrong, which are answered; drafts that run out; a limit made longer.
    others = {"auth.correction-answered", "matters.draft-expiring", "matters.draft-expired", "matters.extended"}
    assert progress - told == others
    assert told <= progress
    assert news_of(State.SUBMITTED) is None
    assert news_of(State.WITHDRAWN) is None


def test_every_event_that_is_promised_has_its_words() -> None:
    """The literal events in the code, beside those that are made of states and of takeovers' actions."""
    root = _FOLDER.parents[1]
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for room in ("auth", "face", "certificates", "matters")
        for path in sorted((root / room).rglob("*.py"))
    )
    literal = set(re.findall(r'event="([\w.-]+)"', source)) | set(re.findall(r'else "(certificates\.[\w-]+)"', source))
    actions = set(re.findall(r'_tell\("(auth\.[\w-]+)"', (root / "auth/account/takeovers.py").read_text("utf-8")))
    assert Takeovers.__module__ == "auth.account.takeovers"
    assert {"auth.new-device", "auth.identity-tried", "certificates.shown", "certificates.scan-failed"} <= literal
    assert actions == {"auth.takeover-asked", "auth.takeover-stopped", "auth.taken-over"}
    names = {event.name for event in TEXTS.all}
    assert literal | actions <= names
    assert names == literal | actions | {event for state in State if (event := news_of(state)) is not None}


def test_an_unknown_event_or_a_missing_word_is_a_problem() -> None:
    with pytest.raises(EventUnknown):
        TEXTS.find("matters.vanished", {})
    with pytest.raises(EventUnknown):
        TEXTS.find("matters.approved", {"matter": "x"})
    assert TEXTS.find_known("matters.vanished") is None


Spoil = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda e: e.update(sms="长" * (SMS_LIMIT + 1)),
        lambda e: e.update(sms="您好{matter}"),
        lambda e: e.update(plain="长" * (PLAIN_LIMIT + 1)),
        lambda e: e.update(plain="您好{matter}"),
        lambda e: e.update(plain=""),
        lambda e: e["title"].update(en=""),
        lambda e: e["card"].update(template="unknown"),
        lambda e: e["card"]["values"].pop("thing1"),
        lambda e: e["card"]["values"].update(phrase2="六个字的状态"),
        lambda e: e["card"]["values"].update(phrase2="{matter}"),
        lambda e: e["copy"]["text"].update(zh="“{matter}”有结果了"),
        lambda e: e.pop("urgency"),
        lambda e: e.update(topic="weather"),
    ],
)
def test_texts_that_are_not_in_order_stop_the_start(tmp_path: Path, spoil: Spoil) -> None:
    events = json.loads((_FOLDER / "events.json").read_text(encoding="utf-8"))
    (tmp_path / "templates.json").write_text((_FOLDER / "templates.json").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "events.json").write_text(json.dumps(events), encoding="utf-8")
    Texts.load(tmp_path)
    spoil(events["matters.approved"])
    (tmp_path / "events.json").write_text(json.dumps(events), encoding="utf-8")
    with pytest.raises(UnsafeSettings):
        Texts.load(tmp_path)
