"""Tables of extensions. What was written is sealed."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class ExtensionRequest(Model):
    """What one person asks for and another decides: a longer limit for one case. One waits at a time (a guard)."""

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField()
    department = fields.CharField(max_length=32)
    matter_code = fields.CharField(max_length=31)
    days = fields.IntField()
    reason = fields.CharField(max_length=24)
    note_sealed = fields.BinaryField()
    state = fields.CharField(max_length=12)
    requested_by = fields.UUIDField()
    requested_at = fields.DatetimeField()
    decided_by = fields.UUIDField(null=True)
    decided_at = fields.DatetimeField(null=True)

    class Meta:
        table = "extension_request"
        indexes = (Index(fields=("state", "requested_at", "id")), Index(fields=("application_id",)))
