"""The services of face."""

from dataclasses import dataclass

from api.wiring.auth import AuthServices
from api.wiring.ground import Ground
from auth.ways.menu import Menu
from auth.ways.types import Purpose
from core.errors import Alternative
from face.adapters.local_engine import LocalEngine, LocalEngineLimits
from face.attempts import Attempts
from face.checks import FaceChecks
from face.elder import ElderSessions
from face.examination import Examiner
from face.records import Records
from face.takeover import TakeoverChecks
from face.trail import Trail


@dataclass(frozen=True, slots=True)
class FaceServices:
    """Is this person the person."""

    engine: LocalEngine
    records: Records
    checks: FaceChecks
    elder_sessions: ElderSessions
    takeover_checks: TakeoverChecks

    @classmethod
    def build(cls, ground: Ground, auth: AuthServices, menu: Menu) -> "FaceServices":
        """Build them over the ground, auth and what else there is than faces.

        The engine starts when it is warmed up or first needed.
        """
        settings, clock, ids = ground.settings.face, ground.clock, ground.ids
        engine = LocalEngine(
            cache=ground.settings.data_dir / "models",
            clock=clock,
            limits=LocalEngineLimits.of(settings),
        )

        def others(*, logged_in: bool, elder: bool) -> tuple[Alternative, ...]:
            return menu.others(Purpose.STEP_UP if logged_in else Purpose.LOGIN, but="face", elder=elder)

        records = Records(vault=ground.vault, clock=clock)
        trail = Trail(ground.audit)
        attempts = Attempts(clock=clock, settings=settings, others=others)
        examiner = Examiner(engine=engine, portraits=auth.registry, records=records, trail=trail, settings=settings)
        return cls(
            engine=engine,
            records=records,
            checks=FaceChecks(
                examiner=examiner,
                records=records,
                attempts=attempts,
                realname=auth.realname,
                sessions=auth.sessions,
                consents=auth.consents,
                trail=trail,
                limits=ground.limits,
                clock=clock,
                ids=ids,
                settings=settings,
                fresh_for=ground.settings.auth.levels.fresh_for(),
                engine=engine.name,
                others=others,
            ),
            elder_sessions=ElderSessions(
                examiner=examiner,
                records=records,
                attempts=attempts,
                realname=auth.realname,
                sessions=auth.sessions,
                consents=auth.consents,
                trail=trail,
                limits=ground.limits,
                clock=clock,
                ids=ids,
                settings=settings,
                fresh_for=ground.settings.auth.levels.fresh_for(),
                engine=engine.name,
                others=others,
            ),
            takeover_checks=TakeoverChecks(
                examiner=examiner,
                records=records,
                attempts=attempts,
                realname=auth.realname,
                takeovers=auth.takeovers,
                consents=auth.consents,
                trail=trail,
                limits=ground.limits,
                clock=clock,
                ids=ids,
                settings=settings,
                fresh_for=ground.settings.auth.levels.fresh_for(),
                engine=engine.name,
            ),
        )
