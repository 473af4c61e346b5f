"""The decisions of telling people: pure functions of values."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from notices.types import Channel, QuietHours, Topic, Urgency

CHINA: Final = ZoneInfo("Asia/Shanghai")
# What keeps an account safe cannot be turned off.
FIXED: Final = frozenset({Topic.SECURITY})

# --- WeChat's limits for the fields of a template (facts 5.5): kind of field -> most characters ----------------------
FIELD_LIMITS: Final[Mapping[str, int]] = {
    "thing": 20,
    "phrase": 5,
    "number": 32,
    "letter": 32,
    "symbol": 5,
    "character_string": 32,
    "time": 32,
    "date": 32,
    "name": 10,
    "phone_number": 17,
    "car_number": 8,
}
# Kinds whose content may be cut short; anything cut in the others would be another thing.
_MAY_BE_CUT: Final = frozenset({"thing"})
# One short message: 70 characters with the signature that the provider puts before it (【指尖办事】).
SMS_LIMIT: Final = 64
PLAIN_LIMIT: Final = 30


def kind_of(field: str) -> str:
    """Return the kind of a template's field: `thing1` is a `thing`."""
    return field.rstrip("0123456789")


def fit_field(field: str, value: str) -> str:
    """Return what a field may hold of a value.

    Raises:
        ValueError: the field has no such kind, or a value that may not be cut is too long or empty.
    """
    kind = kind_of(field)
    limit = FIELD_LIMITS.get(kind)
    if limit is None or not value:
        raise ValueError(field)
    if len(value) <= limit:
        return value
    if kind not in _MAY_BE_CUT:
        raise ValueError(field)
    return value[: limit - 1] + "…"


def channels_for(
    *, elder: bool, urgency: Urgency, wanted: bool, has_wechat: bool, has_mobile: bool
) -> tuple[Channel, ...]:
    """Return the channels in the order in which they are tried.

    Elders are told by short message first: many have no WeChat, or do not look at it. What hardly matters costs nobody
    a short message. Who does not want a topic finds it in the inbox alone.
    """
    if not wanted:
        return ()
    order: tuple[Channel, ...] = (
        (Channel.SMS, Channel.WECHAT) if elder or urgency is Urgency.URGENT else (Channel.WECHAT, Channel.SMS)
    )
    if urgency is Urgency.LOW:
        order = (Channel.WECHAT,)
    at_hand = {Channel.WECHAT: has_wechat, Channel.SMS: has_mobile}
    return tuple(channel for channel in order if at_hand[channel])


def is_spread(urgency: Urgency) -> bool:
    """Say whether all channels are used at once: what is urgent does not wait for one to fail."""
    return urgency is Urgency.URGENT


def not_before(now: datetime, urgency: Urgency, quiet: QuietHours) -> datetime:
    """Return when something may be sent: now, or at the end of the quiet hours; what is urgent always may."""
    local = now.astimezone(CHINA)
    if urgency is Urgency.URGENT or not _is_quiet(local, quiet):
        return now
    end = local.replace(hour=quiet.end.hour, minute=quiet.end.minute, second=0, microsecond=0)
    return (end if end > local else end + timedelta(days=1)).astimezone(now.tzinfo)


def _is_quiet(local: datetime, quiet: QuietHours) -> bool:
    time = local.time()
    if quiet.begin <= quiet.end:
        return quiet.begin <= time < quiet.end
    return time >= quiet.begin or time < quiet.end
