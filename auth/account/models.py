"""Tables of what becomes of accounts."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Takeover(Model):
    """Somebody who has shown the face of a person asks for that person's account from another WeChat account.

    One waits for each holder (migrations/auth/_guards.py). `claimant_id` is the resident without a name to whom the
    WeChat account belongs meanwhile.
    """

    id = fields.UUIDField(primary_key=True)
    holder_id = fields.UUIDField()
    claimant_id = fields.UUIDField()
    account_id = fields.UUIDField()
    state = fields.CharField(max_length=8, default="waiting")  # waiting | done | stopped
    asked_at = fields.DatetimeField()
    effective_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "takeover"
        indexes = (Index(fields=("holder_id", "asked_at")), Index(fields=("claimant_id", "asked_at")))


class CitizenGroup(Model):
    """A group a resident belongs to because of one source, such as a certificate that holds until a day."""

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    name = fields.CharField(max_length=32)
    source = fields.CharField(max_length=48)
    until = fields.DateField(null=True)
    granted_at = fields.DatetimeField()

    class Meta:
        table = "citizen_group"
        unique_together = (("citizen_id", "source"),)
