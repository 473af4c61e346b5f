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
            name='FaceCheck',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('purpose', fields.CharField(max_length=20)),
                ('citizen_id', fields.UUIDField(null=True)),
                ('session_id', fields.UUIDField(null=True)),
                ('account_id', fields.UUIDField(null=True)),
                ('person_hash', fields.CharField(max_length=32)),
                ('name_sealed', fields.BinaryField(null=True)),
                ('id_number_sealed', fields.BinaryField(null=True)),
                ('reference_sealed', fields.BinaryField(null=True)),
                ('elder', fields.BooleanField()),
                ('consent', fields.CharField(max_length=40)),
                ('actions', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('state', fields.CharField(default='open', max_length=8)),
                ('outcome', fields.CharField(default='', max_length=8)),
                ('reason', fields.CharField(default='', max_length=20)),
                ('engine', fields.CharField(max_length=20)),
                ('model_id', fields.CharField(default='', max_length=64)),
                ('threshold_id', fields.CharField(default='', max_length=40)),
                ('method', fields.CharField(default='', max_length=10)),
                ('claimed_rate', fields.FloatField(null=True)),
                ('alive', fields.FloatField(null=True)),
                ('started_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('returned', fields.IntField(db_default=0)),
            ],
            options={'table': 'face_check', 'app': 'face', 'indexes': [Index(fields=['person_hash', 'started_at']), Index(fields=['citizen_id', 'started_at']), Index(fields=['state', 'expires_at'])], 'pk_attr': 'id', 'table_description': 'One check, from its start to its outcome.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FaceSubject',
            fields=[
                ('key', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=48)),
                ('counted_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'face_subject', 'app': 'face', 'pk_attr': 'key', 'table_description': 'A row to hold while attempts on a person or an account are counted, so that two at once do not both fit in.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FrameSeen',
            fields=[
                ('sha256', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('check_id', fields.UUIDField(db_index=True)),
                ('seen_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'frame_seen', 'app': 'face', 'pk_attr': 'sha256', 'table_description': 'The SHA-256 of a picture that was handed in once, by whomever: it is never taken again.'},
            bases=['Model'],
        ),
    ]
