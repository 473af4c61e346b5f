"""The services of the ways to be sure who somebody is, other than by their face."""

from dataclasses import dataclass
from datetime import timedelta

from limits import parse

from api.wiring.auth import AuthServices
from api.wiring.ground import Ground
from api.wiring.settings import Settings
from auth.adapters.bank_clearing import BankClearing
from auth.adapters.mobile_register import CarrierRegister
from auth.adapters.network_identity import NetworkIdentity
from auth.adapters.payment import Payment
from auth.adapters.sms import Sms
from auth.ways.assistances import Assistances
from auth.ways.attempts import Attempts
from auth.ways.counter import Counter
from auth.ways.desk import Desk
from auth.ways.logins import LoginChecks
from auth.ways.menu import Beginnings, Faces, Menu, Numbers
from auth.ways.records import Records
from auth.ways.sms import SmsCodes
from auth.ways.stepups import StepUps
from auth.ways.texting import Texting
from auth.ways.tidying import Tidying
from auth.ways.types import Method
from core.settings import Switch

# How long a login code of WeChat lives, after its page.
_WECHAT_CODE_SECONDS = 300


def menu_of(settings: Settings) -> Menu:
    """Return what this installation tells of its ways."""
    face, limits = settings.face, settings.auth.limits

    def bounds(lifetime: timedelta, *, elder: bool) -> Numbers:
        seconds = int(lifetime.total_seconds())
        return Numbers(face.attempts_for(elder=elder), seconds, int(face.window.total_seconds()))

    counts, elsewhere = face.engines.local.gives == "present", face.engines.wechat.gives == "present"
    login, identity = parse(limits.login_account), parse(limits.identity_account)
    return Menu(
        settings.ways,
        faces=Faces(
            bounds(face.lifetime(elder=False), elder=False),
            bounds(face.lifetime(elder=True), elder=True),
            raises=counts,
            opens=counts and face.elder_sessions is Switch.ON,
            platform=(
                bounds(face.platform_lifetime(elder=False), elder=False),
                bounds(face.platform_lifetime(elder=True), elder=True),
            )
            if elsewhere
            else None,
        ),
        beginnings=Beginnings(
            Numbers(login.amount, _WECHAT_CODE_SECONDS, login.get_expiry()),
            Numbers(identity.amount, None, identity.get_expiry()),
        ),
    )


@dataclass(frozen=True, slots=True)
class WayServices:
    """Step-ups, logins where there is no WeChat, officers who confirm and who act."""

    menu: Menu
    step_ups: StepUps
    login_checks: LoginChecks
    counter: Counter
    assistances: Assistances
    tidying: Tidying

    @classmethod
    def build(cls, ground: Ground, auth: AuthServices) -> "WayServices":
        """Build them over the ground and auth."""
        settings, clock, ids, vault = ground.settings.ways, ground.clock, ground.ids, ground.vault
        menu = menu_of(ground.settings)
        records, attempts = Records(vault=vault, clock=clock), Attempts(clock=clock, ids=ids)

        texting = Texting(
            sender=Sms(outbound=ground.outbound, partner=ground.signed_partner("sms", settings.sms), ids=ids),
            attempts=attempts,
            vault=vault,
            ids=ids,
            settings=settings,
        )
        counter = Counter(
            realname=auth.realname,
            attempts=attempts,
            audit=ground.audit,
            vault=vault,
            clock=clock,
            ids=ids,
            settings=settings,
        )
        desk = Desk(
            ways={
                Method.SMS: SmsCodes(
                    texting=texting,
                    register=CarrierRegister(
                        outbound=ground.outbound,
                        partner=ground.signed_partner("mobile-register", settings.mobile_register),
                        ids=ids,
                    ),
                    clock=clock,
                ),
                Method.BANK_CARD: BankClearing(
                    outbound=ground.outbound,
                    partner=ground.signed_partner("bank-clearing", settings.bank_clearing, digest="sm3"),
                    ids=ids,
                ),
                Method.PAYMENT_PASSWORD: Payment(
                    outbound=ground.outbound, partner=ground.signed_partner("payment", settings.payment), ids=ids
                ),
                Method.NETWORK_ID: NetworkIdentity(
                    outbound=ground.outbound,
                    partner=ground.signed_partner("network-identity", settings.network_identity, digest="sm3"),
                    ids=ids,
                ),
                Method.COUNTER: counter,
            },
            records=records,
            attempts=attempts,
            menu=menu,
            audit=ground.audit,
            clock=clock,
            ids=ids,
            settings=settings,
        )
        assistances = Assistances(
            residents=auth.records,
            realname=auth.realname,
            sessions=auth.sessions,
            texting=texting,
            attempts=attempts,
            jobs=ground.jobs,
            audit=ground.audit,
            vault=vault,
            clock=clock,
            ids=ids,
            settings=settings,
        )
        return cls(
            menu=menu,
            step_ups=StepUps(
                desk=desk,
                records=records,
                realname=auth.realname,
                sessions=auth.sessions,
                consents=auth.consents,
                audit=ground.audit,
                limits=ground.limits,
                settings=settings,
            ),
            login_checks=LoginChecks(
                desk=desk,
                records=records,
                realname=auth.realname,
                sessions=auth.sessions,
                consents=auth.consents,
                limits=ground.limits,
                clock=clock,
                settings=settings,
                fresh_for=ground.settings.auth.levels.fresh_for(),
            ),
            counter=counter,
            assistances=assistances,
            tidying=Tidying(
                records=records,
                attempts=attempts,
                counter=counter,
                assistances=assistances,
                clock=clock,
                settings=settings,
            ),
        )
