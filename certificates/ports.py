"""What the wallet needs from outside: who issues certificates, who somebody is, who is logged in, and who checks."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from auth.registers.types import VerifierTerms
from auth.types import Person, ReadPurpose, Term
from certificates.types import CertificateQuery, Issued, Ticket, Verdict
from core.pii import IdNumber


class Issuer(Protocol):
    """A department that issues certificates and can be asked for those of one person.

    Four answers are told apart, because they mean different things to the holder: the certificate, `None` for "this
    person holds none" (a value, not a failure), `NotConfirmed` for "there is something we do not stand for yet", and
    `IssuerUnavailable` for "nobody knows now". An implementation only translates: it reads the department's words and
    codes by its published page, and decides nothing. It answers with the fields under the names of the page, dates as
    ISO 8601 text, and leaves to the wallet whether they fit the kind.
    Asking has no effect at the issuer, so a failed call may be repeated.
    """

    async def fetch(self, query: CertificateQuery) -> Issued | None:
        """Return the certificate of one kind and one person as it stands now, or None when none is held.

        Raises:
            NotConfirmed: the department has something on record that it does not confirm yet.
            IssuerUnavailable: the department could not be reached, refused our credentials, or answered something that
                its page does not have; try again later.
        """
        ...


class QualityDesk(Protocol):
    """Where wrong values are reported, on their way to who issued them."""

    async def file(self, ticket: Ticket) -> str:
        """Hand a report in and return its number there. The same reference twice is one report.

        Raises:
            IssuerUnavailable: the desk could not be reached, or gave no usable answer; try again later.
        """
        ...

    async def answer(self, reference: str) -> Verdict | None:
        """Return what came of a report; None while nobody has answered.

        Raises:
            IssuerUnavailable: the desk could not be reached, or gave no usable answer; try again later.
        """
        ...


class Accounts(Protocol):
    """Who has an account here, by their number: also one that is closed because they have died."""

    async def find_citizen(self, id_number: IdNumber) -> UUID | None:
        """Return the resident with this number, if they have an account.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        ...

    async def has_died(self, citizen_id: UUID) -> bool:
        """Tell whether a resident counts as dead, which does not change before the running transaction ends.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        ...


class OpenSessions(Protocol):
    """Where residents are logged in: what is shown there is worth something only as long as they are."""

    async def is_open(self, session_id: UUID) -> bool:
        """Tell whether a session has neither ended nor run out.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        ...


class Persons(Protocol):
    """Who stands behind a citizen's id, under the real name."""

    async def person_of(self, citizen_id: UUID, purpose: ReadPurpose) -> Person:
        """Return name and number of a citizen with a real name, for a purpose.

        Raises:
            LevelTooLow: the citizen has no real name yet.
        """
        ...


class Verifiers(Protocol):
    """Who is registered to check certificates, and what each may read for which purpose."""

    async def find(self, verifier_id: UUID) -> VerifierTerms | None:
        """Return what the register says of a verifier; None when there is none of this id, or it is suspended.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        ...

    async def purposes(self) -> Mapping[UUID, Mapping[str, Term]]:
        """Return what the purposes of all verifiers are called, suspended ones too, by verifier and code.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        ...

    async def count(self, terms: VerifierTerms) -> None:
        """Count one question of today. Joins a running transaction.

        Raises:
            QuotaUsedUp: there were as many today as the register allows.
            DatabaseUnavailable: the database could not be reached.
        """
        ...


class Holders(Protocol):
    """Who a person with a certain number is among the residents here."""

    async def find_holder(self, id_number: IdNumber) -> UUID | None:
        """Return the resident who has bound this number; None when nobody has.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        ...
