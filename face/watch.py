"""Of how many people a face check is kept: from 100,000 on the law wants a filing (令19).

What is kept of a check is its outcome and the hashes of its pictures, no picture and no template. Whether that is
"stored face information" is for lawyers; the figure counts as if it were.
"""

from typing import Final

from core.db import fetch_one
from core.metrics import FACE_SUBJECTS

_PEOPLE: Final = "SELECT count(DISTINCT person_hash) AS n FROM face_check"


async def look_at_subjects() -> None:
    """Note in the figures of how many people there are checks.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    row = await fetch_one(_PEOPLE)
    FACE_SUBJECTS.set(int(row["n"]) if row else 0)
