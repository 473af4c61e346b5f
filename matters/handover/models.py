"""The table of letters: what departments are told after they have a dossier."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Letter(Model):
    """A letter on its way, `state` in the words of `delivery.state`. `branch` is empty for a whole case."""

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField()
    branch = fields.CharField(max_length=20, default="")
    kind = fields.CharField(max_length=12)
    department = fields.CharField(max_length=32)
    desk = fields.CharField(max_length=32)
    state = fields.CharField(max_length=16)
    failures = fields.IntField(default=0)
    reason = fields.CharField(max_length=48, default="")
    created_at = fields.DatetimeField()
    sent_at = fields.DatetimeField(null=True)
    settled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "letter"
        indexes = (Index(fields=("state", "created_at")), Index(fields=("application_id",)))
