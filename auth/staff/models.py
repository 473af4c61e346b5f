"""Tables of the staff: who they are, what they hold, their sessions, what two of them decided, what they opened."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Operator(Model):
    """Somebody of the staff. The attempts at the one-time code are counted here: no cache can forget them."""

    id = fields.UUIDField(primary_key=True)
    username = fields.CharField(max_length=64, unique=True)
    state = fields.CharField(max_length=8)  # invited | active | disabled
    password_hash = fields.CharField(max_length=160, default="")
    otp_sealed = fields.BinaryField(null=True)
    # The 30-second step of the last code taken: none works twice.
    otp_step = fields.BigIntField(default=0)
    # Networks they may come from; none: from anywhere the installation allows.
    networks = fields.JSONField[list[str]]()
    attempts = fields.IntField(default=0)
    first_attempt_at = fields.DatetimeField(null=True)
    locked_until = fields.DatetimeField(null=True)
    lock_count = fields.IntField(default=0)
    # The one-time secret of somebody invited, as its hash.
    activation_hash = fields.CharField(max_length=64, null=True, unique=True)
    activation_until = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "operator_account"


class OperatorGrant(Model):
    """A role that an operator holds, and how far it reaches. Empty parts are not limited."""

    id = fields.UUIDField(primary_key=True)
    operator: fields.ForeignKeyRelation[Operator] = fields.ForeignKeyField(
        "auth.Operator", related_name=False, on_delete=fields.RESTRICT
    )
    role = fields.CharField(max_length=24)
    region = fields.CharField(max_length=12, default="")
    department = fields.CharField(max_length=32, default="")
    matter = fields.CharField(max_length=64, default="")

    class Meta:
        table = "operator_grant"
        unique_together = (("operator", "role", "region", "department", "matter"),)


class OperatorSession(Model):
    """An operator's session. Its bearer token is kept as a hash."""

    id = fields.UUIDField(primary_key=True)
    operator: fields.ForeignKeyRelation[Operator] = fields.ForeignKeyField(
        "auth.Operator", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    token_hash = fields.CharField(max_length=64, unique=True)
    created_at = fields.DatetimeField()
    last_used_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "operator_session"


class RecoveryCode(Model):
    """A code that takes the place of a one-time code, once, when the device is lost. Kept as a hash."""

    id = fields.UUIDField(primary_key=True)
    operator: fields.ForeignKeyRelation[Operator] = fields.ForeignKeyField(
        "auth.Operator", related_name=False, on_delete=fields.CASCADE
    )
    code_hash = fields.CharField(max_length=64)
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "recovery_code"
        unique_together = (("operator", "code_hash"),)


class Approval(Model):
    """Something that takes two people: asked for by one, decided by another. An emergency is done by one and reviewed.

    `payload_hash` is of exactly what is asked for; what is done is compared with it again.
    """

    id = fields.UUIDField(primary_key=True)
    action = fields.CharField(max_length=40)
    payload_hash = fields.CharField(max_length=64)
    payload_sealed = fields.BinaryField()
    reason_sealed = fields.BinaryField()
    state = fields.CharField(max_length=9)  # waiting | approved | executed | rejected | withdrawn
    emergency = fields.BooleanField(default=False)
    requested_by = fields.UUIDField()
    requested_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    # Who decided, either way; `approved_by` is set only by a yes.
    decided_by = fields.UUIDField(null=True)
    approved_by = fields.UUIDField(null=True)
    decided_at = fields.DatetimeField(null=True)
    executed_at = fields.DatetimeField(null=True)
    # Of an emergency: by whom it was looked at afterwards, and what they found.
    reviewed_by = fields.UUIDField(null=True)
    reviewed_at = fields.DatetimeField(null=True)
    finding = fields.CharField(max_length=12, default="")  # justified | unjustified
    # What stood where the emergency has changed something, to be put back when it was unjustified.
    before_sealed = fields.BinaryField(null=True)
    # What of an unjustified one was undone, and what is left for people to see to; then who has, and what they say.
    aftermath = fields.JSONField[dict[str, object]](null=True)
    followed_up_by = fields.UUIDField(null=True)
    followed_up_at = fields.DatetimeField(null=True)
    follow_up_sealed = fields.BinaryField(null=True)

    class Meta:
        table = "approval"
        indexes = (Index(fields=("requested_at", "id")), Index(fields=("requested_by", "state")))


class Opening(Model):
    """An operator has read personal values of somebody. Counted here: what was read stands in the audit."""

    id = fields.UUIDField(primary_key=True)
    operator_id = fields.UUIDField()
    opened_at = fields.DatetimeField()

    class Meta:
        table = "opening"
        indexes = (Index(fields=("operator_id", "opened_at")),)
