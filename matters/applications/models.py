"""Tables of asking: applications, their files, ratings. Forms and free texts are sealed."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Application(Model):
    """One thing asked of a department. `state`, `accepted_at` and `decided_at` are cached folds of its actions."""

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    matter_code = fields.CharField(max_length=31)
    matter_version = fields.IntField()
    department = fields.CharField(max_length=32)
    state = fields.CharField(max_length=24)
    version = fields.IntField(default=1)
    actions = fields.IntField(default=0)
    form_sealed = fields.BinaryField()
    sources = fields.JSONField[dict[str, dict[str, str]]]()
    number = fields.CharField(max_length=43, null=True, unique=True)
    query_code_hash = fields.CharField(max_length=32, default="")
    limit_days = fields.IntField(default=0)
    submitted_at = fields.DatetimeField(null=True)
    accepted_at = fields.DatetimeField(null=True)
    decided_at = fields.DatetimeField(null=True)
    due_at = fields.DatetimeField(null=True)
    due_note = fields.CharField(max_length=32, default="")
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "application"
        indexes = (Index(fields=("citizen_id", "created_at", "id")), Index(fields=("due_note",)))


class Attachment(Model):
    """A file given with an application, its content lies sealed in the file store."""

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField()
    citizen_id = fields.UUIDField()
    matter_code = fields.CharField(max_length=31)
    material = fields.CharField(max_length=48)
    file_name = fields.CharField(max_length=64, unique=True)
    sha256 = fields.CharField(max_length=64)
    size = fields.IntField()
    media_type = fields.CharField(max_length=32)
    created_at = fields.DatetimeField()

    class Meta:
        table = "attachment"
        indexes = (Index(fields=("application_id",)), Index(fields=("citizen_id", "matter_code")))


class Rating(Model):
    """A resident's word on how it went: one for each case. `source`: `citizen`, or `default` when nothing was said."""

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField(unique=True)
    level = fields.CharField(max_length=24)
    reasons = fields.JSONField[list[str]]()
    text_sealed = fields.BinaryField(null=True)
    source = fields.CharField(max_length=8, default="citizen")
    created_at = fields.DatetimeField()

    class Meta:
        table = "rating"
