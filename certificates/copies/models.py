"""Tables of stamped copies."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Copy(Model):
    """A certificate stamped for a consumer and a purpose. Of the paper only the digest is kept, and of its code."""

    id = fields.UUIDField(primary_key=True)
    code_hash = fields.CharField(max_length=64, unique=True)
    sha256 = fields.CharField(max_length=64)
    certificate_id = fields.UUIDField()
    citizen_id = fields.UUIDField()
    version = fields.IntField()
    field_names = fields.JSONField[list[str]]()
    consumer = fields.CharField(max_length=60)
    purpose = fields.CharField(max_length=200)
    made_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "certificate_copy"
        indexes = (Index(fields=("citizen_id", "id")),)
