"""The settings of exchange."""

from pydantic import Field

from core.settings import Section


class ExchangeSettings(Section):
    """How exchange with outside systems is counted and shown.

    Counts are kept in memory for `flush_seconds` before they are written, and `keep_days` in the database. What nobody
    asked for `unused_days` is shown as unused. An outage that nothing was heard of for `outage_seconds` counts as
    trouble only, and after ten times as long as over.
    """

    flush_seconds: float = Field(default=5.0, gt=0, le=60)
    keep_days: int = Field(default=400, ge=30, le=3650)
    unused_days: int = Field(default=90, ge=7, le=3650)
    outage_seconds: int = Field(default=900, ge=60, le=86_400)
