"""Tokens for where there is no connection: made for what the holder chose, good for a day, revocable."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from auth.types import Caller
from certificates import rules
from certificates.definitions import Kinds
from certificates.errors import StateForbids, TokenTooLong
from certificates.keys import IssuerKeys
from certificates.offline.parts import LONGEST_SHOWN
from certificates.offline.pictures import token_svgs
from certificates.offline.sd_jwt import compose
from certificates.offline.status_lists import StatusLists, end_tokens
from certificates.offline.types import Contents, OfflineToken, Standing
from certificates.records import Record, Records, hold_still
from certificates.selection import Selection
from certificates.settings import CertificateSettings
from certificates.types import Kind, State
from core.audit.record import Audit
from core.cache import Limits
from core.clock import CHINA, Clock, china_date
from core.db import DatabaseUnavailable, transaction
from core.ids import Ids

_SALT_BYTES: Final = 16
_TRIES: Final = 3
# Nobody changes the certificate before this transaction has ended: a lock in both databases.
_IN_FORCE: Final = frozenset({State.ACTIVE, State.EXPIRING})


class OfflineTokens:
    """Makes tokens. A token holds what was chosen and nothing else; only the holder has it."""

    def __init__(
        self,
        *,
        kinds: Kinds,
        records: Records,
        keys: IssuerKeys,
        lists: StatusLists,
        public_url: str,
        audit: Audit,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: CertificateSettings,
    ) -> None:
        self._kinds = kinds
        self._records = records
        self._keys = keys
        self._lists = lists
        self._public_url = public_url
        self._audit = audit
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def issue(
        self, caller: Caller, certificate_id: UUID, *, fields: Sequence[str] | None = None, claims: Sequence[str] = ()
    ) -> OfflineToken | None:
        """Make a token of one's own certificate; None when it does not exist or is somebody else's.

        `fields` are those that can be disclosed; None means the card face, or nothing when there are claims. Its holder
        may take any of them away again before showing it.

        Raises:
            FieldUnknown: the kind has no such field.
            NothingChosen: neither a field nor a claim was chosen.
            ClaimUnknown: the kind cannot support such a claim.
            StateForbids: the certificate is not in force.
            TokenTooLong: there is more chosen than can be scanned.
            TooManyRequests: too many in a short time.
            DatabaseUnavailable: the database could not be reached.
        """
        await self._limits.hit("certificates.show", self._settings.show_limit, f"citizen:{caller.citizen_id}")

        async def work() -> OfflineToken | None:
            # A revocation marks the tokens that it sees: none may be made beside it of what it takes away.
            for _ in range(_TRIES):
                found = await self._find(caller, certificate_id)
                if found is None:
                    return None
                if await hold_still(found[0]):
                    return await self._make(caller, *found, fields, claims)
            raise DatabaseUnavailable(retry_after=1)

        return await transaction(work)

    async def find_standing(self, caller: Caller, certificate_id: UUID) -> Standing | None:
        """Say how the newest tokens of one's own certificate stand; None where there are none, or no certificate.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        found = await self._find(caller, certificate_id)
        return None if found is None else await self._lists.find_standing(certificate_id)

    async def revoke(self, caller: Caller, certificate_id: UUID) -> bool:
        """Make every token of one's own certificate invalid; False when there is no such certificate.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> bool:
            found = await self._find(caller, certificate_id)
            if found is None:
                return False
            await end_tokens(certificate_id)
            await self._tell(caller, "certificates.tokens-revoked", found[0], ())
            return True

        return await transaction(work)

    async def _find(self, caller: Caller, certificate_id: UUID) -> tuple[Record, Kind] | None:
        record = await self._records.find(certificate_id, caller.citizen_id)
        kind = None if record is None else self._kinds.find(record.kind)
        return None if record is None or kind is None else (record, kind)

    async def _make(
        self, caller: Caller, record: Record, kind: Kind, fields: Sequence[str] | None, claims: Sequence[str]
    ) -> OfflineToken:
        content, now = record.content, self._clock.now()
        today = china_date(now)
        chosen = Selection.choose(kind, fields, claims)
        state = rules.state_on(content.state, content.valid_until, today, expiring_days=self._settings.expiring_days)
        if state not in _IN_FORCE:
            raise StateForbids(state=state.value)
        uri, index = await self._lists.give_place(record.id, content.version)
        contents = Contents(
            issuer=self._public_url,
            kind=kind.slug,
            colour=rules.colour_of(kind, state, content.fields),
            issued_at=now,
            expires_at=self._end(record, now),
            status_uri=uri,
            status_index=index,
            values=chosen.read(kind, content.fields, today),
        )
        # SM2 takes milliseconds in a library that holds on to the thread.
        token = await asyncio.to_thread(self._compose, contents)
        if len(token) > LONGEST_SHOWN:
            raise TokenTooLong(fields=await asyncio.to_thread(self._fitting, contents))
        await self._tell(caller, "certificates.token-made", record, chosen.all)
        return OfflineToken(token, token_svgs(token, contents.colour), contents.expires_at)

    def _compose(self, contents: Contents) -> str:
        sm2 = self._keys.current_sm2
        return compose(contents, key=self._keys.current, salt=lambda: self._ids.token(_SALT_BYTES), sm2=sm2)

    def _fitting(self, contents: Contents) -> list[str]:
        """Return as many of what was chosen as fit, shortest first: those are the most."""
        values, fitting = contents.values, set[str]()
        for name in sorted(values, key=lambda each: len(json.dumps(values[each], ensure_ascii=False).encode())):
            tried = {each: values[each] for each in values if each in fitting or each == name}
            if len(self._compose(replace(contents, values=tried))) > LONGEST_SHOWN:
                break
            fitting.add(name)
        return [name for name in values if name in fitting]

    def _end(self, record: Record, now: datetime) -> datetime:
        """Return when a token made now ends: after the hours of the settings, or with the certificate's last day."""
        end = now + timedelta(hours=self._settings.token_hours)
        last_day = record.content.valid_until
        if last_day is None:
            return end
        return min(end, datetime.combine(last_day + timedelta(days=1), time(), CHINA))

    async def _tell(self, caller: Caller, action: str, record: Record, field_names: Sequence[str]) -> None:
        await self._audit.record(
            action,
            actor=caller.actor,
            subject_id=record.citizen_id,
            object_kind=record.kind,
            object_id=record.id,
            field_names=field_names,
        )
