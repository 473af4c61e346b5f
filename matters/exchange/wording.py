"""How a system stands, in words for residents. Pure functions of values."""

from datetime import datetime, timedelta

from core.clock import CHINA
from matters.exchange.types import Standing
from matters.types import Availability, ServiceState, Text


def service_of(standing: Standing | None, now: datetime, *, within: timedelta) -> Availability:
    """Return what residents are told: also while a department is away all is accepted, and forwarded by itself.

    `within`: how soon after its return everything is forwarded at the latest.
    """
    if standing is None:
        text = Text("部门系统正常，提交后马上转交", "The department's system works; what you submit goes on at once")
        return Availability(ServiceState.OK, None, None, text)
    expected = standing.expected_at if standing.expected_at is not None and standing.expected_at > now else None
    if standing.state is ServiceState.DEGRADED:
        text = Text(
            "部门系统时好时坏。您照常提交，我们先收下，会自动转交，您不用再做什么",
            "The department's system works on and off. Submit as usual: it is accepted and forwarded by itself",
        )
        return Availability(ServiceState.DEGRADED, standing.since, expected, text)
    minutes = max(1, -(-int(within.total_seconds()) // 60))
    when = f"预计{_spoken(expected)}恢复，" if expected else ""
    when_en = f"It is expected back at {_written(expected)}. " if expected else ""
    text = Text(
        f"部门系统暂时中断。您照常提交，我们先收下；{when}恢复后{minutes}分钟内自动转交，您不用再做什么",
        "The department's system is away. Submit as usual: it is accepted now. "
        f"{when_en}Everything is forwarded by itself within {minutes} minutes of its return",
    )
    return Availability(ServiceState.DOWN, standing.since, expected, text)


def _spoken(moment: datetime) -> str:
    local = moment.astimezone(CHINA)
    return f"{local.month}月{local.day}日{local.hour}时{local.minute:02d}分"


def _written(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
