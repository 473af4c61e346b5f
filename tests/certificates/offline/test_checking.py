"""What a check without a connection comes to: each state at each age of the list, and all that fails."""

from dataclasses import replace
from datetime import timedelta

import pytest

from certificates.offline.checking import check
from certificates.offline.status_list import compose, deflate
from certificates.offline.types import Freshness, Mark, Reason
from certificates.types import Outcome
from tests.certificates.offline.test_sd_jwt import CONTENTS, KEY, KEYS, NOW, token

URI = CONTENTS.status_uri
# The token is of half an hour ago at the latest when the list is at its oldest, so that the list alone decides.
LIVES, TTL = timedelta(hours=12), timedelta(minutes=5)
AGES = {
    "just made": (timedelta(0), Freshness.FRESH),
    "within its ttl": (timedelta(minutes=4), Freshness.FRESH),
    "beyond its ttl": (timedelta(hours=2), Freshness.STALE),
    "run out": (LIVES, Freshness.EXPIRED),
}
OUTCOMES = {Mark.VALID: Outcome.OK, Mark.INVALID: Outcome.REVOKED, Mark.SUSPENDED: Outcome.FROZEN}


def listed(mark: int = 0, *, uri: str = URI, age: timedelta = timedelta(0)) -> str:
    marks = [(CONTENTS.status_index, mark), (CONTENTS.status_index + 1, 1), (CONTENTS.status_index - 1, 2)]
    return compose(deflate(marks), uri=uri, now=NOW - age, ttl=TTL, lives=LIVES, key=KEY)


@pytest.mark.parametrize("age", sorted(AGES))
@pytest.mark.parametrize("mark", list(Mark))
def test_the_matrix(age: str, mark: Mark) -> None:
    """Twelve states: a list that has run out tells nothing; before that it says what it says, and how old that is."""
    seconds, freshness = AGES[age]
    found = check(token(), listed(mark, age=seconds), keys=KEYS, now=NOW)
    gone = freshness is Freshness.EXPIRED
    assert found.outcome is (Outcome.UNKNOWN if gone else OUTCOMES[mark])
    assert (found.age, found.freshness) == (seconds, freshness)
    assert found.reason is (Reason.LIST_EXPIRED if gone else None)
    assert found.contents == CONTENTS


def test_a_token_runs_out_whatever_the_list_says() -> None:
    for mark in Mark:
        found = check(token(), listed(mark), keys=KEYS, now=CONTENTS.expires_at)
        assert (found.outcome, found.age) == (Outcome.EXPIRED, None)
    last = CONTENTS.expires_at - timedelta(seconds=1)
    assert check(token(), listed(age=-timedelta(hours=23)), keys=KEYS, now=last).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("status_list", "reason"),
    [
        (None, Reason.LIST_MISSING),
        ("", Reason.LIST_UNREADABLE),
        (listed()[:-4] + "AAAA", Reason.LIST_UNREADABLE),
        (token(), Reason.LIST_UNREADABLE),
        (listed(uri=f"{URI}1"), Reason.LIST_OF_OTHERS),
        (listed(age=-timedelta(seconds=61)), Reason.CLOCK),
        (listed(3), Reason.MARK),
        (compose(deflate([], size=8), uri=URI, now=NOW, ttl=TTL, lives=LIVES, key=KEY), Reason.MARK),
    ],
)
def test_what_cannot_be_known_is_never_good(status_list: str | None, reason: Reason) -> None:
    found = check(token(), status_list, keys=KEYS, now=NOW)
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, reason)


def test_a_clock_that_is_behind_is_noticed() -> None:
    assert check(token(), listed(), keys=KEYS, now=NOW - timedelta(seconds=60)).outcome is Outcome.OK
    found = check(token(), listed(), keys=KEYS, now=NOW - timedelta(seconds=61))
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, Reason.CLOCK)


def test_what_is_no_token_of_ours_is_told_apart() -> None:
    assert check("nothing", listed(), keys=KEYS, now=NOW).outcome is Outcome.UNREADABLE
    assert check(token()[:-9] + "x" * 8 + "~", listed(), keys=KEYS, now=NOW).outcome in {
        Outcome.UNREADABLE,
        Outcome.BAD_SIGNATURE,
    }
    found = check(token(), listed(), keys={}, now=NOW)
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, Reason.ISSUER)


def test_a_list_of_another_token_does_not_vouch() -> None:
    other = replace(CONTENTS, status_uri="https://elsewhere.test/v1/public/status-lists/0")
    found = check(token(other), listed(), keys=KEYS, now=NOW)
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, Reason.LIST_OF_OTHERS)
