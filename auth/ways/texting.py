"""Codes by short message: sent to a mobile, counted on it, kept only as a keyed hash."""

import hmac
from datetime import timedelta
from typing import Final
from uuid import UUID

from auth.ways.attempts import Allowance, Attempts
from auth.ways.errors import WayRefused, WayUnavailable
from auth.ways.ports import SmsSender
from auth.ways.settings import WaySettings
from core.crypto import Vault
from core.db import transaction
from core.ids import Ids
from core.pii import Mobile

_CODE: Final = "way_check.code"
MOBILE: Final = "way_attempt.mobile"
_DIGITS: Final = 6


class Texting:
    """Sends codes. How many one mobile gets within an hour is counted in the database."""

    def __init__(self, *, sender: SmsSender, attempts: Attempts, vault: Vault, ids: Ids, settings: WaySettings) -> None:
        self._sender = sender
        self._attempts = attempts
        self._vault = vault
        self._ids = ids
        self._allowance = Allowance("sms-sent", settings.sms_per_mobile, timedelta(hours=1))

    async def send(self, mobile: Mobile, *, of: UUID, lifetime: timedelta) -> str:
        """Send a fresh code that goes with the row `of` and return its keyed hash, which alone may be kept.

        Raises:
            WayLocked: this mobile has got as many codes as it may for now.
            WayUnavailable: the provider could not be reached; it counts for nothing.
            WayRefused: the provider cannot send to this number.
        """
        key = f"m:{self._vault.mark(MOBILE, mobile.reveal())}"
        attempt_id = await transaction(lambda: self._attempts.start(self._allowance, (key,)))
        code = self._ids.digits(_DIGITS)
        try:
            minutes = max(1, round(lifetime.total_seconds() / 60))
            await self._sender.send_code(mobile, code, minutes=minutes, reference=f"{of.hex}-{attempt_id.hex}")
        except (WayUnavailable, WayRefused):
            await transaction(lambda: self._attempts.give_back(attempt_id))
            raise
        return self._hash(of, code)

    def fits(self, code: str, *, of: UUID, code_hash: str) -> bool:
        """Say whether a code is the one that was sent for the row `of`."""
        return bool(code_hash) and hmac.compare_digest(self._hash(of, code), code_hash)

    def _hash(self, of: UUID, code: str) -> str:
        return self._vault.mark(_CODE, f"{of}:{code.strip()}")
