"""The words of what becomes of accounts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.pii import Mobile, Secret


class TakeoverState(StrEnum):
    """How a takeover stands. It waits out its cool-down, in which its holder may stop it."""

    WAITING = "waiting"
    DONE = "done"
    STOPPED = "stopped"


class Side(StrEnum):
    """Who looks at a takeover: who holds the account, or who asks for it from another WeChat account."""

    HOLDER = "holder"
    CLAIMANT = "claimant"


@dataclass(frozen=True, slots=True)
class TakeoverView:
    """A takeover as one side sees it. `mark` is a short mark of the WeChat account that asks, the same each time."""

    id: UUID
    side: Side
    state: TakeoverState
    mark: str
    asked_at: datetime
    effective_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountContact:
    """A WeChat account by which somebody can be reached."""

    account_id: UUID
    openid: Secret


@dataclass(frozen=True, slots=True)
class Contact:
    """How a resident can be reached. `name` is masked; the account in use comes first."""

    citizen_id: UUID
    name: str | None
    mobile: Mobile | None
    accounts: tuple[AccountContact, ...]
    elder: bool
