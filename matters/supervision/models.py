"""Tables of supervision. What was written is sealed."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class SupervisionCard(Model):
    """A case was near a date or beyond it: one card of each colour for each date of each deadline."""

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField()
    department = fields.CharField(max_length=32)
    matter_code = fields.CharField(max_length=31)
    deadline = fields.CharField(max_length=12)
    colour = fields.CharField(max_length=8)
    due_at = fields.DatetimeField()
    state = fields.CharField(max_length=8)
    issued_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)
    closed_because = fields.CharField(max_length=12, default="")

    class Meta:
        table = "supervision_card"
        unique_together = (("application_id", "deadline", "colour", "due_at"),)
        indexes = (Index(fields=("state", "issued_at", "id")),)


class SupervisionOrder(Model):
    """A department is asked to say why a case is late. `level` is who answers. No `issued_by`: by the clock."""

    id = fields.UUIDField(primary_key=True)
    card_id = fields.UUIDField(unique=True)
    application_id = fields.UUIDField()
    department = fields.CharField(max_length=32)
    matter_code = fields.CharField(max_length=31)
    level = fields.CharField(max_length=12)
    state = fields.CharField(max_length=12)
    issued_by = fields.UUIDField(null=True)
    issued_at = fields.DatetimeField()
    instruction_sealed = fields.BinaryField(null=True)
    answer_by = fields.DatetimeField(null=True)
    escalated_at = fields.DatetimeField(null=True)
    answered_by = fields.UUIDField(null=True)
    answered_at = fields.DatetimeField(null=True)
    reason = fields.CharField(max_length=24, default="")
    answer_sealed = fields.BinaryField(null=True)

    class Meta:
        table = "supervision_order"
        indexes = (
            Index(fields=("state", "answer_by")),
            Index(fields=("state", "issued_at", "id")),
            Index(fields=("application_id",)),
        )


class AccountabilityRecord(Model):
    """A case was late and nobody gave a reason. It is upheld or excused once, by somebody who looks at it."""

    id = fields.UUIDField(primary_key=True)
    card_id = fields.UUIDField(unique=True)
    application_id = fields.UUIDField()
    department = fields.CharField(max_length=32)
    matter_code = fields.CharField(max_length=31)
    deadline = fields.CharField(max_length=12)
    ground = fields.CharField(max_length=16)
    due_at = fields.DatetimeField()
    state = fields.CharField(max_length=8)
    created_at = fields.DatetimeField()
    reviewed_by = fields.UUIDField(null=True)
    reviewed_at = fields.DatetimeField(null=True)
    note_sealed = fields.BinaryField(null=True)

    class Meta:
        table = "accountability_record"
        indexes = (Index(fields=("state", "created_at", "id")), Index(fields=("application_id",)))
