"""What matters need from outside: departments that take dossiers, records that answer questions, a place for files.

And the two things they ask of the domains below: who a citizen is, and what certificates they hold.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from auth.types import Caller, Person, ReadPurpose
from certificates.types import HeldCertificate
from core.audit.actors import Actor
from core.pii import Secret
from matters.types import (
    Applicant,
    Capability,
    CaseStatus,
    Dedupe,
    Details,
    Dossier,
    Fact,
    Filed,
    Receipt,
    Supplement,
    TextVerdict,
)


class Department(Protocol):
    """A back office that receives applications for the matters it owns.

    A dossier's `reference` is our business key. A department that de-duplicates by `key` gives the same receipt for the
    same reference however often it is sent, so a dossier whose answer was lost is sent again. One that answers by
    `query` is asked first whether the reference has arrived, and sent to only where it has not. One that does neither
    (`none`) is never sent twice by itself.

    What it cannot do besides taking dossiers stands in `capabilities`; what does not stand there is not asked for, and
    is answered `QuestionRefused`.

    Implementations translate words and failures and decide nothing. They are called outside any transaction.
    """

    @property
    def dedupe(self) -> Dedupe:
        """How the department tells a repeated dossier from a new one."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the department's system can do."""
        ...

    async def submit(self, dossier: Dossier) -> Receipt:
        """Hand over a dossier. The same reference twice yields the same receipt, if `dedupe` is `key`.

        Raises:
            DossierDeclined: the department will not take this dossier; final.
            QuestionRefused: the department refuses how we ask, not what; nothing was taken, an operator has to look.
            DepartmentUnavailable: no usable answer; `ambiguous` says whether the dossier may have arrived.
        """
        ...

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Return how a case stands, None where the reference has never arrived. Asking twice is harmless.

        Raises:
            QuestionRefused: it cannot be asked, or refuses how we ask.
            DepartmentUnavailable: no usable answer.
        """
        ...

    async def supplement(self, supplement: Supplement) -> None:
        """Pass on what came of what was missing in a case. The same key twice is once, unless `dedupe` is `none`.

        Raises:
            SupplementDeclined: it has been decided, or is not known there; final.
            QuestionRefused: it cannot be given, or the department refuses how we say it; nothing was taken.
            DepartmentUnavailable: no usable answer; `ambiguous` says whether it may have arrived.
        """
        ...

    async def withdraw(self, filed: Filed) -> None:
        """Take a case back, as its applicant wishes. Twice is the same as once.

        Raises:
            WithdrawalDeclined: it has been decided, or is not known there; final.
            QuestionRefused: it cannot be asked, or refuses how we ask.
            DepartmentUnavailable: no usable answer.
        """
        ...


class Records(Protocol):
    """A department's records that can be asked about one applicant.

    An answer is a set of named facts; which of them matter is decided by the matter's rules in the catalogue, never
    here. "Nothing on record" is an answer, not a failure. Asking twice is harmless.
    """

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Whether it says what is on record (`query`), or only whether something is so (`verify`)."""
        ...

    async def ask(self, applicant: Applicant, *, purpose: str) -> Mapping[str, Fact]:
        """Return what the department has on record. `purpose` says why we ask, in Chinese, at most 200 characters.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        ...


class HomeRegistry(Protocol):
    """The register of the place that somebody moves from: it is told what was decided elsewhere."""

    async def take_result(self, key: str, matter: str, applicant: Applicant, result: Details) -> None:
        """Tell what was decided about an applicant. `key` is ours: the same twice is the same as once.

        `result` has `outcome` (`approved`, `rejected`), `from_region` and `to_region` (codes, may be empty) and
        `decided_on`.

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


class FileContents(Protocol):
    """What the files of a dossier hold, for a department that they are brought to."""

    async def read(self, file_id: UUID) -> bytes:
        """Return the content of a file that goes with a dossier.

        Raises:
            FileStoreUnavailable: it is gone, or cannot be read now.
        """
        ...


class Inspector(Protocol):
    """Opens a resident's file where a hostile one can do no harm."""

    async def clean(self, content: bytes, media_type: str) -> bytes:
        """Return a file as it is kept: a picture made anew from its pixels, a PDF that was looked through.

        Raises:
            FileRefused: it is not what it says, or holds what is not taken.
            FileStoreUnavailable: files cannot be opened now.
        """
        ...


class Scanner(Protocol):
    """Knows malicious files."""

    async def scan(self, content: bytes) -> None:
        """See that nothing malicious is known of a file.

        Raises:
            FileInfected: it is malicious.
            ScannerUnavailable: nobody can say now; such a file is not taken.
        """
        ...


class ValueDesk(Protocol):
    """Takes reports of wrong values to whoever keeps them."""

    async def report(self, caller: Caller, *, item: str, text: str, certificate_id: UUID | None) -> str:
        """Report an item of a certificate, or of the real name where none is named; return the ticket's number.

        Raises:
            TooManyRequests: too many reports within a day.
            NotPrefilled: the certificate is held no more.
        """
        ...


class TextCheck(Protocol):
    """A platform that knows which texts are risky."""

    async def check(self, text: str, openid: Secret) -> TextVerdict:
        """Return the verdict on a text of at most 2,500 characters that an account of the platform has written.

        Raises:
            TextCheckUnavailable: nobody can say now, or not for this account.
        """
        ...


class Openids(Protocol):
    """Under which account of the platform a citizen writes."""

    async def openid_of(self, citizen_id: UUID) -> Secret | None:
        """Return the account in use, None where there is none.

        Raises:
            DatabaseUnavailable: the database could not be reached.
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

    async def kinds_in_force(self, citizen_id: UUID) -> frozenset[str]:
        """Return the kinds of which a citizen holds a valid certificate.

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
