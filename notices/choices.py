"""What residents want to be told outside the inbox: a choice for each topic."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from auth.types import Caller
from core.audit.record import Audit
from core.clock import Clock
from core.db import fetch, fetch_one, transaction
from core.errors import FieldError
from core.ids import Ids
from notices.errors import TopicFixed
from notices.rules import FIXED
from notices.texts import Texts
from notices.types import Topic, TopicChoice

_ALL: Final = "SELECT topic, wanted FROM notice_choice WHERE citizen_id = $1"
_ONE: Final = "SELECT wanted FROM notice_choice WHERE citizen_id = $1 AND topic = $2"
_SET: Final = """
INSERT INTO notice_choice (id, citizen_id, topic, wanted, changed_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (citizen_id, topic) DO UPDATE SET wanted = excluded.wanted, changed_at = excluded.changed_at RETURNING id
"""


class Choices:
    """Keeps choices. What nobody has chosen is told; what keeps an account safe always is."""

    def __init__(self, *, texts: Texts, template_ids: Mapping[str, str], audit: Audit, clock: Clock, ids: Ids) -> None:
        self._template_ids = template_ids
        self._templates = {
            topic: sorted({event.card.template for event in texts.all if event.topic is topic}) for topic in Topic
        }
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def wants(self, citizen_id: UUID, topic: Topic) -> bool:
        """Say whether somebody is told of a topic outside the inbox too.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        if topic in FIXED:
            return True
        row = await fetch_one(_ONE, citizen_id, topic.value)
        return row is None or bool(row["wanted"])

    async def list_choices(self, caller: Caller) -> list[TopicChoice]:
        """Return the caller's choice for every topic, with WeChat's ids of the templates to ask consent for.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        chosen = {row["topic"]: bool(row["wanted"]) for row in await fetch(_ALL, caller.citizen_id)}
        return [
            TopicChoice(
                topic,
                wanted=topic in FIXED or chosen.get(topic.value, True),
                fixed=topic in FIXED,
                templates=tuple(self._template_ids[key] for key in self._templates[topic] if key in self._template_ids),
            )
            for topic in Topic
        ]

    async def choose(self, caller: Caller, wanted: Mapping[Topic, bool]) -> list[TopicChoice]:
        """Keep the caller's choices for the topics named, and return all of them.

        Raises:
            TopicFixed: a topic that is always told was turned off; nothing is kept.
        """
        for topic, on in wanted.items():
            if topic in FIXED and not on:
                raise TopicFixed(errors=[FieldError(f"/topics/{topic}", "fixed", "不能关闭", "Cannot be turned off")])

        async def work() -> None:
            for topic in sorted(wanted):
                await fetch(
                    _SET, self._ids.uuid(), caller.citizen_id, topic.value, wanted[topic], self._clock.now()
                )  # fmt: skip
            await self._audit.record(
                "notices.settings-chosen",
                actor=caller.actor,
                subject_id=caller.citizen_id,
                field_names=sorted(topic.value for topic in wanted),
            )

        await transaction(work)
        return await self.list_choices(caller)
