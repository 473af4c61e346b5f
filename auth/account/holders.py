"""Who a person with a certain number is among the residents here."""

from typing import Final
from uuid import UUID

from auth.records import ID_NUMBER
from core.crypto import Vault
from core.db import as_uuid, fetch_one
from core.pii import IdNumber

_FIND: Final = "SELECT id FROM citizen WHERE id_number_hash IN ($1, $2) AND state = 'active'"


class Holders:
    """Finds residents by the number of their identity card, for those whom the residents have let ask."""

    def __init__(self, *, vault: Vault) -> None:
        self._vault = vault

    async def find_holder(self, id_number: IdNumber) -> UUID | None:
        """Return the resident who has bound this number; None when nobody has.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_FIND, *self._vault.indexes(ID_NUMBER, id_number.reveal()))
        return None if row is None else as_uuid(row["id"])
