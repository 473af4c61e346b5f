"""Tables of asking: applications and their files. Forms are sealed."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Application(Model):
    """One thing asked of a department. `state`, `accepted_at` and `decided_at` are cached folds of its actions.

    So are `due_at` (as promised), `legal_due_at`, and `review_due_at`, until when it is looked at before acceptance.

    `unit` handles it, in `region`; `home_region` is where it belongs, `taken_region` where an officer took it for
    the resident. Empty before it is routed, or not known.
    """

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
    limit_hours = fields.IntField(null=True)
    legal_days = fields.IntField(null=True)
    legal_hours = fields.IntField(null=True)
    submitted_at = fields.DatetimeField(null=True)
    accepted_at = fields.DatetimeField(null=True)
    decided_at = fields.DatetimeField(null=True)
    submitted_sealed = fields.BinaryField(null=True)
    expires_at = fields.DatetimeField(null=True)
    reminded_at = fields.DatetimeField(null=True)
    channel = fields.CharField(max_length=16, default="")
    due_at = fields.DatetimeField(null=True)
    due_note = fields.CharField(max_length=32, default="")
    unit = fields.CharField(max_length=32, default="")
    region = fields.CharField(max_length=12, default="")
    home_region = fields.CharField(max_length=12, default="")
    taken_region = fields.CharField(max_length=12, default="")
    legal_due_at = fields.DatetimeField(null=True)
    review_due_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "application"
        indexes = (
            Index(fields=("citizen_id", "created_at", "id")),
            Index(fields=("due_note",)),
            Index(fields=("decided_at",)),
            Index(fields=("state", "expires_at")),
            Index(fields=("unit", "state")),
            Index(fields=("region", "state")),
            Index(fields=("submitted_at", "id")),
        )


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
    kept_sha256 = fields.CharField(max_length=64)
    kept_size = fields.IntField()

    class Meta:
        table = "attachment"
        indexes = (Index(fields=("application_id",)), Index(fields=("citizen_id", "matter_code")))
