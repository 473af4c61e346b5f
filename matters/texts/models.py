"""Tables of looking at texts."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class TextCheck(Model):
    """What a look at the texts of residents came to, never a text. `decided_by` is the operator who looked.

    `about` says what `subject_id` is: an application, the action of a supplement, a rating, a commitment objected to.
    """

    id = fields.UUIDField(primary_key=True)
    about = fields.CharField(max_length=12)
    subject_id = fields.UUIDField(unique=True)
    application_id = fields.UUIDField()
    department = fields.CharField(max_length=32)
    matter_code = fields.CharField(max_length=31)
    state = fields.CharField(max_length=12)
    source = fields.CharField(max_length=12)
    label = fields.IntField(default=0)
    decided_by = fields.UUIDField(null=True)
    decided_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "text_check"
        indexes = (Index(fields=("state", "created_at")), Index(fields=("application_id",)))
