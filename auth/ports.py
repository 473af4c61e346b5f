"""What auth needs from outside: who a login code belongs to, and whether a name and a number are one person.

And from every domain above it: what is stored about a person, told and erased.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from auth.types import AccountIdentity, Erasure, Outlook, Section, Verdict
from core.pii import IdNumber, Mobile, PersonName


class MiniProgram(Protocol):
    """The platform the mini program runs on. It knows accounts, not people.

    Its session keys stay inside the adapter: nothing of ours needs them, so they are neither returned nor kept.
    """

    async def identify(self, code: str) -> AccountIdentity:
        """Exchange a login code, which works once and for some minutes, for the account it belongs to.

        Raises:
            CodeInvalid: the code was used, has expired, or was never given.
            WechatTooMany: the platform lets this account log in no more for the moment.
            WechatBlocked: the platform holds this account for risky.
            WechatUnavailable: the platform could not be reached; the client gets a fresh code and tries again.
            WechatQuota: the platform takes no more calls from us for a while.
            WechatMisconfigured: the platform does not take our settings.
        """
        ...

    async def mobile_of(self, code: str) -> Mobile:
        """Exchange a code, given when the resident taps the button for it, for their mobile number.

        Raises:
            MobileCodeInvalid: the code was used, has expired, or belongs to another mini program.
            MobileUnsupported: the number is no mainland mobile number.
            WechatUnavailable: the platform could not be reached; try again later.
            WechatQuota: the platform takes no more calls from us for a while.
            WechatMisconfigured: the platform does not take our settings.
        """
        ...

    async def mobile_of_sealed(self, code: str, encrypted: str, iv: str) -> tuple[AccountIdentity, Mobile]:
        """Open a mobile number that the platform encrypted for an account, as clients of the old button send it.

        `code` is a login code fetched for this purpose before the button was tapped; `encrypted` and `iv` are base64.
        It returns the account that the number was encrypted for: whether it is the caller's is not seen here.

        Raises:
            CodeInvalid: the code was used, has expired, or was never given.
            MobileCodeInvalid: the text was not encrypted for this account's login, or is another mini program's.
            MobileUnsupported: the number is no mainland mobile number.
            WechatTooMany: the platform lets this account log in no more for the moment.
            WechatBlocked: the platform holds this account for risky.
            WechatUnavailable: the platform could not be reached; the client begins anew.
            WechatQuota: the platform takes no more calls from us for a while.
            WechatMisconfigured: the platform does not take our settings.
        """
        ...


class PopulationRegistry(Protocol):
    """The register of residents: the source of real names and official portraits.

    It is asked about people who are there to be checked, never searched. Unknown people and wrong names are answered
    alike, so that nobody learns from us who exists.
    """

    async def verify(self, name: PersonName, id_number: IdNumber) -> Verdict:
        """Say whether name and number belong to one person, and whether that person lives.

        Raises:
            RegistryRefused: the registry does not take the question, finally.
            RegistryUnavailable: the registry could not be reached; try again later.
        """
        ...

    async def portrait_of(self, id_number: IdNumber) -> bytes | None:
        """Return the person's portrait as JPEG, or None when the registry holds none.

        The picture is meant for one comparison in memory and is never kept.

        Raises:
            RegistryRefused: the registry does not take the question, finally.
            RegistryUnavailable: the registry could not be reached; try again later.
        """
        ...


class PersonalData(Protocol):
    """What a domain stores about people. Each domain that has such tables implements it, and the wiring lists it.

    Together the sections name every table with a person in it: a test compares them with the models, so that a new
    table cannot be forgotten.
    """

    async def export(self, citizen_id: UUID) -> Sequence[Section]:
        """Return all that is stored about a person, also the sections in which there is nothing.

        Values leave in the clear, for the person alone. Secrets of the service (hashes of tokens, keyed indexes, the
        openid, which never leaves the server) are told by what they are for, not by their value.

        Raises:
            RecordUnreadable: something sealed does not open.
            DatabaseUnavailable: the database could not be reached.
        """
        ...

    async def foresee(self, citizen_id: UUID, now: datetime) -> Outlook:
        """Return what closing the account would stop, and what would be kept, if it were closed at `now`.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        ...

    async def erase(self, citizen_id: UUID, now: datetime) -> Erasure:
        """Erase in the running transaction all that need not be kept at `now`, and return what went and what stays.

        The account is closed already and nobody can come in. Called again it erases what has come since, and what was
        kept and is due, and nothing else.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        ...


class KnownNames(Protocol):
    """The names of other rooms that registers and grants may use: any other would promise what nobody keeps."""

    def is_readable(self, word: str) -> bool:
        """Say whether some certificate has a field of this name, or supports this claim (`age>=18`)."""
        ...

    def is_matter(self, name: str) -> bool:
        """Say whether a matter of this code or slug is published."""
        ...

    def is_department(self, slug: str) -> bool:
        """Say whether a department of this slug takes part: it has matters, issues certificates, or tells us news."""
        ...
