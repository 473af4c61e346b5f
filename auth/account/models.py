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
