"""Tables of the ground: jobs, audit lines and their links, wrapped data keys, answers kept for repeated requests."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Job(Model):
    """A promise of something that follows. `payload` holds ids, never personal data.

    `lane` names the outside system that the job waits for, empty where it waits for none.
    """

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=64)
    payload = fields.JSONField[dict[str, str]]()
    state = fields.CharField(max_length=8, default="ready")  # ready | running | done | buried
    run_at = fields.DatetimeField()
    attempts = fields.IntField(default=0)
    lease_until = fields.DatetimeField(null=True)
    fence = fields.UUIDField(null=True)
    last_error = fields.CharField(max_length=80, default="")
    request_id = fields.CharField(max_length=64, default="")
    lane = fields.CharField(max_length=48, default="")
    created_at = fields.DatetimeField()
    done_at = fields.DatetimeField(null=True)

    class Meta:
        table = "job"
        indexes = (Index(fields=("state", "run_at")), Index(fields=("state", "lease_until")))


class AuditLine(Model):
    """Who did what to whose data, and why. Inserted and read, never changed (a trigger sees to it)."""

    id = fields.UUIDField(primary_key=True)
    at = fields.DatetimeField()
    actor_kind = fields.CharField(max_length=16)
    actor_id = fields.CharField(max_length=64, default="")
    subject_id = fields.UUIDField(null=True)
    on_behalf_of = fields.UUIDField(null=True)
    action = fields.CharField(max_length=64)
    purpose = fields.CharField(max_length=200, default="")
    object_kind = fields.CharField(max_length=32, default="")
    object_id = fields.CharField(max_length=64, default="")
    field_names = fields.JSONField[list[str]]()
    outcome = fields.CharField(max_length=48, default="ok")
    request_id = fields.CharField(max_length=64, default="")

    class Meta:
        table = "audit_line"
        indexes = (Index(fields=("subject_id", "at", "id")), Index(fields=("at",)))


class AuditLink(Model):
    """The place of a line in the chain: `hash` covers the line and the previous hash."""

    seq = fields.BigIntField(primary_key=True, generated=False)
    line_id = fields.UUIDField(unique=True)
    hash = fields.CharField(max_length=64)
    sealed_at = fields.DatetimeField()

    class Meta:
        table = "audit_link"


class AuditHead(Model):
    """A signed head of the chain: what an anchor outside would keep."""

    seq = fields.BigIntField(primary_key=True, generated=False)
    hash = fields.CharField(max_length=64)
    signature = fields.CharField(max_length=128)
    at = fields.DatetimeField()

    class Meta:
        table = "audit_head"


class DataKey(Model):
    """A data key, wrapped by the key-encryption key that lies outside the database."""

    id = fields.IntField(primary_key=True, generated=False)
    row_id = fields.UUIDField(unique=True)
    wrapped = fields.BinaryField()
    # From when it seals; the first one always did. It is known everywhere before that.
    current_from = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    retired_at = fields.DatetimeField(null=True)

    class Meta:
        table = "data_key"


class KeyWork(Model):
    """How far one pass over a column is that brings it to the current key. `work` names the key, `place` the last row.

    `seen`, `rewritten` and `failed` count within the present pass, and the last one rewrites nothing.
    """

    id = fields.CharField(primary_key=True, max_length=128)  # work | table.column
    work = fields.CharField(max_length=64)
    name = fields.CharField(max_length=64)
    place = fields.UUIDField()
    seen = fields.BigIntField(default=0)
    rewritten = fields.BigIntField(default=0)
    failed = fields.BigIntField(default=0)
    passes = fields.IntField(default=0)
    began_at = fields.DatetimeField(null=True)
    leased_until = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    done_at = fields.DatetimeField(null=True)

    class Meta:
        table = "key_work"
        indexes = (Index(fields=("work",)),)


class KeyNote(Model):
    """That a key of the folder came or went is in the audit once, however many processes see it."""

    id = fields.CharField(primary_key=True, max_length=96)  # kind : key | came or gone
    at = fields.DatetimeField()

    class Meta:
        table = "key_note"


class PersonKey(Model):
    """The data key of one person, itself sealed and bound to the person. Deleting it erases what it sealed."""

    person_id = fields.UUIDField(primary_key=True)
    wrapped = fields.BinaryField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "person_key"


class KeptAnswer(Model):
    """The first answer to a request with an Idempotency-Key, kept 72 hours, sealed since it may hold personal data."""

    id = fields.UUIDField(primary_key=True)
    scope = fields.CharField(max_length=64)  # hash of principal, method, route and key
    body_hash = fields.CharField(max_length=64)
    state = fields.CharField(max_length=8)  # running | done
    lease_until = fields.DatetimeField(null=True)
    status = fields.IntField(null=True)
    answer_sealed = fields.BinaryField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "kept_answer"
        unique_together = (("scope",),)
        indexes = (Index(fields=("created_at",)),)


class SeenNonce(Model):
    """A nonce of a signed request from outside: the same one again is a replay."""

    id = fields.CharField(primary_key=True, max_length=160)  # party | nonce
    created_at = fields.DatetimeField()

    class Meta:
        table = "seen_nonce"
        indexes = (Index(fields=("created_at",)),)


class Counter(Model):
    """A named counter: numbers are taken in a short transaction of their own, gaps are allowed."""

    name = fields.CharField(primary_key=True, max_length=128)
    value = fields.BigIntField(default=0)

    class Meta:
        table = "counter"


class Holiday(Model):
    """One day that differs from the week: a holiday on a weekday, or a weekend day that is worked."""

    day = fields.DateField(primary_key=True)
    works = fields.BooleanField()
    label = fields.CharField(max_length=32, default="")

    class Meta:
        table = "holiday"


class HolidayYear(Model):
    """A year whose calendar is published, other years are unknown, never guessed."""

    year = fields.IntField(primary_key=True, generated=False)
    source = fields.CharField(max_length=64, default="")

    class Meta:
        table = "holiday_year"
