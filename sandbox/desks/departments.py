"""The departments that take dossiers by systems of their own, each of its own kind."""

from sandbox.desks.civil_affairs_cases import CivilAffairsCases
from sandbox.desks.disabled_persons_cases import DisabledPersonsCases
from sandbox.desks.education_cases import EducationCases
from sandbox.desks.health_cases import HealthCases
from sandbox.desks.housing_fund_cases import HousingFundCases
from sandbox.desks.notary import Notary
from sandbox.desks.polled import PolledCases
from sandbox.desks.real_estate_cases import RealEstateCases
from sandbox.desks.taxation import Taxation
from sandbox.ground.callbacks import Callbacks
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults
from sandbox.ground.filing import Filing
from sandbox.ground.settings import Credentials
from sandbox.ground.sharing import SharingDesk
from sandbox.ground.signing import Nonces, SignedDesk
from sandbox.ground.store import Store
from sandbox.people import People
from sandbox.ways.providers import Provider


def departments(
    *,
    people: People,
    credentials: Credentials,
    store: Store,
    faults: Faults,
    callbacks: Callbacks,
    filing: Filing,
    clock: Clock,
    nonces: Nonces,
    pause_ms: int,
) -> tuple[Provider, ...]:
    """Build them."""
    cases = PolledCases(clock=clock, pause_ms=pause_ms)
    return (
        Taxation(
            people=people,
            desk=SignedDesk(credentials.taxation, clock=clock, nonces=nonces),
            store=store,
            faults=faults,
            cases=cases,
            filing=filing,
            clock=clock,
        ),
        Notary(
            people=people,
            caller=credentials.notary,
            store=store,
            faults=faults,
            cases=cases,
            filing=filing,
            clock=clock,
        ),
        CivilAffairsCases(
            people=people,
            caller=credentials.civil_affairs_cases,
            store=store,
            faults=faults,
            callbacks=callbacks,
            filing=filing,
            clock=clock,
            nonces=nonces,
        ),
        RealEstateCases(
            people=people,
            desk=SignedDesk(credentials.real_estate, clock=clock, nonces=nonces, algorithm="sm3"),
            store=store,
            faults=faults,
            callbacks=callbacks,
            filing=filing,
            clock=clock,
        ),
        HousingFundCases(
            desk=SharingDesk(
                department="housing_fund",
                people=people,
                caller=credentials.housing_fund,
                sm2_public_key=credentials.housing_fund_sm2_public_key,
                clock=clock,
            ),
            store=store,
            faults=faults,
            cases=cases,
            filing=filing,
            clock=clock,
        ),
        DisabledPersonsCases(
            people=people,
            caller=credentials.disabled_persons_cases,
            store=store,
            faults=faults,
            callbacks=callbacks,
            filing=filing,
            clock=clock,
            nonces=nonces,
        ),
        EducationCases(
            people=people,
            desk=SignedDesk(credentials.education, clock=clock, nonces=nonces),
            store=store,
            faults=faults,
            callbacks=callbacks,
            filing=filing,
            clock=clock,
        ),
        HealthCases(
            people=people,
            caller=credentials.health_cases,
            store=store,
            faults=faults,
            callbacks=callbacks,
            filing=filing,
            clock=clock,
            nonces=nonces,
        ),
    )
