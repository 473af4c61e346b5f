"""Tables of face: checks, and marks of the pictures that were ever handed in. No picture and no template is kept."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class FaceCheck(Model):
    """One check, from its start to its outcome.

    `person_hash` is the blind index of the ID number, so that attempts on one person count across accounts. A check
    for an elder session belongs to nobody until it is passed: its name and number are sealed and wiped with the
    outcome. `returned` is how often it was opened again because its pictures could not be looked at.

    With an `account_id` it is a check that the platform of that account makes, and `reference_sealed` the platform's
    name for it, until it is done; there are no actions and no pictures then.
    """

    id = fields.UUIDField(primary_key=True)
    purpose = fields.CharField(max_length=20)
    citizen_id = fields.UUIDField(null=True)
    session_id = fields.UUIDField(null=True)
    account_id = fields.UUIDField(null=True)
    person_hash = fields.CharField(max_length=32)
    name_sealed = fields.BinaryField(null=True)
    id_number_sealed = fields.BinaryField(null=True)
    reference_sealed = fields.BinaryField(null=True)
    elder = fields.BooleanField()
    consent = fields.CharField(max_length=40)
    actions = fields.JSONField[list[str]]()
    state = fields.CharField(max_length=8, default="open")  # open | judging | done
    outcome = fields.CharField(max_length=8, default="")  # passed | failed
    reason = fields.CharField(max_length=20, default="")
    engine = fields.CharField(max_length=20)
    model_id = fields.CharField(max_length=64, default="")
    threshold_id = fields.CharField(max_length=40, default="")
    method = fields.CharField(max_length=10, default="")  # raw | as-norm
    claimed_rate = fields.FloatField(null=True)
    alive = fields.FloatField(null=True)  # What a network against spoofing said; told to nobody.
    started_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)
    returned = fields.IntField(db_default=0)

    class Meta:
        table = "face_check"
        indexes = (
            Index(fields=("person_hash", "started_at")),
            Index(fields=("citizen_id", "started_at")),
            Index(fields=("state", "expires_at")),
        )


class FaceSubject(Model):
    """A row to hold while attempts on a person or an account are counted, so that two at once do not both fit in."""

    key = fields.CharField(max_length=48, primary_key=True)
    counted_at = fields.DatetimeField()

    class Meta:
        table = "face_subject"


class FrameSeen(Model):
    """The SHA-256 of a picture that was handed in once, by whomever: it is never taken again.

    Each picture leaves two, that of its file and that of its pixels, which a changed file may share.
    """

    sha256 = fields.CharField(max_length=64, primary_key=True)
    check_id = fields.UUIDField(db_index=True)
    seen_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "frame_seen"
