"""What can go wrong in the wallet, in words a resident understands."""

from core.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Unavailable


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


class NotConfirmed(Refused):
    """The issuer has something on record that it does not confirm yet; what is held stays as it is, marked."""

    code = "certificates.not-confirmed"
    title = "发证部门有相关记录，但还没有确认，请过些时候再试或到发证窗口核实"
    title_en = "The issuer has a record that it does not confirm yet; try later, or ask at its counter"
    plain = "发证部门还没确认，请过些时候再试。"


class IssuerUnavailable(Unavailable):
    """The issuer could not be reached, or gave an answer that cannot be understood.

    `last_data_at` tells of when the certificate that is held is, null when none is held.
    """

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


class NothingChosen(Invalid):
    """The holder chose neither a field nor a claim: there would be nothing to show."""

    code = "certificates.nothing-chosen"
    title = "请至少选择一项内容"
    title_en = "Choose at least one field or claim"
    plain = "至少要选一项。"


class VerifierUnknown(Invalid):
    """A code was asked for a verifier that is not registered."""

    code = "certificates.verifier-unknown"
    title = "没有这个用证单位"
    title_en = "There is no such verifier"
    plain = "没有这个单位。"


class PurposeRequired(Invalid):
    """A registered verifier asks without saying for what, or for what the register does not let it."""

    code = "certificates.purpose-required"
    title = "请说明用途，且须是已登记的用途"
    title_en = "Say what for: it has to be a purpose that is registered"
    plain = "要说明用来做什么。"


class TokenTooLong(Invalid):
    """More was chosen than nine pictures hold; `fields` tells what of it does fit."""

    code = "certificates.token-too-long"
    title = "所选内容太多，无法用二维码出示，请少选几项"
    title_en = "Too much was chosen to be shown as pictures; choose fewer fields"
    plain = "选得太多了，请少选几项。"


class StateForbids(Conflict):
    """A revoked, cancelled or moved certificate is not shown any more; `state` says which."""

    code = "certificates.state-forbids"
    title = "这张证照已经失效，不能再出示"
    title_en = "This certificate is no longer in force and cannot be shown"
    plain = "这个证已经不能用了。"


class NotYourKind(Forbidden):
    """A department tells of certificates that another issues."""

    code = "certificates.not-your-kind"
    title = "这种证照不是你部门签发的"
    title_en = "Another department issues certificates of this kind"
    plain = "这种证不是你们发的。"


class StateUnknown(Invalid):
    """An issuer told a state that there is not, or one that tells nothing."""

    code = "certificates.state-unknown"
    title = "没有这种证照状态"
    title_en = "There is no such state of a certificate"
    plain = "没有这种状态。"


class MoveForbidden(Conflict):
    """A certificate cannot come from where it stands to where its issuer says; `before` and `after` name both."""

    code = "certificates.move-forbidden"
    title = "证照不能从当前状态变到这个状态"
    title_en = "The certificate cannot come from its state to this one"
    plain = "这个证不能这样改状态。"


class EventConflict(Conflict):
    """An issuer contradicts what it told before: other words for one event, or another state for one version."""

    code = "certificates.event-conflict"
    title = "这条消息与之前的不一致"
    title_en = "This contradicts what you told before"
    plain = "这条消息和之前的对不上。"
