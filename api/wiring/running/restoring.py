"""What is done to a restored database before anything runs on it."""

from dataclasses import dataclass

from api.wiring.domains import MODELS
from api.wiring.settings import Settings
from auth.account.restoring import RestoredSessions
from auth.places.recent import RecentSessions
from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.backup.archive import BackupRefused
from core.clock import SystemClock
from core.database import close_database, open_database, orm_config
from core.db import transaction
from core.ids import RandomIds
from core.keyring.data_keys import wraps_all
from core.keyring.ring import KeyRing
from matters.cases.restoring import RestoredCases
from matters.catalogue.loading import load_catalogue
from matters.catalogue.revisions.store import read_codes
from notices.outcomes.restoring import RestoredNotices


@dataclass(frozen=True, slots=True)
class Settled:
    """What a restored database held that had to be dealt with."""

    deliveries: int
    notices: int
    sessions: int


async def settle_restored(settings: Settings) -> Settled:
    """Mark what may have happened since the backup, end all sessions, and say so in the audit.

    Raises:
        BackupRefused: the keys in the key folder are not those of the backup.
        DatabaseUnavailable: the database cannot be reached.
    """
    clock = SystemClock()
    audit = Audit(clock=clock, ids=RandomIds())
    shipped = [each.matter.code for each in load_catalogue()]
    notices = RestoredNotices(clock=clock)
    sessions = RestoredSessions(recent=RecentSessions(clock=clock, settings=settings.auth.sessions), clock=clock)
    await open_database(orm_config(settings, MODELS))
    try:
        if not await _is_readable(settings):
            raise BackupRefused(
                "The keys in the key folder do not open this database: bring back the keys of that time, then run "
                "`restore` again with --replace. Nothing was marked yet, so start no process on it.",
            )

        cases = RestoredCases(clock=clock, matter_codes=sorted({*shipped, *await read_codes()}))

        async def work() -> Settled:
            settled = Settled(await cases.mark(), await notices.mark(), await sessions.end_all())
            await audit.record("core.restored", actor=SYSTEM)
            return settled

        return await transaction(work)
    finally:
        await close_database()


async def _is_readable(settings: Settings) -> bool:
    ring = KeyRing.load(settings.key_folder)
    return any([await wraps_all(key.secret) for key in ring.keks.keys])
