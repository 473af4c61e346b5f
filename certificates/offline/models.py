"""Tables of proofs that need no connection."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class StatusPlace(Model):
    """A place in the status lists: list number times the size of a list, plus the index. None is ever given twice.

    What is `invalid` (1) stays so. The database itself lets the mark follow the certificate (`migrations`), so that no
    way of changing one can forget it. Nothing here tells whose certificate it was, once that is gone.
    """

    place = fields.BigIntField(primary_key=True, generated=False)
    certificate_id = fields.UUIDField()
    # Of the certificate when the place was given: a later version is another token's.
    version = fields.IntField()
    mark = fields.SmallIntField(default=0)
    given_at = fields.DatetimeField()

    class Meta:
        table = "certificate_status"
        indexes = (Index(fields=("certificate_id",)),)
