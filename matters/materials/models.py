"""Tables of materials."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class ApplicationMaterial(Model):
    """How one material of a submitted application was satisfied. `source` names the department, the kind or a row."""

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField()
    matter_code = fields.CharField(max_length=31)
    department = fields.CharField(max_length=32)
    material = fields.CharField(max_length=48)
    necessity = fields.CharField(max_length=1)
    way = fields.CharField(max_length=16)
    source = fields.CharField(max_length=64, default="")
    created_at = fields.DatetimeField()

    class Meta:
        table = "application_material"
        unique_together = (("application_id", "material"),)
        indexes = (Index(fields=("created_at",)), Index(fields=("source",)))


class KeptMaterial(Model):
    """A file that a resident keeps to give it again. It lies in the file store, sealed under the resident's own key."""

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    kind = fields.CharField(max_length=48)
    material = fields.CharField(max_length=48)
    matter_code = fields.CharField(max_length=31)
    department = fields.CharField(max_length=32)
    reuse = fields.CharField(max_length=16)
    file_name = fields.CharField(max_length=64, unique=True)
    sha256 = fields.CharField(max_length=64)
    size = fields.IntField()
    media_type = fields.CharField(max_length=32)
    given_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    uses = fields.IntField(default=0)
    used_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "kept_material"
        unique_together = (("citizen_id", "kind", "sha256"),)
        indexes = (Index(fields=("expires_at",)),)


class Commitment(Model):
    """What an applicant promised in place of a material, or may hand in later: until when, and what became of it."""

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField()
    citizen_id = fields.UUIDField()
    matter_code = fields.CharField(max_length=31)
    matter_version = fields.IntField()
    material = fields.CharField(max_length=48)
    kind = fields.CharField(max_length=16)
    state = fields.CharField(max_length=16)
    due_at = fields.DatetimeField()
    made_at = fields.DatetimeField()
    settled_at = fields.DatetimeField(null=True)
    reason_sealed = fields.BinaryField(null=True)
    objection_sealed = fields.BinaryField(null=True)
    objected_at = fields.DatetimeField(null=True)
    answer_sealed = fields.BinaryField(null=True)
    reviewed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "commitment"
        unique_together = (("application_id", "material"),)
        indexes = (Index(fields=("citizen_id", "state")), Index(fields=("state", "due_at")))
