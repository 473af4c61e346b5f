"""Tables of sharing."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Disclosure(Model):
    """A holder's consent to one verifier, for one kind and purpose. What it lets out stays as it was given."""

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    verifier_id = fields.UUIDField()
    kind = fields.CharField(max_length=40)
    field_names = fields.JSONField[list[str]]()
    claims = fields.JSONField[list[str]]()
    purpose = fields.CharField(max_length=200)
    once = fields.BooleanField()
    given_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)
    withdrawn_at = fields.DatetimeField(null=True)

    class Meta:
        table = "certificate_disclosure"
        indexes = (Index(fields=("citizen_id", "verifier_id", "kind")), Index(fields=("citizen_id", "id")))
