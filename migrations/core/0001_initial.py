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
            name='AuditHead',
            fields=[
                ('seq', fields.BigIntField(primary_key=True, unique=True, db_index=True)),
                ('hash', fields.CharField(max_length=64)),
                ('signature', fields.CharField(max_length=128)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'audit_head', 'app': 'core', 'pk_attr': 'seq', 'table_description': 'A signed head of the chain: what an anchor outside would keep.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='AuditLine',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('actor_kind', fields.CharField(max_length=16)),
                ('actor_id', fields.CharField(default='', max_length=64)),
                ('subject_id', fields.UUIDField(null=True)),
                ('on_behalf_of', fields.UUIDField(null=True)),
                ('action', fields.CharField(max_length=64)),
                ('purpose', fields.CharField(default='', max_length=200)),
                ('object_kind', fields.CharField(default='', max_length=32)),
                ('object_id', fields.CharField(default='', max_length=64)),
                ('field_names', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('outcome', fields.CharField(default='ok', max_length=48)),
                ('request_id', fields.CharField(default='', max_length=64)),
            ],
            options={'table': 'audit_line', 'app': 'core', 'indexes': [Index(fields=['subject_id', 'at', 'id']), Index(fields=['at'])], 'pk_attr': 'id', 'table_description': 'Who did what to whose data, and why. Inserted and read, never changed (a trigger sees to it).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='AuditLink',
            fields=[
                ('seq', fields.BigIntField(primary_key=True, unique=True, db_index=True)),
                ('line_id', fields.UUIDField(unique=True)),
                ('hash', fields.CharField(max_length=64)),
                ('sealed_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'audit_link', 'app': 'core', 'pk_attr': 'seq', 'table_description': 'The place of a line in the chain: `hash` covers the line and the previous hash.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Counter',
            fields=[
                ('name', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=128)),
                ('value', fields.BigIntField(default=0)),
            ],
            options={'table': 'counter', 'app': 'core', 'pk_attr': 'name', 'table_description': 'A named counter: numbers are taken in a short transaction of their own, gaps are allowed.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='DataKey',
            fields=[
                ('id', fields.IntField(primary_key=True, unique=True, db_index=True)),
                ('row_id', fields.UUIDField(unique=True)),
                ('wrapped', fields.BinaryField()),
                ('current_from', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('retired_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'data_key', 'app': 'core', 'pk_attr': 'id', 'table_description': 'A data key, wrapped by the key-encryption key that lies outside the database.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Holiday',
            fields=[
                ('day', fields.DateField(primary_key=True, unique=True, db_index=True)),
                ('works', fields.BooleanField()),
                ('label', fields.CharField(default='', max_length=32)),
            ],
            options={'table': 'holiday', 'app': 'core', 'pk_attr': 'day', 'table_description': 'One day that differs from the week: a holiday on a weekday, or a weekend day that is worked.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='HolidayYear',
            fields=[
                ('year', fields.IntField(primary_key=True, unique=True, db_index=True)),
                ('source', fields.CharField(default='', max_length=64)),
            ],
            options={'table': 'holiday_year', 'app': 'core', 'pk_attr': 'year', 'table_description': 'A year whose calendar is published, other years are unknown, never guessed.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Job',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=64)),
                ('payload', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('state', fields.CharField(default='ready', max_length=8)),
                ('run_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('attempts', fields.IntField(default=0)),
                ('lease_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('fence', fields.UUIDField(null=True)),
                ('last_error', fields.CharField(default='', max_length=80)),
                ('request_id', fields.CharField(default='', max_length=64)),
                ('lane', fields.CharField(default='', max_length=48)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('done_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'job', 'app': 'core', 'indexes': [Index(fields=['state', 'run_at']), Index(fields=['state', 'lease_until'])], 'pk_attr': 'id', 'table_description': 'A promise of something that follows. `payload` holds ids, never personal data.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='KeptAnswer',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('scope', fields.CharField(max_length=64)),
                ('body_hash', fields.CharField(max_length=64)),
                ('state', fields.CharField(max_length=8)),
                ('lease_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('status', fields.IntField(null=True)),
                ('answer_sealed', fields.BinaryField(null=True)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'kept_answer', 'app': 'core', 'unique_together': (('scope',),), 'indexes': [Index(fields=['created_at'])], 'pk_attr': 'id', 'table_description': 'The first answer to a request with an Idempotency-Key, kept 72 hours, sealed since it may hold personal data.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='KeyNote',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=96)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'key_note', 'app': 'core', 'pk_attr': 'id', 'table_description': 'That a key of the folder came or went is in the audit once, however many processes see it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='KeyWork',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=128)),
                ('work', fields.CharField(max_length=64)),
                ('name', fields.CharField(max_length=64)),
                ('place', fields.UUIDField()),
                ('seen', fields.BigIntField(default=0)),
                ('rewritten', fields.BigIntField(default=0)),
                ('failed', fields.BigIntField(default=0)),
                ('passes', fields.IntField(default=0)),
                ('began_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('leased_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('done_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'key_work', 'app': 'core', 'indexes': [Index(fields=['work'])], 'pk_attr': 'id', 'table_description': 'How far one pass over a column is that brings it to the current key. `work` names the key, `place` the last row.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='PersonKey',
            fields=[
                ('person_id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('wrapped', fields.BinaryField()),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'person_key', 'app': 'core', 'pk_attr': 'person_id', 'table_description': 'The data key of one person, itself sealed and bound to the person. Deleting it erases what it sealed.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SeenNonce',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=160)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'seen_nonce', 'app': 'core', 'indexes': [Index(fields=['created_at'])], 'pk_attr': 'id', 'table_description': 'A nonce of a signed request from outside: the same one again is a replay.'},
            bases=['Model'],
        ),
    ]
