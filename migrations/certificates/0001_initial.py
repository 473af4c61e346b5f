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
            name='Certificate',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('citizen_id', fields.UUIDField()),
                ('kind', fields.CharField(max_length=40)),
                ('state', fields.CharField(max_length=12)),
                ('version', fields.IntField()),
                ('valid_until', fields.DateField(null=True)),
                ('issuer', fields.CharField(max_length=120)),
                ('number_sealed', fields.BinaryField()),
                ('identifier_sealed', fields.BinaryField()),
                ('fields_sealed', fields.BinaryField()),
                ('revision', fields.IntField(default=1)),
                ('fetched_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('stale_since', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'certificate', 'app': 'certificates', 'unique_together': (('citizen_id', 'kind'),), 'pk_attr': 'id', 'table_description': 'One certificate of one citizen. `state` is what its issuer says, the calendar is asked when reading.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Presentation',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('code_hash', fields.CharField(unique=True, max_length=64)),
                ('certificate_id', fields.UUIDField()),
                ('citizen_id', fields.UUIDField()),
                ('session_id', fields.UUIDField(null=True)),
                ('mandate_id', fields.UUIDField(null=True)),
                ('field_names', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('claims', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('purpose', fields.CharField(default='', max_length=200)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'certificate_presentation', 'app': 'certificates', 'indexes': [Index(fields=['certificate_id', 'expires_at']), Index(fields=['expires_at'])], 'pk_attr': 'id', 'table_description': 'A code that shows one certificate once. Only the hash of the code is kept.'},
            bases=['Model'],
        ),
    ]
