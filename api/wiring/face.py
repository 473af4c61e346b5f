"""The services of face."""

from dataclasses import dataclass, replace

from api.wiring.auth import AuthServices
from api.wiring.engines import face_engine, read_cohort
from api.wiring.ground import Ground
from auth.ways.menu import Menu
from auth.ways.types import Purpose
from core.errors import Alternative
from face.adapters.wechat_face import WechatFace
from face.attempts import Attempts
from face.checks import FaceChecks
from face.elder import ElderSessions
from face.examination import Examiner
from face.kit import Kit
from face.platform.checks import PlatformChecks
from face.platform.records import Records as PlatformRecords
from face.ports import FaceEngine
from face.records import Records
from face.takeover import TakeoverChecks
from face.trail import Trail


@dataclass(frozen=True, slots=True)
class FaceServices:
    """Is this person the person."""

    engine: FaceEngine
    records: Records
    checks: FaceChecks
    elder_sessions: ElderSessions
    takeover_checks: TakeoverChecks
    platform_checks: PlatformChecks

    @classmethod
    def build(cls, ground: Ground, auth: AuthServices, menu: Menu) -> "FaceServices":
        """Build them over the ground, auth and what else there is than faces.

        The engine starts when it is warmed up or first needed.

        Raises:
            UnsafeSettings: what the chosen engine needs is missing.
        """
        settings, clock, ids = ground.settings.face, ground.clock, ground.ids
        cache = ground.settings.data_dir / "models"
        engine = face_engine(settings, cache=cache, clock=clock, ids=ids, outbound=ground.outbound)

        def others(*, logged_in: bool, elder: bool) -> tuple[Alternative, ...]:
            return menu.others(Purpose.STEP_UP if logged_in else Purpose.LOGIN, but="face", elder=elder)

        def instead_of_platform(*, logged_in: bool, elder: bool) -> tuple[Alternative, ...]:
            return menu.others(Purpose.STEP_UP if logged_in else Purpose.LOGIN, but="wechat-face", elder=elder)

        records = Records(vault=ground.vault, clock=clock)
        trail = Trail(ground.audit)
        cohort = read_cohort(settings)
        kit = Kit(
            examiner=Examiner(
                engine=engine,
                portraits=auth.registry,
                records=records,
                trail=trail,
                settings=settings,
                stand=cohort.standing if cohort else None,
            ),
            records=records,
            attempts=Attempts(clock=clock, settings=settings, others=others),
            realname=auth.realname,
            consents=auth.consents,
            trail=trail,
            limits=ground.limits,
            clock=clock,
            ids=ids,
            settings=settings,
            fresh_for=ground.settings.auth.levels.fresh_for(),
            engine=engine.name,
            others=others,
        )
        wechat = WechatFace(
            outbound=ground.outbound,
            partner=ground.partner("wechat", ground.settings.auth.wechat),
            lease=auth.wechat_lease,
            fetch_token=auth.wechat.fetch_token,
        )
        return cls(
            engine=engine,
            records=records,
            checks=FaceChecks(kit, auth.sessions),
            elder_sessions=ElderSessions(kit, auth.sessions),
            takeover_checks=TakeoverChecks(kit, auth.takeovers),
            platform_checks=PlatformChecks(
                replace(
                    kit,
                    attempts=Attempts(clock=clock, settings=settings, others=instead_of_platform),
                    others=instead_of_platform,
                ),
                platform=wechat,
                records=PlatformRecords(vault=ground.vault, clock=clock),
                contacts=auth.contacts,
                sessions=auth.sessions,
            ),
        )
