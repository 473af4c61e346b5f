"""The words of telling people: topics, channels, how a delivery stands, and what is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from uuid import UUID


class Topic(StrEnum):
    """What a notice is about. People choose by topic; what keeps their account safe is always told."""

    PROGRESS = "progress"
    CERTIFICATES = "certificates"
    SECURITY = "security"


class Urgency(StrEnum):
    """How much it matters that somebody hears of it now."""

    URGENT = "urgent"
    USUAL = "usual"
    LOW = "low"


class Channel(StrEnum):
    """A way out of the house. The inbox is none: it is always there."""

    WECHAT = "wechat"
    SMS = "sms"


class DeliveryState(StrEnum):
    """How a notice stands on one channel. `sent` is what the channel took, `delivered` what it says arrived."""

    CREATED = "created"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    TEMPORARY_FAILURE = "temporary-failure"
    PERMANENT_FAILURE = "permanent-failure"


class Reason(StrEnum):
    """Why a channel did not bring a notice. A closed set: it labels figures and tells no names."""

    NO_CONSENT = "no-consent"
    NO_ACCOUNT = "no-account"
    NO_TEMPLATE = "no-template"
    NO_SUCH_NUMBER = "no-such-number"
    TAKES_NONE = "takes-none"
    NOT_RECEIVED = "not-received"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NO_REPORT = "no-report"
    RESTORED = "restored"
    NO_CHANNEL = "no-channel"


class Subscribed(StrEnum):
    """What happened to somebody's consent to one kind of WeChat message."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    USED = "used"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said in every way: headline, sentence, spoken short form, short message."""

    title: Text
    text: Text
    plain: str
    sms: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a WeChat message shows: the key of its template, and its fields by name."""

    template: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that can happen to somebody, and how they are told.

    `pause_minutes`: told again about the same thing only after so long. `copy` is what the family is told, None where
    it is told nothing.
    """

    name: str
    topic: Topic
    urgency: Urgency
    said: Said
    card: Card
    page: str
    pause_minutes: int = 0
    copy: Said | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A WeChat template as it was registered: its key here, its fields, and whether it is long-term."""

    key: str
    fields: tuple[str, ...]
    long_term: bool


@dataclass(frozen=True, slots=True)
class Handed:
    """What a channel said at once: its own number for the message, or why it does not take it."""

    number: str = ""
    refused: Reason | None = None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nobody is woken for what can wait, in China's time."""

    begin: time
    end: time


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice as its reader sees it. `about` is the masked name of whom it concerns, when that is somebody else."""

    id: UUID
    event: str
    topic: Topic
    urgency: Urgency
    title: Text
    text: Text
    plain: str
    about: str | None
    object_id: UUID | None
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """What somebody chose for a topic: `wanted` outside the inbox too. `fixed`: it cannot be turned off."""

    topic: Topic
    wanted: bool
    fixed: bool
    templates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CopyView:
    """Family that is told too. `mine`: my notices, somebody else reads along; `name` is the other, masked."""

    id: UUID
    mine: bool
    name: str | None
    state: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CopyOffer:
    """An offer to read along: the code is shown this once and works once."""

    id: UUID
    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A notice that reached nobody outside the inbox: no person in it."""

    id: UUID
    event: str
    urgency: Urgency
    channel: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UndeliveredCount:
    """How many notices a channel did not bring, by reason."""

    channel: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class PushItem:
    """One thing that WeChat tells of one template. `number` and `code` come with news of a message that was sent."""

    template_id: str
    status: str
    number: str = ""
    code: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Push:
    """A message that WeChat pushed: `key` is the same when it is pushed again. Prints nothing of its sender."""

    key: str
    openid: str
    event: str
    items: tuple[PushItem, ...]
