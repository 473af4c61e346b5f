"""What the wallet needs from outside: who issues certificates, who somebody is, and who is logged in."""

from typing import Protocol
from uuid import UUID

from auth.types import Person, ReadPurpose
from certificates.types import CertificateQuery, Issued


class Issuer(Protocol):
    """A department that issues certificates and can be asked for those of one person.

    Three answers are told apart, because they mean different things to the holder: the certificate, `None` for "this
    person holds none" (a value, not a failure), and `IssuerUnavailable` for "nobody knows now". An implementation only
    translates: it reads the department's words and codes by its published page, and decides nothing. It answers with
    the fields under the names of the page, dates as ISO 8601 text, and leaves to the wallet whether they fit the kind.
    Asking has no effect at the issuer, so a failed call may be repeated.
    """

    async def fetch(self, query: CertificateQuery) -> Issued | None:
        """Return the certificate of one kind and one person as it stands now, or None when none is held.

        Raises:
            IssuerUnavailable: the department could not be reached, refused our credentials, or answered something that
                its page does not have; try again later.
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
