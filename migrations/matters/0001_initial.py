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
            name='Application',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('citizen_id', fields.UUIDField()),
                ('matter_code', fields.CharField(max_length=31)),
                ('matter_version', fields.IntField()),
                ('department', fields.CharField(max_length=32)),
                ('state', fields.CharField(max_length=24)),
                ('version', fields.IntField(default=1)),
                ('actions', fields.IntField(default=0)),
                ('form_sealed', fields.BinaryField()),
                ('sources', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('number', fields.CharField(null=True, unique=True, max_length=43)),
                ('query_code_hash', fields.CharField(default='', max_length=32)),
                ('limit_days', fields.IntField(default=0)),
                ('submitted_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('accepted_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('due_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('due_note', fields.CharField(default='', max_length=32)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'application', 'app': 'matters', 'indexes': [Index(fields=['citizen_id', 'created_at', 'id']), Index(fields=['due_note'])], 'pk_attr': 'id', 'table_description': 'One thing asked of a department. `state`, `accepted_at` and `decided_at` are cached folds of its actions.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Attachment',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('application_id', fields.UUIDField()),
                ('citizen_id', fields.UUIDField()),
                ('matter_code', fields.CharField(max_length=31)),
                ('material', fields.CharField(max_length=48)),
                ('file_name', fields.CharField(unique=True, max_length=64)),
                ('sha256', fields.CharField(max_length=64)),
                ('size', fields.IntField()),
                ('media_type', fields.CharField(max_length=32)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'attachment', 'app': 'matters', 'indexes': [Index(fields=['application_id']), Index(fields=['citizen_id', 'matter_code'])], 'pk_attr': 'id', 'table_description': 'A file given with an application, its content lies sealed in the file store.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CaseAction',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('application_id', fields.UUIDField()),
                ('seq', fields.IntField()),
                ('step', fields.CharField(max_length=24)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('actor_kind', fields.CharField(max_length=16)),
                ('actor_id', fields.CharField(default='', max_length=64)),
                ('department_sequence', fields.IntField(null=True)),
                ('follows', fields.IntField(default=0)),
                ('reason', fields.CharField(default='', max_length=48)),
                ('note_sealed', fields.BinaryField(null=True)),
                ('result_sealed', fields.BinaryField(null=True)),
                ('data', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'case_action', 'app': 'matters', 'unique_together': (('application_id', 'seq'),), 'pk_attr': 'id', 'table_description': "One line of a case's history: appended, never changed."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Delivery',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('application_id', fields.UUIDField(unique=True)),
                ('department', fields.CharField(max_length=32)),
                ('state', fields.CharField(max_length=16)),
                ('failures', fields.IntField(default=0)),
                ('receipt_number', fields.CharField(default='', max_length=64)),
                ('reason', fields.CharField(default='', max_length=48)),
                ('sent_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('settled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'delivery', 'app': 'matters', 'indexes': [Index(fields=['department', 'state'])], 'pk_attr': 'id', 'table_description': "A dossier's way to its department. `failures` counts the tries that got no usable answer."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='DepartmentEvent',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('department', fields.CharField(max_length=32)),
                ('event_id', fields.CharField(max_length=64)),
                ('application_id', fields.UUIDField()),
                ('sequence', fields.IntField()),
                ('content_hash', fields.CharField(default='', max_length=32)),
                ('received_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'department_event', 'app': 'matters', 'unique_together': (('department', 'event_id'), ('application_id', 'sequence')), 'pk_attr': 'id', 'table_description': "The inbox of departments' news: each event once, whatever comes how often."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='DepartmentEventClash',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('department', fields.CharField(max_length=32)),
                ('event_id', fields.CharField(max_length=64)),
                ('application_id', fields.UUIDField()),
                ('sequence', fields.IntField()),
                ('content_hash', fields.CharField(max_length=32)),
                ('received_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'department_event_clash', 'app': 'matters', 'unique_together': (('department', 'event_id', 'content_hash'),), 'indexes': [Index(fields=['application_id'])], 'pk_attr': 'id', 'table_description': 'News that contradicts what the inbox holds: its id or its place in the case is taken. An operator has to ask.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Rating',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('application_id', fields.UUIDField(unique=True)),
                ('level', fields.CharField(max_length=24)),
                ('reasons', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('text_sealed', fields.BinaryField(null=True)),
                ('source', fields.CharField(default='citizen', max_length=8)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'rating', 'app': 'matters', 'pk_attr': 'id', 'table_description': "A resident's word on how it went: one for each case. `source`: `citizen`, or `default` when nothing was said."},
            bases=['Model'],
        ),
    ]
