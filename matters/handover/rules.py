"""Decisions about asking departments. Pure functions of values."""

from datetime import timedelta
from typing import Final

_SHARE: Final = 10
_LONGEST: Final = timedelta(hours=1)


def pause_before(age: timedelta, first: timedelta) -> timedelta:
    """Return how long to wait before a case is asked about again.

    A tenth of its age: news is late by a tenth at most, and a case that stays open for weeks is asked about 24 times a
    day. Never shorter than `first`, never longer than an hour.
    """
    return max(first, min(age / _SHARE, _LONGEST))
