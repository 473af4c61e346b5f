"""Tables of the dynamic list: revisions of matters, and the operations by which the list became what it is."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class MatterRevision(Model):
    """One version of a matter. `content` is all of it, and `edition` rises with each change of the row.

    It counts from `effective_at` until `ends_at`. Before the first and after the second it is only remembered.
    """

    id = fields.UUIDField(primary_key=True)
    code = fields.CharField(max_length=31)
    slug = fields.CharField(max_length=64)
    department = fields.CharField(max_length=32)
    version = fields.IntField()
    state = fields.CharField(max_length=12)
    content = fields.JSONField[dict[str, object]]()
    edition = fields.IntField(default=1)
    effective_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(null=True)
    created_by = fields.CharField(max_length=36)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "matter_revision"
        unique_together = (("code", "version"),)
        indexes = (Index(fields=("state", "department")),)


class ListOperation(Model):
    """Something that was done to the list, by two people: written once."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(max_length=12)
    department = fields.CharField(max_length=32)
    sources = fields.JSONField[list[str]]()
    targets = fields.JSONField[list[str]]()
    effective_at = fields.DatetimeField()
    reason = fields.CharField(max_length=200, default="")
    approved_by = fields.CharField(max_length=36)
    created_at = fields.DatetimeField()

    class Meta:
        table = "list_operation"
        indexes = (Index(fields=("created_at", "id")),)
