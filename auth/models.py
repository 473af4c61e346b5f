"""Tables of auth: residents, their WeChat accounts and sessions, and consents."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Citizen(Model):
    """A resident. Without a number: somebody with a WeChat account whose name is not yet known."""

    id = fields.UUIDField(primary_key=True)
    name_sealed = fields.BinaryField(null=True)
    id_number_sealed = fields.BinaryField(null=True)
    # One person, one account: the unique index decides races.
    id_number_hash = fields.CharField(max_length=32, null=True, unique=True)
    mobile_sealed = fields.BinaryField(null=True)
    # Not unique: families share a mobile.
    mobile_hash = fields.CharField(max_length=32, null=True, db_index=True)
    elder_chosen = fields.BooleanField(default=False)
    state = fields.CharField(max_length=8, default="active")  # active | closed
    identified_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "citizen"


class WechatAccount(Model):
    """A WeChat account and the resident it belongs to."""

    id = fields.UUIDField(primary_key=True)
    citizen: fields.ForeignKeyRelation[Citizen] = fields.ForeignKeyField(
        "auth.Citizen", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    openid_sealed = fields.BinaryField()
    openid_hash = fields.CharField(max_length=32, unique=True)
    created_at = fields.DatetimeField()
    # Since when it belongs to a resident with a name.
    bound_at = fields.DatetimeField(null=True)

    class Meta:
        table = "wechat_account"


class CitizenSession(Model):
    """One place where a resident is logged in: a family of refresh tokens of which `generation` is the newest.

    `level` is what holds for the whole session, linked or real_name; `present_until` lifts it for a while.
    """

    id = fields.UUIDField(primary_key=True)
    citizen: fields.ForeignKeyRelation[Citizen] = fields.ForeignKeyField(
        "auth.Citizen", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    # The WeChat account it came by, none when a face or another way opened it. No relation: accounts are never deleted.
    account_id = fields.UUIDField(null=True)
    # The officer who acts in it for the resident, who has confirmed that.
    operator_id = fields.UUIDField(null=True)
    level = fields.CharField(max_length=9)
    present_until = fields.DatetimeField(null=True)
    elder = fields.BooleanField(default=False)
    device_hash = fields.CharField(max_length=32, default="")
    generation = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    last_used_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    end_reason = fields.CharField(max_length=16, default="")  # logout | refresh-reused | account-unbound | officer-left

    class Meta:
        table = "citizen_session"
        indexes = (Index(fields=("expires_at",)), Index(fields=("account_id", "created_at")))


class RefreshToken(Model):
    """A refresh token as its hash. `successor_sealed` is kept for seconds, for a client whose answer got lost."""

    id = fields.UUIDField(primary_key=True)
    session: fields.ForeignKeyRelation[CitizenSession] = fields.ForeignKeyField(
        "auth.CitizenSession", related_name=False, on_delete=fields.CASCADE
    )
    generation = fields.IntField()
    token_hash = fields.CharField(max_length=64, unique=True)
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)
    successor_sealed = fields.BinaryField(null=True)

    class Meta:
        table = "refresh_token"
        # A session forks never: one token for each generation.
        unique_together = (("session", "generation"),)


class Consent(Model):
    """A consent to one purpose under one version of its text. Given, perhaps withdrawn, never changed.

    `text_hash` proves which words were agreed to. `given_by` is the guardian who agreed for the person, none when they
    agreed themselves. No value of the person stands here: the row may outlive the account as evidence.
    """

    id = fields.UUIDField(primary_key=True)
    citizen: fields.ForeignKeyRelation[Citizen] = fields.ForeignKeyField(
        "auth.Citizen", related_name=False, on_delete=fields.RESTRICT
    )
    purpose = fields.CharField(max_length=32)
    version = fields.IntField()
    text_hash = fields.CharField(max_length=64)
    channel = fields.CharField(max_length=8)  # online | face | counter
    given_by = fields.UUIDField(null=True)
    given_at = fields.DatetimeField()
    withdrawn_at = fields.DatetimeField(null=True)
    request_id = fields.CharField(max_length=64, default="")

    class Meta:
        table = "consent"
        indexes = (Index(fields=("citizen_id", "purpose")),)


class RealNameAttempt(Model):
    """One attempt at a real name, by an account and on a number (its blind index). Forgotten when it counts no more."""

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    number_hash = fields.CharField(max_length=32)
    started_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "real_name_attempt"
        indexes = (Index(fields=("citizen_id", "started_at")), Index(fields=("number_hash", "started_at")))


class RealNameSubject(Model):
    """A row to hold while attempts by an account or on a number are counted, so that two at once do not both fit in."""

    key = fields.CharField(max_length=48, primary_key=True)
    counted_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "real_name_subject"
