"""What matters need from outside: departments that take dossiers, records that answer questions, a place for files.

And the two things they ask of the domains below: who a citizen is, and what certificates they hold.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from auth.types import Caller, Person, ReadPurpose
from certificates.types import CertificateView, HeldCertificate
from core.audit.actors import Actor
from matters.types import Applicant, Dedupe, Dossier, Fact, Receipt


class Department(Protocol):
    """A back office that receives applications for the matters it owns.

    A dossier's `reference` is our business key. A department that de-duplicates by `key` gives the same receipt for the
    same reference however often it is sent, so a dossier whose answer was lost is sent again; one that does not
    (`none`) is never sent twice by itself.

    Implementations translate words and failures and decide nothing. They are called outside any transaction.
    """

    @property
    def dedupe(self) -> Dedupe:
        """How the department tells a repeated dossier from a new one."""
        ...

    async def submit(self, dossier: Dossier) -> Receipt:
        """Hand over a dossier. The same reference twice yields the same receipt, if `dedupe` is `key`.

        Raises:
            DossierDeclined: the department will not take this dossier; final.
            QuestionRefused: the department refuses how we ask, not what; nothing was taken, an operator has to look.
            DepartmentUnavailable: no usable answer; `ambiguous` says whether the dossier may have arrived.
        """
        ...


class Records(Protocol):
    """A department's records that can be asked about one applicant.

    An answer is a set of named facts; which of them matter is decided by the matter's rules in the catalogue, never
    here. "Nothing on record" is an answer, not a failure. Asking twice is harmless.
    """

    async def ask(self, applicant: Applicant, *, purpose: str) -> Mapping[str, Fact]:
        """Return what the department has on record. `purpose` says why we ask, in Chinese, at most 200 characters.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        ...


class FileStore(Protocol):
    """Where attachments lie: a folder, or an object store. Contents come sealed; names are ours and random."""

    async def put(self, name: str, content: bytes) -> None:
        """Keep `content` durably under `name`, a text of 32 hex digits that was never used before.

        Raises:
            FileStoreUnavailable: it cannot be kept now; nothing of it stays.
        """
        ...

    async def get(self, name: str) -> bytes:
        """Return what was kept under `name`.

        Raises:
            FileStoreUnavailable: it cannot be read.
        """
        ...

    async def remove(self, name: str) -> None:
        """Forget what was kept under `name`; nothing happens when there is nothing.

        Raises:
            FileStoreUnavailable: the store does not answer.
        """
        ...


class People(Protocol):
    """Who a citizen is: the real names of `auth`."""

    async def person_of(self, citizen_id: UUID, purpose: ReadPurpose) -> Person:
        """Return the person behind a citizen, for a purpose.

        Raises:
            LevelTooLow: no real name is bound.
        """
        ...


class Holdings(Protocol):
    """What certificates a citizen holds: the wallet of `certificates`."""

    async def list_held(self, caller: Caller, *, after: UUID | None, limit: int) -> Sequence[CertificateView]:
        """Return the caller's wallet as it is listed, numbers masked, those after a certificate when one is given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        ...

    async def find_held(
        self, citizen_id: UUID, kind: str, *, purpose: str, fields: Sequence[str] = (), actor: Actor | None = None
    ) -> HeldCertificate | None:
        """Return a certificate of the wallet with the named fields opened, or None; the ledger tells of the use.

        `actor` is who reads it where it is not the holder.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        ...
