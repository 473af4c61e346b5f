"""What becomes of certificates without their holders' doing: an issuer tells of a change, a wallet is held back."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID

from certificates import rules
from certificates.definitions import Kinds
from certificates.errors import IssuerUnavailable, NotYourKind, StateUnknown
from certificates.living.asking import Asking
from certificates.living.keeping import Keeping
from certificates.ports import Accounts
from certificates.settings import CertificateSettings
from certificates.types import News
from core.cache import Limits
from core.db import transaction
from core.errors import FieldError
from core.jobs.queue import Jobs

# Longer than an issuer is asked for (`certificates/living/asking.py`).
_ASKED: Final = timedelta(seconds=30)
_TRIES: Final = 3

Change = Callable[[], Awaitable[None]]


class Life:
    """Takes an issuer's news in, and holds wallets back. What is told holds at once, for whoever checks next."""

    def __init__(
        self,
        *,
        kinds: Kinds,
        asking: Asking,
        keeping: Keeping,
        accounts: Accounts,
        jobs: Jobs,
        limits: Limits,
        settings: CertificateSettings,
    ) -> None:
        self._kinds = {kind.slug: kind for kind in kinds}
        self._asking = asking
        self._keeping = keeping
        self._accounts = accounts
        self._jobs = jobs
        self._limits = limits
        self._settings = settings

    async def let_in(self, department: str) -> None:
        """Count a piece of news, before the transaction that takes it in.

        Raises:
            TooManyRequests: more news than a department may send; it repeats them later.
        """
        await self._limits.hit("certificates.news", self._settings.news_limit, f"department:{department}")

    async def hear(self, department: str, news: News) -> None:
        """Take in what an issuer tells of a certificate; what it holds is asked for right after.

        Whether the person has an account here, and the certificate in it, makes no difference to the issuer.

        Raises:
            NotYourKind: another department issues certificates of this kind, or nobody.
            StateUnknown: no state has this code.
            MoveForbidden: this certificate cannot come to that state.
            EventConflict: it contradicts what was told before.
            IssuerUnavailable: somebody else is writing; it has to be told again.
            DatabaseUnavailable: the database could not be reached.
        """
        kind = self._kinds.get(news.kind)
        if kind is None or kind.issuer != department:
            raise NotYourKind
        state = rules.STATES_TOLD.get(news.code)
        if state is None:
            raise StateUnknown(errors=[FieldError("/state", "unknown", "没有这种状态", "There is no such state")])

        async def work() -> None:
            holder = await self._accounts.find_citizen(news.holder)
            if holder is None:
                return
            await self._asking.forget(kind, holder)
            if await self._keeping.hear(kind, holder, news, state):
                await self._jobs.enqueue("certificates.refresh", citizen_id=holder, kind=kind.slug)
            elif not await self._keeping.holds(kind, holder):
                # It may be on its way here for the first time, with an answer of before: looked at once that is over.
                await self._jobs.enqueue("certificates.refresh", after=_ASKED, citizen_id=holder, kind=kind.slug)

        for _ in range(_TRIES - 1):
            # A refresh has just written what it was told: the certificate is read again, as it is now.
            with suppress(IssuerUnavailable):
                return await transaction(work)
        return await transaction(work)

    async def follow_death(self, citizen_id: str, reason: str) -> Change:
        """Give the change that freezes everything somebody holds once they have died, and thaws it if they live.

        Jobs `certificates.hold-back` and `certificates.release`. What holds when one runs is done, whichever it is: two
        that come in the wrong order end alike.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> None:
            citizen = UUID(citizen_id)
            follow = self._keeping.hold_back if await self._accounts.has_died(citizen) else self._keeping.release
            await follow(self._kinds, citizen, reason)

        return work
