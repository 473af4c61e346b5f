"""What face checks store about a person: that there were some and how they ended. No picture, no template.

What a network against spoofing said is stored and not handed out: whoever tries could learn from it how near they came.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.errors import LevelTooLow
from auth.realname import RealName
from auth.rights.keeping import Keeping
from auth.types import Erasure, Kept, Outlook, Plain, ReadPurpose, Section
from core.db import as_json, as_moment, as_uuid, execute, fetch, fetch_one, require_transaction
from face.records import Records

# Checks for an elder session belong to no account; they are found by the mark of the number they were about.
_CHECKS: Final = """
SELECT id, purpose, citizen_id, elder, consent, actions, state, outcome, reason, engine, model_id, method,
       threshold_id, claimed_rate, started_at, expires_at, decided_at,
       (SELECT count(*) FROM frame_seen f WHERE f.check_id = c.id) AS marks
FROM face_check c WHERE citizen_id = $1 OR person_hash IN ($2, $3) ORDER BY id
"""
_ANY_MARK: Final = """
SELECT 1 AS any FROM frame_seen WHERE check_id IN (SELECT id FROM face_check WHERE citizen_id = $1) LIMIT 1
"""
_FORGET: Final = "DELETE FROM face_check WHERE citizen_id = $1 OR person_hash IN ($2, $3)"
_FORGET_SUBJECT: Final = "DELETE FROM face_subject WHERE key = $1"
_NOBODY: Final = "-"


class FaceData:
    """What face stores about people.

    The marks of pictures stay when everything else goes: nobody shall pass with a picture that was shown before. They
    are digests of files, and once their check is gone they are nobody's.
    """

    def __init__(self, *, records: Records, realname: RealName, keeping: Keeping) -> None:
        self._records = records
        self._realname = realname
        self._keeping = keeping

    async def export(self, citizen_id: UUID) -> Sequence[Section]:
        """Return every check of the person, also those that somebody began with their number.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_CHECKS, citizen_id, *await self._person_hashes(citizen_id))
        tables = ("face_check", "face_subject", "frame_seen")
        return [Section("face-checks", "人脸核验记录", "Face checks", tables, [_check(row) for row in rows])]

    async def foresee(self, citizen_id: UUID, now: datetime) -> Outlook:
        """Return that the marks of pictures are kept, if there are any.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        del now
        return Outlook(kept=await self._kept(citizen_id))

    async def erase(self, citizen_id: UUID, now: datetime) -> Erasure:
        """Erase the checks; the marks of pictures stay, and lead to no check any more.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        del now
        kept = await self._kept(citizen_id)
        hashes = await self._person_hashes(citizen_id)
        erased = await execute(_FORGET, citizen_id, *hashes)
        keys = (f"a:{citizen_id}", *(f"p:{each}" for each in hashes))
        subjects = [await execute(_FORGET_SUBJECT, key) for key in keys]
        return Erasure({"face_check": erased, "face_subject": sum(subjects)}, kept)

    async def _kept(self, citizen_id: UUID) -> tuple[Kept, ...]:
        if await fetch_one(_ANY_MARK, citizen_id) is None:
            return ()
        return (self._keeping.kept("picture-marks", since=None),)

    async def _person_hashes(self, citizen_id: UUID) -> tuple[str, str]:
        """Return the marks of the person's number; what no check has when the number is not known, or no more."""
        try:
            person = await self._realname.person_of(citizen_id, ReadPurpose.OWN_RIGHTS)
        except LevelTooLow:
            return _NOBODY, _NOBODY
        return self._records.person_hashes(person.id_number)


def _check(row: Mapping[str, Any]) -> dict[str, Plain]:
    decided = row["decided_at"]
    return {
        "id": str(as_uuid(row["id"])),
        "purpose": row["purpose"],
        "by": "self" if row["citizen_id"] is not None else "not-logged-in",
        "elder": bool(row["elder"]),
        "consent": row["consent"],
        "actions": as_json(row["actions"]),
        "state": row["state"],
        "outcome": row["outcome"],
        "reason": row["reason"],
        "engine": row["engine"],
        "model": row["model_id"],
        "method": row["method"],
        "threshold": row["threshold_id"],
        "claimed_rate": row["claimed_rate"],
        "picture_marks": int(row["marks"]),
        "started_at": as_moment(row["started_at"]).isoformat(),
        "expires_at": as_moment(row["expires_at"]).isoformat(),
        "decided_at": None if decided is None else as_moment(decided).isoformat(),
    }
