"""Tables of rights: exports, corrections, closings. What is personal in them is sealed under the person's own key."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class DataExport(Model):
    """One export of a person's data. The row goes when its time is over, and its files with it."""

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    state = fields.CharField(max_length=10)  # requested | ready
    requested_at = fields.DatetimeField()
    ready_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(db_index=True)
    json_sealed = fields.BinaryField(null=True)
    pdf_sealed = fields.BinaryField(null=True)
    downloads = fields.IntField(default=0)

    class Meta:
        table = "data_export"
        indexes = (Index(fields=("citizen_id", "requested_at")),)


class Correction(Model):
    """What a person says is wrong, and what an operator answered."""

    id = fields.UUIDField(primary_key=True)
    number = fields.CharField(max_length=20, unique=True)
    citizen_id = fields.UUIDField()
    about = fields.CharField(max_length=12)
    object_id = fields.UUIDField(null=True)
    text_sealed = fields.BinaryField()
    state = fields.CharField(max_length=10)  # open | corrected | refused
    recheck = fields.CharField(max_length=8, default="")  # agrees | differs, of identities
    answer_sealed = fields.BinaryField(null=True)
    created_at = fields.DatetimeField()
    answered_at = fields.DatetimeField(null=True)
    answered_by = fields.UUIDField(null=True)

    class Meta:
        table = "correction"
        indexes = (Index(fields=("citizen_id", "created_at")), Index(fields=("state", "id")))


class LedgerReport(Model):
    """What a person says about a line of their ledger, and what became of it."""

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField(db_index=True)
    line_id = fields.UUIDField()
    kind = fields.CharField(max_length=8)  # not-me | erasure
    # The verifier that is asked to erase.
    party_id = fields.UUIDField(null=True)
    state = fields.CharField(max_length=12)  # open, or the answer
    reported_at = fields.DatetimeField()
    answered_at = fields.DatetimeField(null=True)

    class Meta:
        table = "ledger_report"
        unique_together = (("line_id", "kind"),)
        indexes = (Index(fields=("kind", "state", "id")), Index(fields=("party_id", "state", "id")))


class AccountClosure(Model):
    """One closing of an account: asked for, then taken back or done. Afterwards it is the tombstone: no personal value.

    `look_again_at`: when to erase what came in at the very moment, or what was kept and is due, none when nothing is.
    """

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField(db_index=True)
    state = fields.CharField(max_length=10)  # waiting | taken_back | closed
    reason = fields.CharField(max_length=16)  # own-wish
    requested_at = fields.DatetimeField()
    closes_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    look_again_at = fields.DatetimeField(null=True, db_index=True)

    class Meta:
        table = "account_closure"
