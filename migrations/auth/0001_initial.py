from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='Citizen',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('name_sealed', fields.BinaryField(null=True)),
                ('id_number_sealed', fields.BinaryField(null=True)),
                ('id_number_hash', fields.CharField(null=True, unique=True, max_length=32)),
                ('mobile_sealed', fields.BinaryField(null=True)),
                ('mobile_hash', fields.CharField(null=True, db_index=True, max_length=32)),
                ('elder_chosen', fields.BooleanField(default=False)),
                ('state', fields.CharField(default='active', max_length=8)),
                ('identified_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'citizen', 'app': 'auth', 'pk_attr': 'id', 'table_description': 'A resident. Without a number: somebody with a WeChat account whose name is not yet known.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CitizenGroup',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('citizen_id', fields.UUIDField()),
                ('name', fields.CharField(max_length=32)),
                ('source', fields.CharField(max_length=48)),
                ('until', fields.DateField(null=True)),
                ('granted_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'citizen_group', 'app': 'auth', 'unique_together': (('citizen_id', 'source'),), 'pk_attr': 'id', 'table_description': 'A group a resident belongs to because of one source, such as a certificate that holds until a day.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CitizenSession',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('citizen', fields.ForeignKeyField('auth.Citizen', source_field='citizen_id', db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('account_id', fields.UUIDField(null=True)),
                ('level', fields.CharField(max_length=9)),
                ('present_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('elder', fields.BooleanField(default=False)),
                ('device_hash', fields.CharField(default='', max_length=32)),
                ('generation', fields.IntField(default=0)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ended_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('end_reason', fields.CharField(default='', max_length=16)),
            ],
            options={'table': 'citizen_session', 'app': 'auth', 'indexes': [Index(fields=['expires_at']), Index(fields=['account_id', 'created_at'])], 'pk_attr': 'id', 'table_description': 'One place where a resident is logged in: a family of refresh tokens of which `generation` is the newest.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Consent',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('citizen', fields.ForeignKeyField('auth.Citizen', source_field='citizen_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('purpose', fields.CharField(max_length=32)),
                ('version', fields.IntField()),
                ('given_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('withdrawn_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('request_id', fields.CharField(default='', max_length=64)),
            ],
            options={'table': 'consent', 'app': 'auth', 'indexes': [Index(fields=['citizen_id', 'purpose'])], 'pk_attr': 'id', 'table_description': 'A consent to one purpose under one version of its text. Given, perhaps withdrawn, never changed.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Operator',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('username', fields.CharField(unique=True, max_length=64)),
                ('role', fields.CharField(max_length=24)),
                ('state', fields.CharField(default='active', max_length=8)),
                ('password_hash', fields.CharField(max_length=160)),
                ('otp_sealed', fields.BinaryField()),
                ('otp_step', fields.BigIntField(default=0)),
                ('attempts', fields.IntField(default=0)),
                ('first_attempt_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('locked_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('lock_count', fields.IntField(default=0)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'operator_account', 'app': 'auth', 'pk_attr': 'id', 'table_description': 'Somebody of the staff. The attempts at the one-time code are counted here: no cache can forget them.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='OperatorSession',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('operator', fields.ForeignKeyField('auth.Operator', source_field='operator_id', db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('token_hash', fields.CharField(unique=True, max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ended_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'operator_session', 'app': 'auth', 'pk_attr': 'id', 'table_description': "An operator's session. Its bearer token is kept as a hash."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RealNameAttempt',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('citizen_id', fields.UUIDField()),
                ('number_hash', fields.CharField(max_length=32)),
                ('started_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'real_name_attempt', 'app': 'auth', 'indexes': [Index(fields=['citizen_id', 'started_at']), Index(fields=['number_hash', 'started_at'])], 'pk_attr': 'id', 'table_description': 'One attempt at a real name, by an account and on a number (its blind index). Forgotten when it counts no more.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RealNameSubject',
            fields=[
                ('key', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=48)),
                ('counted_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'real_name_subject', 'app': 'auth', 'pk_attr': 'key', 'table_description': 'A row to hold while attempts by an account or on a number are counted, so that two at once do not both fit in.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RefreshToken',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('session', fields.ForeignKeyField('auth.CitizenSession', source_field='session_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('generation', fields.IntField()),
                ('token_hash', fields.CharField(unique=True, max_length=64)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('successor_sealed', fields.BinaryField(null=True)),
            ],
            options={'table': 'refresh_token', 'app': 'auth', 'unique_together': (('session', 'generation'),), 'pk_attr': 'id', 'table_description': 'A refresh token as its hash. `successor_sealed` is kept for seconds, for a client whose answer got lost.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Takeover',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('holder_id', fields.UUIDField()),
                ('claimant_id', fields.UUIDField()),
                ('account_id', fields.UUIDField()),
                ('state', fields.CharField(default='waiting', max_length=8)),
                ('asked_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('effective_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ended_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'takeover', 'app': 'auth', 'indexes': [Index(fields=['holder_id', 'asked_at']), Index(fields=['claimant_id', 'asked_at'])], 'pk_attr': 'id', 'table_description': "Somebody who has shown the face of a person asks for that person's account from another WeChat account."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='WechatAccount',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('citizen', fields.ForeignKeyField('auth.Citizen', source_field='citizen_id', db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('openid_sealed', fields.BinaryField()),
                ('openid_hash', fields.CharField(unique=True, max_length=32)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('bound_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'wechat_account', 'app': 'auth', 'pk_attr': 'id', 'table_description': 'A WeChat account and the resident it belongs to.'},
            bases=['Model'],
        ),
    ]
