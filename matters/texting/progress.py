"""Answering text messages that ask how a case stands."""

from core.cache import Limits, TooManyRequests
from core.clock import china_date
from matters.applications.progress import Progress
from matters.errors import ProgressLocked, ProgressNotFound
from matters.settings import MatterSettings
from matters.texting.rules import TOO_OFTEN, UNREADABLE, WRONG, asked_in, said_of


class ProgressByText:
    """Finds number and query code in a message and says how the case stands, locked as the query on the web is.

    Of who sent it nothing is known but a mark of the provider's: no mobile number comes here.
    """

    def __init__(self, *, progress: Progress, limits: Limits, settings: MatterSettings) -> None:
        self._progress = progress
        self._limits = limits
        self._settings = settings

    async def answer(self, text: str, *, sender: str) -> str:
        """Return what is sent back: at most 64 characters, Chinese, without anybody's name or number.

        Raises:
            CacheUnavailable: attempts cannot be counted now; the provider asks again.
            DatabaseUnavailable: the database could not be reached.
        """
        try:
            await self._limits.hit(
                "matters.query-text", self._settings.query_text_limit, f"sender:{sender}", fail_open=False
            )
            asked = asked_in(text)
            if asked is None:
                return UNREADABLE
            view = await self._progress.query(*asked, address=f"text:{sender}")
            return said_of(view, due=None if view.due_at is None else china_date(view.due_at))
        except ProgressNotFound:
            return WRONG
        except (ProgressLocked, TooManyRequests):
            return TOO_OFTEN
