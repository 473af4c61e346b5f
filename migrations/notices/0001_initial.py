from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='Notice',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('citizen_id', fields.UUIDField()),
                ('about_id', fields.UUIDField(null=True)),
                ('event', fields.CharField(max_length=48)),
                ('topic', fields.CharField(max_length=16)),
                ('urgency', fields.CharField(max_length=8)),
                ('object_id', fields.UUIDField(null=True)),
                ('words', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('channels', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('failures', fields.IntField(default=0)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('read_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('undelivered_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('undelivered_channel', fields.CharField(default='', max_length=8)),
                ('undelivered_reason', fields.CharField(default='', max_length=16)),
            ],
            options={'table': 'notice', 'app': 'notices', 'indexes': [Index(fields=['citizen_id', 'created_at', 'id']), Index(fields=['undelivered_at', 'id']), Index(fields=['created_at'])], 'pk_attr': 'id', 'table_description': 'Something a resident was told. Its texts are data (`published/events.json`), `words` are public ones: no names.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='NoticeChoice',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('citizen_id', fields.UUIDField()),
                ('topic', fields.CharField(max_length=16)),
                ('wanted', fields.BooleanField()),
                ('changed_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'notice_choice', 'app': 'notices', 'unique_together': (('citizen_id', 'topic'),), 'pk_attr': 'id', 'table_description': 'What a resident chose for a topic, without a row it is wanted.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='NoticeCopy',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('citizen_id', fields.UUIDField()),
                ('reader_id', fields.UUIDField(null=True)),
                ('place', fields.IntField()),
                ('code_hash', fields.CharField(null=True, unique=True, max_length=64)),
                ('state', fields.CharField(default='offered', max_length=8)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('agreed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('ended_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'notice_copy', 'app': 'notices', 'indexes': [Index(fields=['citizen_id', 'state']), Index(fields=['reader_id', 'state'])], 'pk_attr': 'id', 'table_description': 'Family that reads along: offered by whose notices they are, accepted by who reads. Both may end it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='NoticeDelivery',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('notice_id', fields.UUIDField()),
                ('channel', fields.CharField(max_length=8)),
                ('place', fields.IntField()),
                ('state', fields.CharField(default='created', max_length=20)),
                ('attempts', fields.IntField(default=0)),
                ('reason', fields.CharField(default='', max_length=16)),
                ('number', fields.CharField(default='', max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('sent_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('settled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'notice_delivery', 'app': 'notices', 'unique_together': (('notice_id', 'channel'),), 'indexes': [Index(fields=['channel', 'number']), Index(fields=['state', 'sent_at'])], 'pk_attr': 'id', 'table_description': "A notice on one channel. `number` is the channel's own, by which it reports."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SeenPush',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'seen_push', 'app': 'notices', 'indexes': [Index(fields=['created_at'])], 'pk_attr': 'id', 'table_description': 'A push that was taken in: the same one again has no effect.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Subscription',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('account_id', fields.UUIDField()),
                ('template', fields.CharField(max_length=32)),
                ('remaining', fields.IntField(default=0)),
                ('standing', fields.BooleanField(default=False)),
                ('changed_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'subscription', 'app': 'notices', 'unique_together': (('account_id', 'template'),), 'pk_attr': 'id', 'table_description': "What is left of an account's consents to one template: so many messages, or any number while it is long-term."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SubscriptionEntry',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('account_id', fields.UUIDField()),
                ('template', fields.CharField(max_length=32)),
                ('what', fields.CharField(max_length=16)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'subscription_entry', 'app': 'notices', 'indexes': [Index(fields=['account_id', 'at'])], 'pk_attr': 'id', 'table_description': 'One line of the ledger of consents: accepted, rejected, used, found exhausted. Written, never changed.'},
            bases=['Model'],
        ),
    ]
