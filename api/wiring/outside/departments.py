"""The departments behind matters: who takes dossiers, and who answers questions."""

from collections.abc import Mapping
from datetime import timedelta

from api.wiring.ground import Ground
from core.signers.sealed_json import SealedJson
from core.signers.sharing import SharingEnvelope
from core.signers.sm2_json import Sm2Json
from matters.adapters.civil_affairs import CivilAffairs
from matters.adapters.department_desk import DepartmentDesk, partner_name
from matters.adapters.disabled_persons import DisabledPersons
from matters.adapters.education import Admissions, Degrees
from matters.adapters.health import Health
from matters.adapters.housing_fund import HousingFund
from matters.adapters.human_resources import Insurance, PensionDesk
from matters.adapters.notary import Notary
from matters.adapters.public_security import Households, PublicSecurity
from matters.adapters.real_estate import RealEstate, Residences
from matters.adapters.taxation import Taxation
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.types import Handling, Published
from matters.ports import Department, FileContents, HomeRegistry, Records


def partners_at_the_desk(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the partners of the departments that have matters at the common desk."""
    slugs = {each.department.slug for each in catalogue.all if each.desk == "department-desk"}
    return tuple(partner_name(slug) for slug in sorted(slugs))


def partners_of(published: Published) -> tuple[str, ...]:
    """Return the partners at the door out that a matter needs: who takes its dossiers, and whose records it asks."""
    if published.matter.handling is Handling.NONE:
        return ()
    asked = tuple(check.records for check in published.matter.checks)
    if published.matter.handling is Handling.RULES:
        return asked
    slug = published.department.slug
    return (partner_name(slug) if published.desk == "department-desk" else published.desk, *asked)


def departments_of(
    ground: Ground, contents: FileContents
) -> tuple[Mapping[str, Department], Mapping[str, Records], Mapping[str, HomeRegistry]]:
    """Return who takes dossiers, by department, and who answers questions, by the names the catalogue uses.

    And the registers that are told what was decided elsewhere, by the names the table of routes uses. `contents`: of
    the files that are brought to a department.
    """
    settings, outbound, ids = ground.settings.departments, ground.outbound, ground.ids
    public_security = ground.signed_partner("public-security", settings.public_security)
    sharing = settings.human_resources
    takers: dict[str, Department] = {
        "public-security": PublicSecurity(outbound=outbound, partner=public_security),
        "department-desk": DepartmentDesk(
            outbound=outbound, partner=ground.signed_partner("department-desk", settings.desk)
        ),
        "human-resources": PensionDesk(
            outbound=outbound,
            partner=ground.partner("human-resources", settings.pension),
            app_id=settings.pension.app_id,
            secret=settings.pension.secret,
            clock=ground.clock,
        ),
        **_of_their_own(ground, contents),
    }
    households = Households(outbound=outbound, partner=public_security, ids=ids)
    records: dict[str, Records] = {
        "public-security": households,
        "human-resources": Insurance(
            outbound=outbound,
            partner=ground.partner("human-resources", sharing),
            envelope=SharingEnvelope(
                access_id=sharing.access_id,
                secret=sharing.secret,
                private_key=sharing.private_key,
                clock=ground.clock,
            ),
        ),
        "education": Degrees(
            outbound=outbound, partner=ground.signed_partner("education", settings.education), ids=ids
        ),
        "real-estate": Residences(
            outbound=outbound,
            partner=ground.signed_partner("real-estate", settings.real_estate, digest="sm3"),
            ids=ids,
        ),
    }
    return takers, records, {"public-security": households}


def _of_their_own(ground: Ground, contents: FileContents) -> dict[str, Department]:
    """Return the departments that take dossiers by a system of their own, each of its own kind."""
    settings, outbound, clock, ids = ground.settings.departments, ground.outbound, ground.clock, ground.ids
    health, federation, fund = settings.health, settings.disabled_persons, settings.housing_fund
    return {
        "real-estate": RealEstate(
            outbound=outbound, partner=ground.signed_partner("real-estate", settings.real_estate, digest="sm3")
        ),
        "education": Admissions(outbound=outbound, partner=ground.signed_partner("education", settings.education)),
        "taxation": Taxation(outbound=outbound, partner=ground.signed_partner("taxation", settings.taxation)),
        "notary": Notary(
            outbound=outbound,
            partner=ground.partner("notary", settings.notary),
            app_id=settings.notary.app_id,
            secret=settings.notary.secret,
            contents=contents,
        ),
        "civil-affairs": CivilAffairs(
            outbound=outbound,
            partner=ground.partner("civil-affairs", settings.civil_affairs),
            app_id=settings.civil_affairs.app_id,
            secret=settings.civil_affairs.secret,
            clock=clock,
            ids=ids,
        ),
        "health": Health(
            outbound=outbound,
            partner=ground.partner("health", health),
            envelope=SealedJson(
                app_id=health.app_id,
                secret=health.secret,
                private_key=health.private_key,
                public_key=health.public_key,
                clock=clock,
                ids=ids,
            ),
        ),
        "housing-fund": HousingFund(
            outbound=outbound,
            partner=ground.partner("housing-fund", fund),
            envelope=SharingEnvelope(
                access_id=fund.access_id, secret=fund.secret, private_key=fund.private_key, clock=clock
            ),
        ),
        "disabled-persons": DisabledPersons(
            outbound=outbound,
            partner=ground.partner("disabled-persons", federation),
            signer=Sm2Json(
                app_id=federation.app_id,
                private_key=federation.private_key,
                public_key=federation.public_key,
                clock=clock,
                ids=ids,
            ),
        ),
    }


def poll_pauses(ground: Ground) -> Mapping[str, timedelta]:
    """Return after what time those are asked that call nobody back."""
    settings = ground.settings.departments
    return {
        "taxation": timedelta(seconds=settings.taxation.poll_seconds),
        "notary": timedelta(seconds=settings.notary.poll_seconds),
        "housing-fund": timedelta(seconds=settings.housing_fund.poll_seconds),
    }
