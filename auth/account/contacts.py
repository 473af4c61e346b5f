"""How residents can be told something: the mobile and the WeChat accounts that are theirs, for the room that tells."""

from typing import Final
from uuid import UUID

from auth.account.types import AccountContact, Contact
from auth.records import OPENID, Records
from auth.rules import is_elder
from auth.settings import LevelSettings
from core.clock import Clock, china_date
from core.crypto import Vault
from core.db import as_uuid, fetch, fetch_one
from core.pii import Secret

# The account bound last comes first: it is the one in use.
_ACCOUNTS: Final = """
SELECT id, openid_sealed FROM wechat_account WHERE citizen_id = $1 ORDER BY COALESCE(bound_at, created_at) DESC, id DESC
LIMIT 5
"""
_ALL: Final = "SELECT id FROM wechat_account WHERE citizen_id = $1 ORDER BY id"
# Only while it is theirs: what was parted from a resident speaks for them no more.
_OF_SESSION: Final = """
SELECT a.id, a.openid_sealed FROM citizen_session s JOIN wechat_account a ON a.id = s.account_id
WHERE s.id = $1 AND a.citizen_id = $2
"""
_BY_OPENID: Final = "SELECT id FROM wechat_account WHERE openid_hash IN ($1, $2)"


class Contacts:
    """Finds out how somebody can be reached. Who has died or left is reached no more."""

    def __init__(self, *, records: Records, vault: Vault, clock: Clock, levels: LevelSettings) -> None:
        self._records = records
        self._vault = vault
        self._clock = clock
        self._policy = levels.fresh_for()

    async def find(self, citizen_id: UUID) -> Contact | None:
        """Return how a resident can be reached; None when their account is closed, or there is none.

        Raises:
            RecordUnreadable: a sealed column does not open.
        """
        record = await self._records.find(citizen_id)
        if record is None or not record.is_active:
            return None
        accounts = []
        for row in await fetch(_ACCOUNTS, citizen_id):
            account_id = as_uuid(row["id"])
            openid = self._vault.open(OPENID, account_id, row["openid_sealed"])
            accounts.append(AccountContact(account_id, Secret(openid)))
        return Contact(
            citizen_id=citizen_id,
            name=None if record.name is None else record.name.masked(),
            mobile=record.mobile,
            accounts=tuple(accounts),
            elder=is_elder(
                record.id_number,
                chosen=record.elder_chosen,
                day=china_date(self._clock.now()),
                policy=self._policy,
            ),
        )

    async def accounts_of(self, citizen_id: UUID) -> list[UUID]:
        """Return every WeChat account of a resident, whether or not they can be reached by it.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [as_uuid(row["id"]) for row in await fetch(_ALL, citizen_id)]

    async def account_of(self, session_id: UUID, citizen_id: UUID) -> AccountContact | None:
        """Return the WeChat account by which a resident's session was opened; None when it was another way.

        Raises:
            RecordUnreadable: a sealed column does not open.
        """
        row = await fetch_one(_OF_SESSION, session_id, citizen_id)
        if row is None:
            return None
        account_id = as_uuid(row["id"])
        return AccountContact(account_id, Secret(self._vault.open(OPENID, account_id, row["openid_sealed"])))

    async def find_account(self, openid: Secret) -> UUID | None:
        """Return the WeChat account with this openid, if we know it.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_BY_OPENID, *self._vault.indexes(OPENID, openid.reveal()))
        return None if row is None else as_uuid(row["id"])
