"""What can go wrong in the wallet, in words a resident understands."""

from core.errors import Conflict, Invalid, NotFound, Unavailable


class KindUnknown(NotFound):
    """Certificates of this kind are not offered here; `kinds` tells those that are."""

    code = "certificates.kind-unknown"
    title = "这里还不能领取这种证照"
    title_en = "Certificates of this kind are not offered here"
    plain = "这种证现在还领不了。"


class NoneHeld(NotFound):
    """The issuer has no certificate of this kind for this person."""

    code = "certificates.none-held"
    title = "发证部门没有查到您的这种证照"
    title_en = "The issuer has no certificate of this kind for you"
    plain = "没有查到您有这个证。"


class IssuerUnavailable(Unavailable):
    """The issuer could not be reached, or gave an answer that cannot be understood."""

    code = "certificates.issuer-unavailable"
    title = "发证部门的系统暂时没有响应，请稍后再试"
    title_en = "The issuer's system does not answer now; please try again shortly"
    plain = "发证部门现在没有回应，请过一会儿再试。"


class FieldUnknown(Invalid):
    """The holder chose a field that this kind does not have."""

    code = "certificates.field-unknown"
    title = "这种证照没有所选的项目"
    title_en = "This kind of certificate has no such field"
    plain = "证上没有这一项。"


class ClaimUnknown(Invalid):
    """The holder chose a claim that this kind cannot support."""

    code = "certificates.claim-unknown"
    title = "这种证照不能证明所选的内容"
    title_en = "This kind of certificate cannot support that claim"
    plain = "这个证证明不了这一点。"


class VerifierUnknown(Invalid):
    """A code was asked for a verifier that is not registered."""

    code = "certificates.verifier-unknown"
    title = "没有这个用证单位"
    title_en = "There is no such verifier"
    plain = "没有这个单位。"


class StateForbids(Conflict):
    """A revoked, cancelled or moved certificate is not shown any more; `state` says which."""

    code = "certificates.state-forbids"
    title = "这张证照已经失效，不能再出示"
    title_en = "This certificate is no longer in force and cannot be shown"
    plain = "这个证已经不能用了。"
