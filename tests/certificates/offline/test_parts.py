"""A token in several pictures: put together from all of them, in any order, and from nothing else."""

from random import Random

import pytest

from certificates.offline.checking import check
from certificates.offline.parts import LONGEST_SHOWN, MOST, join, looks_like_parts, split
from certificates.types import Outcome
from tests.certificates.offline.test_checking import listed
from tests.certificates.offline.test_sd_jwt import KEYS, NOW, mutated, token

LETTERS = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_.~"


def text_of(length: int, seed: int = 1) -> str:
    return "".join(Random(seed).choices(LETTERS, k=length))


@pytest.mark.parametrize("length", [1, 799, 800, 801, 1274, 1600, 1601, 5000, LONGEST_SHOWN])
def test_the_pieces_make_the_whole_in_any_order_and_however_often(length: int) -> None:
    whole = text_of(length)
    parts = list(split(whole))
    assert len(parts) == -(-length // 800) <= MOST
    assert max(len(part) for part in parts) <= 858  # version 20, lowest error correction, bytes
    assert all(looks_like_parts(part) for part in parts)
    many = [*parts, *parts[:2]]
    Random(length).shuffle(many)
    assert join(many) == whole


def test_more_than_nine_are_not_made() -> None:
    with pytest.raises(ValueError, match="more pictures"):
        split(text_of(LONGEST_SHOWN + 1))


def test_one_missing_one_of_another_and_one_changed_make_nothing() -> None:
    one, other = split(text_of(2000)), split(text_of(2000, seed=2))
    wrong = one[1].replace(one[1][20], "A" if one[1][20] != "A" else "B")
    for parts in (one[:2], one[1:], (*one[:2], other[2]), (*one, other[0]), (one[0], wrong, one[2]), (*one, wrong), ()):
        with pytest.raises(ValueError, match="picture"):
            join(parts)


def test_a_token_is_checked_by_its_pictures_as_it_is_by_itself() -> None:
    whole = token()
    parts = split(whole)
    assert len(parts) > 1
    status_list = listed()
    assert check(whole, status_list, keys=KEYS, now=NOW).outcome is Outcome.OK
    assert check("\n".join(reversed(parts)), status_list, keys=KEYS, now=NOW).outcome is Outcome.OK
    assert check(parts[0], status_list, keys=KEYS, now=NOW).outcome is Outcome.UNREADABLE
    random, text = Random(5), " ".join(parts)
    for _ in range(2000):
        changed = mutated(text, random)
        if sorted(set(changed.split())) != sorted(parts):
            assert check(changed, status_list, keys=KEYS, now=NOW).outcome is Outcome.UNREADABLE
