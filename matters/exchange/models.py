"""Tables of exchange: counters by day, and how each outside system stands."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class ExchangeCount(Model):
    """How often something was exchanged on a day, with how long it took. Times in microseconds."""

    id = fields.UUIDField(primary_key=True)
    day = fields.CharField(max_length=10)
    direction = fields.CharField(max_length=3)
    partner = fields.CharField(max_length=64)
    resource = fields.CharField(max_length=96)
    matter = fields.CharField(max_length=31)
    consumer = fields.CharField(max_length=48)
    outcome = fields.CharField(max_length=16)
    count = fields.BigIntField()
    total_us = fields.BigIntField()
    longest_us = fields.BigIntField()

    class Meta:
        table = "exchange_count"
        unique_together = (("day", "direction", "partner", "resource", "matter", "consumer", "outcome"),)
        indexes = (Index(fields=("day", "id")), Index(fields=("partner", "resource", "day")))


class PartnerStanding(Model):
    """How an outside system stands, for all processes: the last that was heard of it, and what an operator says."""

    partner = fields.CharField(max_length=64, primary_key=True)
    state = fields.CharField(max_length=8)
    since = fields.DatetimeField(null=True)
    seen_at = fields.DatetimeField()
    expected_at = fields.DatetimeField(null=True)

    class Meta:
        table = "partner_standing"
