"""The sandbox's own time: one place to read it, so that tests can move it."""

from datetime import UTC, date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


class Clock:
    """The clock on the wall. Tests pass a subclass that stands where they put it."""

    def now(self) -> datetime:
        """Tell the time, aware, in UTC."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """Tell the time as Unix seconds."""
        return self.now().timestamp()

    def today(self) -> date:
        """Tell the date in China, where every office of the sandbox stands."""
        return self.now().astimezone(CHINA).date()

    def stamp(self) -> str:
        """Tell the time as the departments write it: ISO 8601 with the offset of China, to the second."""
        return self.now().astimezone(CHINA).isoformat(timespec="seconds")
