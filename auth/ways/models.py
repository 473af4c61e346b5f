"""Tables of the ways: checks, slips of the counter, officers' requests, attempts. Claims are wiped with the outcome."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class WayCheck(Model):
    """One check by a way, from its start to its outcome.

    `person_mark` is the mark of the ID number: attempts on one person count across accounts and addresses. What
    was claimed and what the way needs to finish are sealed, and wiped with the outcome. `takes` fences the looks at it.
    """

    id = fields.UUIDField(primary_key=True)
    purpose = fields.CharField(max_length=8)  # step-up | login
    method = fields.CharField(max_length=20)
    citizen_id = fields.UUIDField(null=True)
    session_id = fields.UUIDField(null=True)
    person_mark = fields.CharField(max_length=32)
    claim_sealed = fields.BinaryField(null=True)
    reference_sealed = fields.BinaryField(null=True)
    pseudonym_sealed = fields.BinaryField(null=True)
    elder = fields.BooleanField()
    consent = fields.CharField(max_length=40, default="")
    attempt_id = fields.UUIDField()
    state = fields.CharField(max_length=9)  # beginning | open | judging | done
    outcome = fields.CharField(max_length=8, default="")  # passed | failed
    reason = fields.CharField(max_length=16, default="")
    tries = fields.IntField(default=0)
    takes = fields.IntField(default=0)
    taken_at = fields.DatetimeField(null=True)
    started_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(db_index=True)
    decided_at = fields.DatetimeField(null=True)

    class Meta:
        table = "way_check"
        indexes = (Index(fields=("citizen_id", "started_at", "id")),)


class WayAttempt(Model):
    """One attempt of a kind, counted on a key: a person, an account, a mobile, an operator. Each key has its row."""

    id = fields.UUIDField(primary_key=True)
    attempt_id = fields.UUIDField(db_index=True)
    kind = fields.CharField(max_length=20)
    key = fields.CharField(max_length=48)
    started_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "way_attempt"
        indexes = (Index(fields=("kind", "key", "started_at")),)


class WaySubject(Model):
    """A row to hold while attempts on a key are counted, so that two at once do not both fit in."""

    key = fields.CharField(max_length=72, primary_key=True)
    counted_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "way_subject"


class CounterSlip(Model):
    """What an officer confirms: the code on a resident's screen, as its keyed hash, and a mark of whom it is for."""

    id = fields.UUIDField(primary_key=True)
    code_hash = fields.CharField(max_length=32, unique=True)
    person_mark = fields.CharField(max_length=32)
    state = fields.CharField(max_length=9)  # open | confirmed
    confirmed_by = fields.UUIDField(null=True)
    confirmed_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "counter_slip"


class Assistance(Model):
    """A request of an officer to act for somebody, who confirms it. Without `citizen_id`: for nobody we know."""

    id = fields.UUIDField(primary_key=True)
    operator_id = fields.UUIDField()
    citizen_id = fields.UUIDField(null=True)
    purpose_sealed = fields.BinaryField()
    state = fields.CharField(max_length=9)  # waiting | confirmed | used
    code_hash = fields.CharField(max_length=32, default="")
    tries = fields.IntField(default=0)
    session_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "assistance"
        indexes = (Index(fields=("citizen_id", "created_at", "id")), Index(fields=("operator_id", "created_at")))
