"""Checking a token with nothing but published keys and a status list: no network, no database, no secret."""

from datetime import datetime, timedelta
from typing import Final

from certificates.offline.gm import NO_KEYS, Sm2Keys
from certificates.offline.jws import Keys
from certificates.offline.sd_jwt import find_token, read
from certificates.offline.status_list import read_status_list
from certificates.offline.types import Contents, Freshness, Mark, OfflineCheck, Reason, StatusList
from certificates.types import Outcome

# What a checker's clock may be behind ours.
_LEEWAY: Final = timedelta(seconds=60)
_OUTCOMES: Final = {Mark.VALID: Outcome.OK, Mark.INVALID: Outcome.REVOKED, Mark.SUSPENDED: Outcome.FROZEN}


def check(
    token: str,
    status_list: str | None,
    *,
    keys: Keys,
    now: datetime,
    sm2: Sm2Keys = NO_KEYS,
    require_sm2: bool = False,
) -> OfflineCheck:
    """Say what a token is worth, as far as the keys and the list tell; it may come as its pictures, in any order.

    `sm2` are the keys for second signatures, which are checked where there are any; `require_sm2`: there has to be one.
    What cannot be known is `unknown`, never `ok`: a list that has run out tells nothing any more.
    """
    contents = read(find_token(token) or token, keys, sm2, require_sm2=require_sm2)
    if isinstance(contents, Outcome):
        return OfflineCheck(contents, reason=Reason.ISSUER if contents is Outcome.UNKNOWN else None)
    if contents.issued_at > now + _LEEWAY:
        return OfflineCheck(Outcome.UNKNOWN, contents, reason=Reason.CLOCK)
    if now >= contents.expires_at:
        return OfflineCheck(Outcome.EXPIRED, contents)
    if status_list is None:
        return OfflineCheck(Outcome.UNKNOWN, contents, reason=Reason.LIST_MISSING)
    told = read_status_list(status_list, keys)
    if isinstance(told, Outcome):
        return OfflineCheck(Outcome.UNKNOWN, contents, reason=Reason.LIST_UNREADABLE)
    return _by_list(contents, told, now)


def _by_list(contents: Contents, told: StatusList, now: datetime) -> OfflineCheck:
    age, freshness = now - told.issued_at, told.freshness(now)

    def answer(outcome: Outcome, reason: Reason | None = None) -> OfflineCheck:
        return OfflineCheck(outcome, contents, age, freshness, reason)

    if told.uri != contents.status_uri:
        return answer(Outcome.UNKNOWN, Reason.LIST_OF_OTHERS)
    if told.issued_at > now + _LEEWAY:
        return answer(Outcome.UNKNOWN, Reason.CLOCK)
    if freshness is Freshness.EXPIRED:
        return answer(Outcome.UNKNOWN, Reason.LIST_EXPIRED)
    mark = told.at(contents.status_index)
    if mark not in set(Mark):
        return answer(Outcome.UNKNOWN, Reason.MARK)
    return answer(_OUTCOMES[Mark(mark)])
