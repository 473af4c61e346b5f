"""Tables of delegation: ties between relatives, mandates, organisations, and attempts at either."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Relative(Model):
    """A tie that one resident asks for with somebody named by name and number, whether or not anybody is called so.

    The other one finds it by `person_mark`, the mark of their own number and name. What the one who asks has written of
    the other one is under the asker's own key, until the other one is known by their account. A tie that has ended
    stays, without the name, so that attempts count.
    """

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    person_mark = fields.CharField(max_length=32)
    number_hash = fields.CharField(max_length=32, db_index=True)
    name_sealed = fields.BinaryField(null=True)
    id_number_sealed = fields.BinaryField(null=True)
    # Known once the tie is confirmed and the other one has an account.
    other_id = fields.UUIDField(null=True, db_index=True)
    relation = fields.CharField(max_length=8)
    state = fields.CharField(max_length=9)  # waiting | confirmed | ended
    basis = fields.CharField(max_length=8, default="")  # register | both
    asked_at = fields.DatetimeField()
    confirmed_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "relative"
        indexes = (Index(fields=("citizen_id", "id")), Index(fields=("person_mark", "id")))


class Mandate(Model):
    """The right to act for somebody: offered by the principal, accepted by the agent, or given by a register.

    `principal_id` is a resident or an organisation. An empty scope column means everything.
    """

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(max_length=14)  # agent | guardian | representative
    principal_kind = fields.CharField(max_length=12)  # citizen | organisation
    principal_id = fields.UUIDField()
    # Who offered it, none when a register did.
    granted_by = fields.UUIDField(null=True, db_index=True)
    # Known when it is accepted; until then the agent finds it by number and name.
    agent_id = fields.UUIDField(null=True)
    agent_mark = fields.CharField(max_length=32, db_index=True)
    # Until `agent_id` is known, under the key of `granted_by`.
    agent_name_sealed = fields.BinaryField(null=True)
    relative: fields.ForeignKeyNullableRelation[Relative] = fields.ForeignKeyField(
        "auth.Relative", related_name=False, on_delete=fields.RESTRICT, null=True, db_index=True
    )
    # The representative's mandate under which an organisation's agent was named: with it ends what it has given.
    under_id = fields.UUIDField(null=True, db_index=True)
    certificates = fields.JSONField[list[str]](null=True)
    matters = fields.JSONField[list[str]](null=True)
    one_time = fields.BooleanField(default=False)
    state = fields.CharField(max_length=8)  # offered | active | used | revoked | ended | refused
    offered_at = fields.DatetimeField()
    accepted_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(db_index=True)
    ended_at = fields.DatetimeField(null=True)
    end_reason = fields.CharField(max_length=24, default="")
    # When a register last said that it holds.
    checked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "mandate"
        indexes = (Index(fields=("principal_id", "id")), Index(fields=("agent_id", "id")))


class Organisation(Model):
    """A legal person for whom somebody acts, as the business register knows it."""

    id = fields.UUIDField(primary_key=True)
    uscc = fields.CharField(max_length=18, unique=True)
    name = fields.CharField(max_length=120)
    created_at = fields.DatetimeField()

    class Meta:
        table = "organisation"


class DelegationAttempt(Model):
    """One attempt to name a relative or an organisation. Forgotten when it counts no more."""

    id = fields.UUIDField(primary_key=True)
    purpose = fields.CharField(max_length=16)  # relative | organisation
    citizen_id = fields.UUIDField()
    # The mark of what was tried.
    key = fields.CharField(max_length=32)
    started_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "delegation_attempt"
        indexes = (Index(fields=("citizen_id", "started_at")), Index(fields=("key", "started_at")))
