"""Leased tokens: one token of an outside system, shared by all workers, fetched anew by one of them at a time.

It lies sealed in the cache. Without the cache each worker leases its own, which systems that answer with the same token
until it runs out (WeChat's `stable_token`) do not mind.
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeGuard
from uuid import UUID

from core.cache import Cache, CacheUnavailable
from core.clock import Clock
from core.crypto import RecordUnreadable, Vault
from core.errors import Unavailable
from core.log import get_logger

log = get_logger(__name__)

_COLUMN: Final = "leased_token.value"
_ROW: Final = UUID(int=0)  # Not a row of a table: the seal is bound to the column alone.
_EARLY_SECONDS: Final = 300
_LOCK_SECONDS: Final = 5
_LOOK_SECONDS: Final = 0.05
_FORCE_PAUSE_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Lease:
    """A token and when it runs out, in Unix seconds."""

    token: str = field(repr=False)
    until: float


class LeaseUnavailable(Unavailable):
    """No token can be had from the outside system now."""

    code = "core.lease-unavailable"
    title = "对方系统暂时没有响应，请稍后再试"
    title_en = "The other system does not answer now; please try later"
    plain = "对方系统现在没有回应，请过一会儿再试。"


# Asks the outside system for a token, `True` to have the present one replaced; returns it with its life in seconds.
Fetch = Callable[[bool], Awaitable[tuple[str, int]]]


class LeasedToken:
    """The present token of one outside system. `name` keeps the systems apart."""

    def __init__(self, name: str, *, cache: Cache, vault: Vault, clock: Clock) -> None:
        self._key = f"lease:{name}"
        self._cache = cache
        self._vault = vault
        self._clock = clock
        self._own: Lease | None = None
        self._fetching = asyncio.Lock()

    async def token(self, fetch: Fetch) -> str:
        """Return the token in force, leasing one by `fetch` if there is none.

        Raises:
            LeaseUnavailable: another worker is fetching one and does not get it.
            Unavailable: `fetch` could not reach the outside system.
        """
        if self._is_good(self._own):
            return self._own.token
        async with self._fetching:  # One of this process; the mark in the cache sees to one of all workers.
            if self._is_good(self._own):
                return self._own.token
            return (await self._leased(fetch)).token

    async def replace(self, refused: str, fetch: Fetch) -> str:
        """Return another token than the one the outside system has just refused.

        Raises:
            LeaseUnavailable: one was replaced moments ago, and again is not yet allowed.
            Unavailable: `fetch` could not reach the outside system.
        """
        async with self._fetching:
            return (await self._leased(fetch, refused=refused)).token

    def _is_good(self, lease: Lease | None) -> TypeGuard[Lease]:
        return lease is not None and lease.until > self._clock.now().timestamp()

    async def _leased(self, fetch: Fetch, *, refused: str = "") -> Lease:
        """Take the shared token, or fetch one while the other workers wait here for it."""
        for _ in range(int(_LOCK_SECONDS / _LOOK_SECONDS)):
            if (found := await self._another(refused)) is not None:
                return found
            if await self._claim("fetching", _LOCK_SECONDS):
                # Whoever held the mark may have shared theirs between the look and the claim.
                if (found := await self._another(refused)) is not None:
                    await self._let_others()
                    return found
                return await self._fetch(fetch, force=bool(refused))
            await asyncio.sleep(_LOOK_SECONDS)
        raise LeaseUnavailable(retry_after=_LOCK_SECONDS)

    async def _another(self, refused: str) -> Lease | None:
        shared = await self._shared()
        if shared is None or shared.token == refused:
            return None
        self._own = shared
        return shared

    async def _let_others(self) -> None:
        with suppress(CacheUnavailable):
            await self._cache.forget(f"{self._key}:fetching")

    async def _fetch(self, fetch: Fetch, *, force: bool) -> Lease:
        try:
            # Systems count forced renewals: WeChat allows 20 a day, 30 seconds apart.
            if force and not await self._claim("forced", _FORCE_PAUSE_SECONDS):
                raise LeaseUnavailable(retry_after=_FORCE_PAUSE_SECONDS)
            token, seconds = await fetch(force)
            early = min(_EARLY_SECONDS, seconds // 2)
            lease = Lease(token, self._clock.now().timestamp() + seconds - early)
            self._own = lease
            await self._share(lease, seconds - early)
        finally:  # Also when it failed: the next worker need not wait for the mark to run out.
            await self._let_others()
        return lease

    async def _share(self, lease: Lease, seconds: int) -> None:
        text = json.dumps([lease.token, lease.until])
        sealed = base64.b64encode(self._vault.seal(_COLUMN, _ROW, text)).decode()
        try:
            await self._cache.put(self._key, sealed, seconds=max(1, seconds))
        except CacheUnavailable:
            log.warning("leased token kept in this process only", name=self._key)

    async def _shared(self) -> Lease | None:
        try:
            sealed = await self._cache.get(self._key)
            if sealed is None:
                return None
            token, until = json.loads(self._vault.open(_COLUMN, _ROW, base64.b64decode(sealed)))
        except (CacheUnavailable, RecordUnreadable, binascii.Error, ValueError, TypeError):
            return None
        lease = Lease(str(token), float(until))
        return lease if self._is_good(lease) else None

    async def _claim(self, what: str, seconds: int) -> bool:
        try:
            return await self._cache.claim(f"{self._key}:{what}", seconds=seconds)
        except CacheUnavailable:
            return True  # Alone: nobody can be told to wait.
