"""Tables of telling people: notices, their ways out, choices, consents to WeChat's messages, who reads along."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Notice(Model):
    """Something a resident was told. Its texts are data (`published/events.json`), `words` are public ones: no names.

    `about_id` is whom it concerns when somebody else reads along. `channels` are the ways out planned for it, and
    `failures` counts those that ended in vain. When all have, `undelivered_at` is set.
    """

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    about_id = fields.UUIDField(null=True)
    event = fields.CharField(max_length=48)
    topic = fields.CharField(max_length=16)
    urgency = fields.CharField(max_length=8)
    object_id = fields.UUIDField(null=True)
    words = fields.JSONField[dict[str, str]]()
    channels = fields.JSONField[list[str]]()
    failures = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    read_at = fields.DatetimeField(null=True)
    undelivered_at = fields.DatetimeField(null=True)
    undelivered_channel = fields.CharField(max_length=8, default="")
    undelivered_reason = fields.CharField(max_length=16, default="")

    class Meta:
        table = "notice"
        indexes = (
            Index(fields=("citizen_id", "created_at", "id")),
            Index(fields=("undelivered_at", "id")),
            Index(fields=("created_at",)),
        )


class NoticeDelivery(Model):
    """A notice on one channel. `number` is the channel's own, by which it reports."""

    id = fields.UUIDField(primary_key=True)
    notice_id = fields.UUIDField()
    channel = fields.CharField(max_length=8)
    place = fields.IntField()
    state = fields.CharField(max_length=20, default="created")
    attempts = fields.IntField(default=0)
    reason = fields.CharField(max_length=16, default="")
    number = fields.CharField(max_length=64, default="")
    created_at = fields.DatetimeField()
    sent_at = fields.DatetimeField(null=True)
    settled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "notice_delivery"
        unique_together = (("notice_id", "channel"),)
        indexes = (Index(fields=("channel", "number")), Index(fields=("state", "sent_at")))


class NoticeChoice(Model):
    """What a resident chose for a topic, without a row it is wanted."""

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    topic = fields.CharField(max_length=16)
    wanted = fields.BooleanField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "notice_choice"
        unique_together = (("citizen_id", "topic"),)


class Subscription(Model):
    """What is left of an account's consents to one template: so many messages, or any number while it is long-term."""

    id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField()
    template = fields.CharField(max_length=32)
    remaining = fields.IntField(default=0)
    standing = fields.BooleanField(default=False)
    changed_at = fields.DatetimeField()

    class Meta:
        table = "subscription"
        unique_together = (("account_id", "template"),)


class SubscriptionEntry(Model):
    """One line of the ledger of consents: accepted, rejected, used, found exhausted. Written, never changed."""

    id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField()
    template = fields.CharField(max_length=32)
    what = fields.CharField(max_length=16)
    at = fields.DatetimeField()

    class Meta:
        table = "subscription_entry"
        indexes = (Index(fields=("account_id", "at")),)


class SeenPush(Model):
    """A push that was taken in: the same one again has no effect."""

    id = fields.CharField(primary_key=True, max_length=64)
    created_at = fields.DatetimeField()

    class Meta:
        table = "seen_push"
        indexes = (Index(fields=("created_at",)),)


class NoticeCopy(Model):
    """Family that reads along: offered by whose notices they are, accepted by who reads. Both may end it.

    `code_hash` is of the code that was offered, null once it was used, `place` is one of the few that somebody has.
    """

    id = fields.UUIDField(primary_key=True)
    citizen_id = fields.UUIDField()
    reader_id = fields.UUIDField(null=True)
    place = fields.IntField()
    code_hash = fields.CharField(max_length=64, null=True, unique=True)
    state = fields.CharField(max_length=8, default="offered")  # offered | active | ended
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    agreed_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "notice_copy"
        indexes = (Index(fields=("citizen_id", "state")), Index(fields=("reader_id", "state")))
