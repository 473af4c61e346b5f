"""After a restore: what may have gone out since the backup must not go out twice, nor under a number given twice."""

from collections.abc import Sequence
from typing import Final

from core.clock import CHINA, Clock, china_date
from core.db import execute, fetch, require_transaction

# `sent` covers "sent, and the answer was lost": where the department knows a dossier by our reference it is sent again
# under the same one, elsewhere the delivery becomes `unknown` and waits for a person (`Submission.deliver`).
_MAY_HAVE_GONE: Final = "UPDATE delivery SET state = 'sent' WHERE state = 'pending'"
_BRANCHES: Final = "UPDATE case_branch SET delivery = 'sent' WHERE delivery = 'pending' AND state = 'pending'"
_LETTERS: Final = "UPDATE letter SET state = 'sent' WHERE state = 'pending'"
_GO_ON_FROM: Final = """
INSERT INTO counter (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = CASE WHEN counter.value > $2 THEN counter.value ELSE $2 END RETURNING name
"""
# Serials go from 1 to 9999 and then on in base 36 up to some 1,222,000.
_FIRST_AFTER: Final = 10_000
_EACH_SECOND: Final = 13


class RestoredCases:
    """The cases of a database that was restored."""

    def __init__(self, *, clock: Clock, matter_codes: Sequence[str]) -> None:
        self._clock = clock
        self._matter_codes = matter_codes

    async def mark(self) -> int:
        """Mark every dossier and letter that may have gone out since the backup; return how many those are.

        Numbers that were given today after the backup are known to departments and lost here. So today's serials go on
        where none can have been: at a place that depends on the time of day, beyond an earlier restore's as well.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        local = now.astimezone(CHINA)
        floor = _FIRST_AFTER + _EACH_SECOND * (local.hour * 3600 + local.minute * 60 + local.second)
        for code in self._matter_codes:
            await fetch(_GO_ON_FROM, f"application-number:{code}:{china_date(now):%Y%m%d}", floor)
        return await execute(_MAY_HAVE_GONE) + await execute(_BRANCHES) + await execute(_LETTERS)
