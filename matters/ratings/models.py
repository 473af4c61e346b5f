"""Tables of ratings. What was written is sealed."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Rating(Model):
    """A word on how it went, one for each occasion of a case. `source`: `citizen`, or `default`: nothing was said."""

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField()
    occasion = fields.IntField(default=1)
    level = fields.CharField(max_length=24)
    reasons = fields.JSONField[list[str]]()
    dimensions = fields.JSONField[dict[str, str]]()
    text_sealed = fields.BinaryField(null=True)
    source = fields.CharField(max_length=8, default="citizen")
    channel = fields.CharField(max_length=16, default="")
    created_at = fields.DatetimeField()

    class Meta:
        table = "rating"
        unique_together = (("application_id", "occasion"),)
        indexes = (Index(fields=("created_at", "id")),)


class RatingTicket(Model):
    """The following up of one bad rating. `handled_by` is the operator who settled it."""

    id = fields.UUIDField(primary_key=True)
    rating_id = fields.UUIDField(unique=True)
    application_id = fields.UUIDField()
    department = fields.CharField(max_length=32)
    matter_code = fields.CharField(max_length=31)
    state = fields.CharField(max_length=12)
    contact_by = fields.DatetimeField(null=True)
    contacted_at = fields.DatetimeField(null=True)
    settled_at = fields.DatetimeField(null=True)
    handled_by = fields.UUIDField(null=True)
    note_sealed = fields.BinaryField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "rating_ticket"
        indexes = (Index(fields=("state", "created_at")), Index(fields=("application_id",)))
