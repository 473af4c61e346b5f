"""Tables of the registers: parties outside and their keys, and the records the law wants kept."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Party(Model):
    """Somebody or something outside whose signed requests we take: a verifier, a department, a device."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(max_length=10)  # verifier | department | device
    slug = fields.CharField(max_length=48, unique=True)
    state = fields.CharField(max_length=9, default="active")  # active | suspended
    # What the register says of it, by kind; nothing personal.
    details = fields.JSONField[dict[str, object]]()
    # Whom to call there.
    contact_sealed = fields.BinaryField(null=True)
    registered_at = fields.DatetimeField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "party"
        indexes = (Index(fields=("kind", "slug")),)


class PartyKey(Model):
    """A public key of a party. Withdrawn ones stay, so that their ids are never given again."""

    id = fields.UUIDField(primary_key=True)
    party: fields.ForeignKeyRelation[Party] = fields.ForeignKeyField(
        "auth.Party", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    key_id = fields.CharField(max_length=64, unique=True)
    public_key = fields.TextField()
    # The SHA-256 of the key itself, however it is written: it is nobody else's, and never comes back.
    fingerprint = fields.CharField(max_length=64, unique=True)
    state = fields.CharField(max_length=9, default="active")  # active | withdrawn
    added_at = fields.DatetimeField()
    withdrawn_at = fields.DatetimeField(null=True)

    class Meta:
        table = "party_key"


class PartyUsage(Model):
    """How often a verifier has asked on one day in China: what its quota is held against."""

    id = fields.UUIDField(primary_key=True)
    party_id = fields.UUIDField()
    day = fields.DateField()
    used = fields.IntField()

    class Meta:
        table = "party_usage"
        unique_together = (("party_id", "day"),)


class PrivacyRecord(Model):
    """An entry of the registers that data protection law wants kept. Written once, never changed."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(max_length=12)  # assessment | processing | breach | filing
    title = fields.CharField(max_length=120)
    content = fields.JSONField[dict[str, str]]()
    follows_id = fields.UUIDField(null=True)
    written_by = fields.UUIDField()
    written_at = fields.DatetimeField()

    class Meta:
        table = "privacy_record"
        indexes = (Index(fields=("kind", "written_at", "id")),)
