"""The services of notices."""

from dataclasses import dataclass

from api.wiring.auth import AuthServices
from api.wiring.ground import Ground
from notices.adapters.sms_notices import SmsNotices
from notices.adapters.wechat_messages import WechatMessages
from notices.adapters.wechat_push import WechatPush
from notices.choices import Choices
from notices.copies import Copies
from notices.deliveries import Deliveries
from notices.inbox import Inbox
from notices.outcomes.undelivered import UndeliveredNotices
from notices.pushes import Pushes
from notices.reports import Reports
from notices.sending import Sending
from notices.subscriptions import Subscriptions
from notices.telling import Telling
from notices.texts import Texts


@dataclass(frozen=True, slots=True)
class NoticeServices:
    """Telling people."""

    telling: Telling
    sending: Sending
    reports: Reports
    pushes: Pushes
    subscriptions: Subscriptions
    inbox: Inbox
    choices: Choices
    copies: Copies
    undelivered: UndeliveredNotices

    @classmethod
    def build(cls, ground: Ground, auth: AuthServices) -> "NoticeServices":
        """Build them over the ground and auth.

        Raises:
            UnsafeSettings: the published texts are not in order.
        """
        settings, wechat = ground.settings.notices, ground.settings.auth.wechat
        clock, ids, audit = ground.clock, ground.ids, ground.audit
        texts = Texts.load()
        deliveries = Deliveries(jobs=ground.jobs, clock=clock, ids=ids)
        choices = Choices(texts=texts, template_ids=settings.templates, audit=audit, clock=clock, ids=ids)
        subscriptions = Subscriptions(texts=texts, template_ids=settings.templates, clock=clock, ids=ids)
        reports = Reports(deliveries=deliveries, jobs=ground.jobs, clock=clock, settings=settings)
        return cls(
            telling=Telling(
                texts=texts, contacts=auth.contacts, choices=choices, deliveries=deliveries, clock=clock, ids=ids
            ),
            sending=Sending(
                texts=texts,
                contacts=auth.contacts,
                wechat=WechatMessages(
                    outbound=ground.outbound,
                    partner=ground.partner("wechat", wechat),
                    lease=auth.wechat_lease,
                    fetch_token=auth.wechat.fetch_token,
                    template_ids=settings.templates,
                    miniprogram_state=settings.miniprogram_state,
                ),
                sms=SmsNotices(
                    outbound=ground.outbound,
                    partner=ground.signed_partner("sms", settings.sms),
                    ids=ids,
                    report_url=f"{ground.settings.effective_public_url}/v1/departments/sms/message-reports",
                ),
                subscriptions=subscriptions,
                deliveries=deliveries,
                audit=audit,
                clock=clock,
                settings=settings,
            ),
            reports=reports,
            pushes=Pushes(
                reader=WechatPush(
                    token=settings.push.token, aes_key=settings.push.aes_key, app_id=wechat.app_id, clock=clock
                ),
                contacts=auth.contacts,
                subscriptions=subscriptions,
                reports=reports,
                clock=clock,
            ),
            subscriptions=subscriptions,
            inbox=Inbox(texts=texts, contacts=auth.contacts, clock=clock),
            choices=choices,
            copies=Copies(contacts=auth.contacts, audit=audit, clock=clock, ids=ids, settings=settings),
            undelivered=UndeliveredNotices(clock=clock),
        )
