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
        "matters.deliver": matters.submission.deliver,
        "matters.remove-file": rights.matter_data.remove_file,
        "certificates.refresh": certificates.wallet.refresh,
        "auth.build-export": rights.exports.build,
        "auth.close-account": rights.closures.close,
    }
