"""Rules of practice about how a matter is dealt with: limits, visits, money, phones, ways without a face."""

import re
from collections.abc import Iterator
from typing import Final

from matters.catalogue.lint.types import Rule, Severity, Surroundings
from matters.catalogue.rules import is_longer
from matters.catalogue.terms.types import Ending, Join, Offer, Procedure
from matters.catalogue.types import DepartmentEntry, Handling, Matter

_ONLINE: Final = frozenset({"2", "3"})
_COURIER: Final = "4"
_LICENCE: Final = "01"
_STEPS_OF_A_LICENCE: Final = 5
_AT_ONCE, _PROMISED = "1", "2"
_CERTIFICATES: Final = ("证", "证书", "证明书")
_TITLE_LENGTH: Final = 30
_TOGETHER: Final = 2
_BRANCH: Final = re.compile(r"[a-z][a-z0-9-]{0,19}")


def _is_handled(matter: Matter) -> bool:
    return matter.offer is Offer.HANDLING


def _case_kind(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if not _is_handled(matter):
        return
    if (matter.case_kind == _AT_ONCE) != matter.promised_limit.is_at_once:
        yield "a matter done at once has a limit of 0 days, and no other has."
    if (matter.case_kind == _AT_ONCE) != (matter.procedure is Procedure.AT_ONCE):
        yield "what is done at once is looked at and decided in one go, and nothing else is."
    if matter.case_kind not in {_AT_ONCE, _PROMISED}:
        yield "what is handled is done at once or within a promised limit."


def _promised_limit(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    for limit in (matter.legal_limit, matter.promised_limit):
        if (
            limit.days < 0
            or limit.hours < 0
            or (limit.unit == "hour") != bool(limit.hours)
            or (limit.hours and limit.days)
        ):
            yield "a limit is so many working days, or so many hours in the unit `hour`."
    if is_longer(matter.promised_limit, matter.legal_limit):
        yield "the promised limit is longer than the legal one."


def _visit_reason(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if matter.visits.count and matter.visits.reason is None:
        yield "a visit in person needs a reason."
    if matter.visits.count < 0:
        yield "visits are counted from 0."


def _online_depth(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if matter.online_depth == "IV" and matter.visits.count:
        yield "what is done online from end to end needs no visit."
    if matter.online_depth == "IV" and not set(matter.channels) & _ONLINE:
        yield "what is done online from end to end has a channel online."


def _courier(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if not matter.visits.count and not set(matter.channels) & _ONLINE and _COURIER not in matter.channels:
        yield "without a visit there must be a way online, or a courier."


def _certificate_ending(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if not _is_handled(matter):
        return
    if matter.ending is None:
        yield "with what the case ends is not said."
    elif matter.result.zh.endswith(_CERTIFICATES) and matter.ending is not Ending.CERTIFICATE:
        yield "a result that is a certificate ends the case with one."


def _fee_basis(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if matter.charged != bool(matter.fees):
        yield "what is charged says for what and on what ground, and nothing else has fees."
    if any(fee.fen <= 0 or not fee.basis.zh for fee in matter.fees):
        yield "a fee is some fen, and has a ground."


def _online_payment(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if matter.pays_online and not matter.charged:
        yield "without a fee nothing is paid online."


def _offered(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if _is_handled(matter) and (matter.charged or matter.pays_online):
        yield "charged matters are not offered."
    if _is_handled(matter) and matter.books:
        yield "matters that need a booking are not offered."


def _phones(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if not matter.enquiry_phone or not matter.complaint_phone:
        yield "there is a phone for enquiries and one for complaints."
    elif matter.enquiry_phone == matter.complaint_phone:
        yield "enquiries and complaints have different phones."


def _licence(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if matter.kind_of_power == _LICENCE and (len(matter.steps) < _STEPS_OF_A_LICENCE or not matter.questions):
        yield "a licence has at least five steps and a question answered."


def _without_a_face(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if not matter.other_ways:
        yield "there has to be another way, without this app and without a face."


def _requirement_ways(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    open_ways = {each.method for each in matter.other_ways}
    for requirement in matter.requirements:
        if missing := sorted(set(requirement.methods) - open_ways):
            yield f"requirement {requirement.name} sends people to {', '.join(missing)}, which is no way here."


def _former(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    former = matter.former
    if former is None:
        if _is_handled(matter):
            yield "how it was before is not said, so nobody can see what has become better."
        return
    if former.visits < matter.visits.count or former.days < matter.promised_limit.days:
        yield "it takes people more than before."
    if former.materials < len(matter.materials) - _at_ease(matter):
        yield "people bring more than before."


def _at_ease(matter: Matter) -> int:
    """Return how many materials nobody has to bring: some way other than a file is open."""
    return sum(any(way.way.value != "upload" for way in material.ways) for material in matter.materials)


def _only_explained(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    asks = bool(matter.materials or matter.form.get("properties") or matter.requirements or matter.checks)
    if not _is_handled(matter) and (asks or matter.handling is not Handling.NONE):
        yield "what is only looked up or explained asks for nothing, and nobody handles it."
    if _is_handled(matter) and matter.handling is Handling.NONE:
        yield "what is handled is handled by somebody."


def _conditions(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if _is_handled(matter) and not matter.conditions:
        yield "who may apply is not said."


def _aliases(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if not matter.aliases:
        yield "people have other words for it; give at least one."
    if len(set(matter.aliases)) != len(matter.aliases):
        yield "an alias stands twice."


def _short_title(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if len(matter.title.zh) > _TITLE_LENGTH:
        yield f"the title has more than {_TITLE_LENGTH} characters and is cut on a phone."


def _parallel(matter: Matter, department: DepartmentEntry, around: Surroundings) -> Iterator[str]:
    parallel = matter.parallel
    if parallel is None:
        return
    if matter.handling is not Handling.DEPARTMENT or matter.procedure is not Procedure.REVIEWED:
        yield "only what departments review is looked at by several at the same time."
    names = [branch.name for branch in parallel.branches]
    if len(names) < _TOGETHER or len(set(names)) != len(names):
        yield "at least two branches take part, each under a name of its own."
    if any(not _BRANCH.fullmatch(name) for name in names):
        yield "a branch is named by small letters, digits and hyphens, at most 20 of them."
    if (parallel.join is Join.QUORUM) != (0 < parallel.quorum <= len(names)):
        yield "a quorum is from one to all of the branches, and stands where the join is one."
    if any(not 0 < branch.days <= matter.promised_limit.days for branch in parallel.branches):
        yield "a branch takes some working days, and no more than are promised for the whole."
    known = {department.slug, *matter.involved} & {department.slug, *around.resources}
    if strangers := sorted({branch.department for branch in parallel.branches} - known):
        yield f"{', '.join(strangers)} decides in a branch and is not said to be involved."


RULES: Final = (
    Rule("case-kind", Severity.ERROR, "即办: done at once and in one go; otherwise promised and reviewed", _case_kind),
    Rule("promised-limit", Severity.ERROR, "promised is not longer than legal", _promised_limit),
    Rule("visit-reason", Severity.ERROR, "a visit has a reason", _visit_reason),
    Rule("online-depth", Severity.ERROR, "全程网办 means no visit", _online_depth),
    Rule("courier", Severity.ERROR, "no visit and nothing online means a courier", _courier),
    Rule("certificate-ending", Severity.ERROR, "a certificate ends the case with one (出证办结)", _certificate_ending),
    Rule("fee-basis", Severity.ERROR, "a fee has an item and a ground", _fee_basis),
    Rule("online-payment", Severity.ERROR, "no fee, no payment online", _online_payment),
    Rule("offered", Severity.ERROR, "what is handled in full here takes no payment and no booking", _offered),
    Rule("phones", Severity.ERROR, "enquiries and complaints have different phones", _phones),
    Rule("licence", Severity.ERROR, "许可 has five steps and a question", _licence),
    Rule("without-a-face", Severity.ERROR, "there is a way without a face (令19, art. 10)", _without_a_face),
    Rule("requirement-ways", Severity.ERROR, "who does not qualify is sent to a way that there is", _requirement_ways),
    Rule("only-explained", Severity.ERROR, "queries and information ask for nothing", _only_explained),
    Rule("parallel", Severity.ERROR, "what several departments decide together can come to a decision", _parallel),
    Rule("conditions", Severity.WARNING, "who may apply is said", _conditions),
    Rule("former", Severity.WARNING, "it is no worse than before", _former),
    Rule("aliases", Severity.ADVICE, "what people call it", _aliases),
    Rule("short-title", Severity.ADVICE, "a title fits a phone", _short_title),
)
