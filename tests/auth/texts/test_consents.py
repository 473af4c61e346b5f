"""The texts of consents: one in force for each purpose, and none changed after somebody may have agreed to it."""

import json

import pytest

from auth.rules import CONSENTS
from auth.texts.consents import IN_FORCE, TEXTS, find_text, read_texts

# What was in force stays as it was. A new wording gets a new version and a line here; no line is ever changed.
PUBLISHED = {
    "real-name@1": "15e1372577fd010947707843d2291de2654427d24810d8e009574085bc0343df",
    "face@1": "c25012e927ec33d6c9720c4870cc6c038b3c38c7da892160f6cc0cac167db8cb",
    "wechat-face@1": "9decc2117d6d42d1ef92e69371c5c0933c34f11c7929862939537a5600e9a5e4",
    "delegation@1": "39d38a31aaedff59ffd6cc41afe7372a569902f4e40e4a1ca7b7d4ae2ccdaf25",
}


def test_no_published_text_has_changed() -> None:
    assert {text.code: text.sha256 for text in TEXTS} == PUBLISHED


def test_every_word_counts_for_the_digest() -> None:
    entry = json.loads(json.dumps(_entry()))
    [first] = read_texts(json.dumps({"texts": [entry]}))
    entry["withdrawal"]["en"] += "."
    [other] = read_texts(json.dumps({"texts": [entry]}))
    assert first.sha256 != other.sha256


def test_the_versions_in_force_are_what_the_rules_ask_for() -> None:
    assert set(CONSENTS) >= {"real-name", "face", "delegation"}
    assert {purpose: text.version for purpose, text in IN_FORCE.items()} == CONSENTS
    assert all(text.plain and text.text.zh and text.text.en and text.follows.zh for text in TEXTS)


def test_an_earlier_text_can_still_be_found() -> None:
    assert find_text("face", 1) is IN_FORCE["face"]
    assert find_text("face", 99) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"in_force": False}, "in force"),
        ({"purpose": "p" * 33}, "characters"),
        ({"withdrawal": {"allowed": False, "zh": "不", "en": "No", "instead": None}}, "instead"),
    ],
)
def test_a_file_that_says_too_little_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_texts(json.dumps({"texts": [_entry() | change]}))


def test_one_version_cannot_stand_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        read_texts(json.dumps({"texts": [_entry(), _entry()]}))


def _entry() -> dict[str, object]:
    return {
        "purpose": "a-purpose",
        "version": 1,
        "in_force": True,
        "title": {"zh": "题", "en": "Title"},
        "text": {"zh": "文", "en": "Text"},
        "plain": "话。",
        "withdrawal": {"allowed": True, "zh": "随后", "en": "Then", "instead": None},
    }
