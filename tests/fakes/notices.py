"""Fakes of what telling people needs from outside, and the rooms of notices put together over the ground with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from auth.types import Caller
from core.db import as_moment, fetch, fetch_one, forbid_inside_transaction, transaction
from core.jobs.runner import JobRunner
from core.pii import Mobile, Secret
from core.settings import JobSettings
from notices.choices import Choices
from notices.copies import Copies
from notices.deliveries import Deliveries
from notices.errors import ChannelUnavailable, PushRefused
from notices.inbox import Inbox
from notices.outcomes.undelivered import UndeliveredNotices
from notices.ports import PushReader
from notices.pushes import Pushes
from notices.reports import Reports
from notices.sending import Sending
from notices.settings import NoticeSettings
from notices.subscriptions import Subscriptions
from notices.telling import Telling
from notices.texts import Texts
from notices.types import Card, Handed, Push, Reason
from tests.conftest import Ground
from tests.fakes.auth import Auth

TEMPLATES = {"progress": "tmpl-progress", "certificate": "tmpl-certificate", "security": "tmpl-security"}


@dataclass
class FakeSubscribeMessages:
    """WeChat with a quota of its own for each account, which may differ from what we know."""

    quota: dict[str, int] = field(default_factory=dict)
    sent: list[tuple[str, Card, str]] = field(default_factory=list)
    refuses: Reason | None = None
    away: bool = False
    templates: set[str] = field(default_factory=lambda: set(TEMPLATES))

    def knows(self, template: str) -> bool:
        return template in self.templates

    async def send(self, openid: Secret, card: Card, *, page: str) -> Handed:
        forbid_inside_transaction()
        if self.away:
            raise ChannelUnavailable(retry_after=5)
        if not self.knows(card.template):
            return Handed(refused=Reason.NO_TEMPLATE)
        if self.refuses is not None:
            return Handed(refused=self.refuses)
        left = self.quota.get(openid.reveal(), 0)
        if left <= 0:
            return Handed(refused=Reason.NO_CONSENT)
        self.quota[openid.reveal()] = left - 1
        self.sent.append((openid.reveal(), card, page))
        return Handed(number=str(1000 + len(self.sent)))


@dataclass
class FakeTextMessages:
    """A provider that sends one message for a reference."""

    sent: dict[str, tuple[str, str]] = field(default_factory=dict)
    away: bool = False
    tries: int = 0
    refuses: dict[str, Reason] = field(default_factory=dict)

    async def send(self, mobile: Mobile, text: str, *, reference: str) -> Handed:
        forbid_inside_transaction()
        self.tries += 1
        if self.away:
            raise ChannelUnavailable(retry_after=5)
        if (reason := self.refuses.get(mobile.reveal())) is not None:
            return Handed(refused=reason)
        self.sent.setdefault(reference, (mobile.reveal(), text))
        return Handed(number=f"m{list(self.sent).index(reference)}")

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Mobile and text of each message, oldest first."""
        return list(self.sent.values())


@dataclass
class House:
    """The rooms of notices with fakes outside, and sentences that tests say often."""

    ground: Ground
    auth: Auth
    settings: NoticeSettings
    texts: Texts
    wechat: FakeSubscribeMessages
    sms: FakeTextMessages
    telling: Telling
    sending: Sending
    reports: Reports
    pushes: Pushes
    subscriptions: Subscriptions
    inbox: Inbox
    choices: Choices
    copies: Copies
    undelivered: UndeliveredNotices
    runner: JobRunner

    async def tell(self, event: str, citizen_id: UUID, object_id: UUID | None = None, /, **words: str) -> None:
        """Promise to tell somebody, as other rooms do, and let the workers work."""
        payload: dict[str, UUID | str] = {"event": event, "citizen_id": citizen_id, **words}
        if object_id is not None:
            payload["object_id"] = object_id

        async def work() -> None:
            await self.promise(payload)

        await transaction(work)
        await self.work()

    async def promise(self, payload: Mapping[str, UUID | str]) -> None:
        """Promise to tell somebody, in the running transaction."""
        enqueue: Any = self.ground.jobs.enqueue  # Its pause is a keyword too, which a mapping may not be.
        await enqueue("notices.tell", **payload)

    async def work(self, *, until: timedelta = timedelta()) -> None:
        """Run what is due; with `until` let that much time pass and run what comes due on the way."""
        end = self.ground.clock.now() + until
        while True:
            for job_id in await self.runner.due():
                await self.runner.run(job_id)
            following = await fetch_one("SELECT run_at FROM job WHERE state = 'ready' ORDER BY run_at LIMIT 1")
            if following is None or (moment := as_moment(following["run_at"])) > end:
                break
            if moment > self.ground.clock.now():
                self.ground.clock.set(moment)
        if end > self.ground.clock.now():
            self.ground.clock.set(end)

    async def consent(self, caller: Caller, template: str, *, known_at_wechat: bool = True) -> UUID:
        """Let somebody accept a template; WeChat may have forgotten it."""
        contact = await self.auth.contacts.find(caller.citizen_id)
        assert contact is not None
        account = contact.accounts[0]
        await transaction(lambda: self.subscriptions.accept(account.account_id, template))
        if known_at_wechat:
            openid = account.openid.reveal()
            self.wechat.quota[openid] = self.wechat.quota.get(openid, 0) + 1
        return account.account_id

    async def deliveries(self, citizen_id: UUID) -> list[tuple[str, str, str]]:
        """Channel, state and reason of each delivery to somebody, in the order of the ways."""
        rows = await fetch(
            "SELECT d.channel, d.state, d.reason FROM notice_delivery d JOIN notice n ON n.id = d.notice_id "
            "WHERE n.citizen_id = $1 ORDER BY n.created_at, n.id, d.place",
            citizen_id,
        )
        return [(row["channel"], row["state"], row["reason"]) for row in rows]

    async def buried(self) -> list[str]:
        """The jobs that were given up."""
        return [row["name"] for row in await fetch("SELECT name FROM job WHERE state = 'buried'")]


class FakePushReader:
    """Takes for a push what a test says."""

    def __init__(self) -> None:
        self.next: list[Push] = []

    def echo(self, query: Mapping[str, str]) -> str:
        return query["echostr"]

    def read(self, query: Mapping[str, str], body: bytes) -> Push:
        if not self.next:
            raise PushRefused
        return self.next.pop(0)


def make_house(
    ground: Ground, auth: Auth, settings: NoticeSettings | None = None, *, reader: PushReader | None = None
) -> House:
    """Put notices together over the ground and auth."""
    settings = settings or NoticeSettings(templates=TEMPLATES)
    clock, ids, audit = ground.clock, ground.ids, ground.audit
    texts, wechat, sms = Texts.load(), FakeSubscribeMessages(), FakeTextMessages()
    deliveries = Deliveries(jobs=ground.jobs, clock=clock, ids=ids)
    choices = Choices(texts=texts, template_ids=settings.templates, audit=audit, clock=clock, ids=ids)
    subscriptions = Subscriptions(texts=texts, template_ids=settings.templates, clock=clock, ids=ids)
    reports = Reports(deliveries=deliveries, jobs=ground.jobs, clock=clock, settings=settings)
    telling = Telling(texts=texts, contacts=auth.contacts, choices=choices, deliveries=deliveries, clock=clock, ids=ids)
    sending = Sending(
        texts=texts,
        contacts=auth.contacts,
        wechat=wechat,
        sms=sms,
        subscriptions=subscriptions,
        deliveries=deliveries,
        audit=audit,
        clock=clock,
        settings=settings,
    )
    pushes = Pushes(
        reader=reader or FakePushReader(),
        contacts=auth.contacts,
        subscriptions=subscriptions,
        reports=reports,
        clock=clock,
    )
    return House(
        ground=ground,
        auth=auth,
        settings=settings,
        texts=texts,
        wechat=wechat,
        sms=sms,
        telling=telling,
        sending=sending,
        reports=reports,
        pushes=pushes,
        subscriptions=subscriptions,
        inbox=Inbox(texts=texts, contacts=auth.contacts, clock=clock),
        choices=choices,
        copies=Copies(contacts=auth.contacts, audit=audit, clock=clock, ids=ids, settings=settings),
        undelivered=UndeliveredNotices(clock=clock),
        runner=JobRunner(
            handlers={
                "notices.tell": telling.tell,
                "notices.send": sending.send,
                "notices.settle": reports.settle,
                "auth.end-delegations": _left_to_others,
            },
            settings=JobSettings(),
            clock=clock,
            ids=ids,
        ),
    )


async def _left_to_others(**_ids: str) -> None:
    """A job of another room that a story of this one leaves behind."""
