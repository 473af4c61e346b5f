"""Tables of the wallet: what is held, and what is being shown."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Certificate(Model):
    """One certificate of one citizen. `state` is what holds, the calendar is asked when reading.

    `told_state` is what its issuer says. They differ while the certificate is `held_back`, for the reason there.
    """

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    kind = fields.CharField(max_length=40)
    state = fields.CharField(max_length=12)
    told_state = fields.CharField(max_length=12)
    held_back = fields.CharField(max_length=16, default="")
    version = fields.IntField()
    valid_until = fields.DateField(null=True)
    # When the holder is reminded of it next.
    remind_on = fields.DateField(null=True)
    issuer = fields.CharField(max_length=120)
    number_sealed = fields.BinaryField()
    identifier_sealed = fields.BinaryField()
    fields_sealed = fields.BinaryField()
    # Rises with each write, whoever writes: the compare-and-set of concurrent refreshes.
    revision = fields.IntField(default=1)
    fetched_at = fields.DatetimeField()
    stale_since = fields.DatetimeField(null=True)
    # When a reader has last had it fetched anew in the background.
    looked_after_at = fields.DatetimeField(null=True)

    class Meta:
        table = "certificate"
        unique_together = (("citizen_id", "kind"),)
        indexes = (Index(fields=("remind_on", "id")),)


class Asked(Model):
    """What came of asking an issuer for a kind of certificate of one person, and who is asking now."""

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    kind = fields.CharField(max_length=40)
    outcome = fields.CharField(max_length=20)
    asked_at = fields.DatetimeField(null=True)
    # Rises with each answer: who has seen an earlier one does not ask after it.
    turn = fields.IntField()
    lease_until = fields.DatetimeField(null=True)

    class Meta:
        table = "certificate_asking"
        unique_together = (("citizen_id", "kind"),)


class CertificateEvent(Model):
    """One line of a certificate's history: nothing changes without one. Holds no personal value."""

    id = fields.UUIDField(primary_key=True)
    certificate_id = fields.UUIDField()
    citizen_id = fields.UUIDField()
    at = fields.DatetimeField()
    # Asked (pull), told by the issuer (push), or by ourselves (system).
    source = fields.CharField(max_length=8)
    state_before = fields.CharField(max_length=12)
    state = fields.CharField(max_length=12)
    code = fields.CharField(max_length=2)
    version = fields.IntField()
    reason = fields.CharField(max_length=40)
    department = fields.CharField(max_length=40)
    # The issuer's own, where it told us: the same twice is one.
    event_id = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "certificate_event"
        unique_together = (("department", "event_id"),)
        indexes = (Index(fields=("certificate_id", "id")), Index(fields=("citizen_id",)))


class CertificateReport(Model):
    """What a holder calls wrong on a certificate, on its way to the issuer and back."""

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    certificate_id = fields.UUIDField()
    kind = fields.CharField(max_length=40)
    field = fields.CharField(max_length=40)
    text_sealed = fields.BinaryField()
    state = fields.CharField(max_length=12)
    ticket = fields.CharField(max_length=120, default="")
    note_sealed = fields.BinaryField(null=True)
    created_at = fields.DatetimeField()
    answered_at = fields.DatetimeField(null=True)

    class Meta:
        table = "certificate_report"
        indexes = (Index(fields=("certificate_id", "id")), Index(fields=("citizen_id",)))


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
    # To whom alone it lets the fields out; anybody registered, where none is named.
    verifier_id = fields.UUIDField(null=True)
    field_names = fields.JSONField[list[str]]()
    claims = fields.JSONField[list[str]]()
    purpose = fields.CharField(max_length=200, default="")
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "certificate_presentation"
        indexes = (Index(fields=("certificate_id", "expires_at")), Index(fields=("expires_at",)))
