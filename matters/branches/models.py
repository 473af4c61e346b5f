"""Tables of branches."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class CaseBranch(Model):
    """One department's part in a case. `delivery` is its dossier's way there, `reason` why it was declined."""

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField()
    name = fields.CharField(max_length=20)
    department = fields.CharField(max_length=32)
    state = fields.CharField(max_length=16)
    reference = fields.CharField(max_length=64, unique=True)
    delivery = fields.CharField(max_length=16)
    receipt_number = fields.CharField(max_length=64, default="")
    reason = fields.CharField(max_length=48, default="")
    limit_days = fields.IntField()
    opened_at = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)
    due_note = fields.CharField(max_length=32, default="")
    settled_at = fields.DatetimeField(null=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "case_branch"
        unique_together = (("application_id", "name"),)
        indexes = (Index(fields=("department", "state")), Index(fields=("due_note",)))
