"""Tables of results."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class DecisionDocument(Model):
    """A decision on paper: promised with the decision, made a little later. `seq` is the action that decided.

    The paper lies sealed in the file store; of its code only the digest is kept. `next_at` is when it is made, and
    empty once it is.
    """

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField()
    seq = fields.IntField()
    outcome = fields.CharField(max_length=24)
    number = fields.CharField(max_length=64, unique=True)
    code_hash = fields.CharField(max_length=64, null=True, unique=True)
    sha256 = fields.CharField(max_length=64, default="")
    file_name = fields.CharField(max_length=64, null=True, unique=True)
    decided_at = fields.DatetimeField()
    made_at = fields.DatetimeField(null=True)
    next_at = fields.DatetimeField(null=True)

    class Meta:
        table = "decision_document"
        unique_together = (("application_id", "seq"),)
        indexes = (Index(fields=("next_at",)),)


class ResultDelivery(Model):
    """How a result reaches the applicant. `next_at` is when the timetable goes on with it, empty while it waits."""

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField(unique=True)
    way = fields.CharField(max_length=16, default="")
    place_sealed = fields.BinaryField(null=True)
    state = fields.CharField(max_length=16)
    chosen_at = fields.DatetimeField(null=True)
    next_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "result_delivery"
        indexes = (Index(fields=("next_at",)),)


class ArchivePackage(Model):
    """A closed case as it was packed. It lies sealed in the file store."""

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField(unique=True)
    sha256 = fields.CharField(max_length=64)
    file_name = fields.CharField(max_length=64, unique=True)
    made_at = fields.DatetimeField()

    class Meta:
        table = "archive_package"
