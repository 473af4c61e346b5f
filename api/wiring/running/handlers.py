"""Who does the jobs."""

from collections.abc import Mapping

from api.wiring.auth import AuthServices
from api.wiring.certificates import CertificateServices
from api.wiring.matters import MatterServices
from api.wiring.notices import NoticeServices
from api.wiring.rights import RightsServices
from api.wiring.ways import WayServices
from core.jobs.runner import Handler


def handlers(
    auth: AuthServices,
    ways: WayServices,
    notices: NoticeServices,
    certificates: CertificateServices,
    matters: MatterServices,
    *,
    rights: RightsServices,
) -> Mapping[str, Handler]:
    """Every job that is ever enqueued, and who does it (a test holds the names against the code)."""
    return {
        "auth.complete-takeover": auth.takeovers.complete,
        "auth.end-delegations": auth.delegation.ending.end_later,
        "auth.send-assistance-code": ways.assistances.send_code,
        "notices.tell": notices.telling.tell,
        "notices.send": notices.sending.send,
        "notices.settle": notices.reports.settle,
        "auth.announce-emergency": auth.staff.emergencies.announce,
        "auth.remind-of-emergency": auth.staff.emergencies.remind,
        "auth.announce-unjustified": auth.staff.reviews.announce,
        "matters.deliver": matters.submission.deliver,
        "matters.look-at-text": matters.remarks.look,
        "matters.ask-progress": matters.polling.ask,
        "matters.send-letter": matters.letters.send,
        "matters.return-result": matters.letters.promise_result,
        "matters.hand-over-kept": matters.reuses.hand_over,
        "matters.open-branches": matters.branches.branches.open,
        "matters.close-branches": matters.branches.branches.close,
        "matters.deliver-branch": matters.branches.deliveries.deliver,
        "matters.promise-decision": matters.results.documents.promise,
        "matters.archive": matters.results.archives.keep,
        "matters.remove-file": rights.matter_data.remove_file,
        "certificates.refresh": certificates.wallet.refresh,
        "certificates.look-after": certificates.wallet.look_after,
        "certificates.send-report": certificates.reports.send,
        "certificates.follow-report": certificates.reports.follow,
        "certificates.hold-back": certificates.life.follow_death,
        "certificates.release": certificates.life.follow_death,
        "auth.build-export": rights.exports.build,
        "auth.close-account": rights.closures.close,
    }
