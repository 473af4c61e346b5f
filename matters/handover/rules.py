"""Decisions about asking departments, and about telling them more. Pure functions of values."""

from datetime import timedelta
from typing import Final

from matters.handover.types import LetterKind, Prospect
from matters.types import DeliveryState

_SHARE: Final = 10
_LONGEST: Final = timedelta(hours=1)
# By then every try that was under way has ended, whatever became of its worker.
_ON_ITS_WAY: Final = timedelta(minutes=2)
_NEVER_THERE: Final = frozenset({DeliveryState.CANCELLED, DeliveryState.REFUSED})


def pause_before(age: timedelta, first: timedelta) -> timedelta:
    """Return how long to wait before a case is asked about again.

    A tenth of its age: news is late by a tenth at most, and a case that stays open for weeks is asked about 24 times a
    day. Never shorter than `first`, never longer than an hour.
    """
    return max(first, min(age / _SHARE, _LONGEST))


def prospect(kind: LetterKind, delivery: DeliveryState, age: timedelta) -> Prospect:
    """Return what is to be done with a letter of some age about a dossier whose delivery stands so.

    What was missing goes where the dossier is for certain. What was taken back is told wherever it may be; what had not
    left by then leaves no more.
    """
    if delivery in _NEVER_THERE:
        return Prospect.DROP
    if delivery is DeliveryState.ACKNOWLEDGED:
        return Prospect.SEND
    if kind is LetterKind.SUPPLEMENT:
        return Prospect.WAIT
    if delivery in {DeliveryState.PENDING, DeliveryState.HELD}:
        return Prospect.DROP
    return Prospect.WAIT if delivery is DeliveryState.SENT and age < _ON_ITS_WAY else Prospect.SEND
