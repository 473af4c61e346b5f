"""Tables of the wallet: what is held, and what is being shown."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Certificate(Model):
    """One certificate of one citizen. `state` is what its issuer says, the calendar is asked when reading."""

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    kind = fields.CharField(max_length=40)
    state = fields.CharField(max_length=12)
    version = fields.IntField()
    valid_until = fields.DateField(null=True)
    issuer = fields.CharField(max_length=120)
    number_sealed = fields.BinaryField()
    identifier_sealed = fields.BinaryField()
    fields_sealed = fields.BinaryField()
    # Rises with each write, whoever writes: the compare-and-set of concurrent refreshes.
    revision = fields.IntField(default=1)
    fetched_at = fields.DatetimeField()
    stale_since = fields.DatetimeField(null=True)

    class Meta:
        table = "certificate"
        unique_together = (("citizen_id", "kind"),)


class Presentation(Model):
    """A code that shows one certificate once. Only the hash of the code is kept."""

    id = fields.UUIDField(primary_key=True)
    code_hash = fields.CharField(max_length=64, unique=True)
    certificate_id = fields.UUIDField()
    citizen_id = fields.UUIDField()
    # Where it is shown: the code is worth nothing once that session has ended.
    session_id = fields.UUIDField(null=True)
    # Under which it is shown, if it is shown for somebody else: the code is worth nothing once it is revoked.
    mandate_id = fields.UUIDField(null=True)
    field_names = fields.JSONField[list[str]]()
    claims = fields.JSONField[list[str]]()
    purpose = fields.CharField(max_length=200, default="")
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "certificate_presentation"
        indexes = (Index(fields=("certificate_id", "expires_at")), Index(fields=("expires_at",)))
