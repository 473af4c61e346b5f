"""Tables of handling: the history of a case, its way to the department, the inbox of news."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class CaseAction(Model):
    """One line of a case's history: appended, never changed.

    `seq` is the order of writing. `department_sequence` is the department's own count; `follows` is the highest of
    those known when one of our own actions was written, and gives it its place among them.
    """

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField()
    seq = fields.IntField()
    step = fields.CharField(max_length=24)
    at = fields.DatetimeField()
    actor_kind = fields.CharField(max_length=16)
    actor_id = fields.CharField(max_length=64, default="")
    department_sequence = fields.IntField(null=True)
    follows = fields.IntField(default=0)
    reason = fields.CharField(max_length=48, default="")
    note_sealed = fields.BinaryField(null=True)
    result_sealed = fields.BinaryField(null=True)
    data = fields.JSONField[dict[str, object]]()
    created_at = fields.DatetimeField()

    class Meta:
        table = "case_action"
        unique_together = (("application_id", "seq"),)


class Delivery(Model):
    """A dossier's way to its department. `failures` counts the tries that got no usable answer.

    `rule` and `rule_version` say by what it was routed.
    """

    id = fields.UUIDField(primary_key=True)
    application_id = fields.UUIDField(unique=True)
    department = fields.CharField(max_length=32)
    state = fields.CharField(max_length=16)
    failures = fields.IntField(default=0)
    receipt_number = fields.CharField(max_length=64, default="")
    reason = fields.CharField(max_length=48, default="")
    rule = fields.CharField(max_length=48, default="")
    rule_version = fields.CharField(max_length=32, default="")
    sent_at = fields.DatetimeField(null=True)
    settled_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "delivery"
        indexes = (Index(fields=("department", "state")),)


class DepartmentEvent(Model):
    """The inbox of departments' news: each event once, whatever comes how often.

    `content_hash` is keyed, and tells the same news again from other news under the same id.
    """

    id = fields.UUIDField(primary_key=True)
    department = fields.CharField(max_length=32)
    event_id = fields.CharField(max_length=64)
    application_id = fields.UUIDField()
    sequence = fields.IntField()
    content_hash = fields.CharField(max_length=32, default="")
    received_at = fields.DatetimeField()

    class Meta:
        table = "department_event"
        unique_together = (("department", "event_id"), ("application_id", "sequence"))


class DepartmentEventClash(Model):
    """News that contradicts what the inbox holds: its id or its place in the case is taken. An operator has to ask."""

    id = fields.UUIDField(primary_key=True)
    department = fields.CharField(max_length=32)
    event_id = fields.CharField(max_length=64)
    application_id = fields.UUIDField()
    sequence = fields.IntField()
    content_hash = fields.CharField(max_length=32)
    received_at = fields.DatetimeField()

    class Meta:
        table = "department_event_clash"
        unique_together = (("department", "event_id", "content_hash"),)
        indexes = (Index(fields=("application_id",)),)
