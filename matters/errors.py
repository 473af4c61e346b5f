"""What can go wrong around matters, in words a resident understands."""

from core.errors import Alternative, Conflict, Forbidden, Invalid, NotFound, Refused, Stale, TooMany, Unavailable


class MatterUnknown(NotFound):
    """No published matter has this code."""

    code = "matters.unknown"
    title = "没有找到这个事项"
    title_en = "There is no such matter"
    plain = "没有找到这件事。"


class NothingToApplyFor(Conflict):
    """The matter is looked up or explained; nobody handles it."""

    code = "matters.nothing-to-apply-for"
    title = "这一项是查询或者说明，不用申请"
    title_en = "This is looked up or explained; there is nothing to apply for"
    plain = "这一项看看就行，不用申请。"


class RequirementUnmet(Invalid):
    """A requirement of the matter is broken by what is known; `errors` names each, `alternatives` the other ways."""

    code = "matters.requirement-unmet"
    title = "不符合办理条件，可以换一种方式办理"
    title_en = "A requirement is not met; see the other ways"
    plain = "条件不符合，可以到窗口问问。"


class NoSuchApplication(NotFound):
    """No such application, or somebody else's: the edge answers both with one body."""

    code = "matters.no-such-application"
    title = "没有找到这个办件"
    title_en = "There is no such application"
    plain = "没有找到这个办件。"


class NoSuchAttachment(NotFound):
    """No such file, or somebody else's: the edge answers both with one body."""

    code = "matters.no-such-attachment"
    title = "没有找到这个文件"
    title_en = "There is no such file"
    plain = "没有找到这个文件。"


class NoSuchKeptMaterial(NotFound):
    """Nothing like it is kept, or it is somebody else's: the edge answers both with one body."""

    code = "matters.no-such-material"
    title = "没有找到这份材料"
    title_en = "There is no such material"
    plain = "没有找到这份材料。"


class TooManyKept(Conflict):
    """As many materials are kept as may be."""

    code = "matters.too-many-kept"
    title = "保存的材料已经够多了，请先删除不用的"
    title_en = "As much is kept as may be; remove something first"
    plain = "存的材料太多了，先删掉一些。"


class MaterialInUse(Conflict):
    """It is being handed over with an application; a moment later it can be removed."""

    code = "matters.material-in-use"
    title = "这份材料正在随申请转交，请稍后再删除"
    title_en = "It is being handed over with an application; remove it a moment later"
    plain = "这份材料正在用，请过一会儿再删。"


class ChangedMeanwhile(Stale):
    """The application was changed since it was read; the edge answers `request.stale`."""

    code = "matters.changed-meanwhile"
    title = "内容已经变了，请刷新后再改"
    title_en = "It was changed meanwhile; read again and repeat"
    plain = "内容变了，请重新打开再改。"


class StateForbids(Conflict):
    """The application stands where this cannot be done."""

    code = "matters.state-forbids"
    title = "办件当前的状态不能这样操作"
    title_en = "The state of the application does not allow this"
    plain = "现在这一步不能这样办。"


class WithdrawalTooLate(Conflict):
    """The department has the dossier (or may have it): only the department can stop the case now."""

    code = "matters.withdrawal-too-late"
    title = "材料已经转交部门，需要联系部门撤回"
    title_en = "The department already has it; please ask the department to stop it"
    plain = "已经交给部门了，要撤回请打电话给部门。"


class AlreadyRated(Conflict):
    """One rating for each case."""

    code = "matters.already-rated"
    title = "您已经评价过了"
    title_en = "You have already rated this"
    plain = "您已经评价过了。"


class ReasonNeeded(Invalid):
    """A bad rating says why (国办函 on 好差评: a 差评 needs a ticked reason or a text)."""

    code = "matters.rating-reason-needed"
    title = "请说明不满意的原因"
    title_en = "Please say what was not good"
    plain = "请说说哪里不满意。"


class NotPrefilled(Invalid):
    """A value is called wrong that comes from nobody's records."""

    code = "matters.not-prefilled"
    title = "这一项不是自动带出的，可以直接修改"
    title_en = "This value comes from no record; change it yourself"
    plain = "这一项您可以自己改。"


class RatingInvalid(Invalid):
    """A rating says something that the way by which the application came does not have."""

    code = "matters.rating-invalid"
    title = "评价的内容不对，请重新选择"
    title_en = "Something of the rating does not fit; please choose again"
    plain = "评价选得不对，请再选一次。"


class NoSuchTicket(NotFound):
    """There is no such ticket."""

    code = "matters.no-such-ticket"
    title = "没有找到这个工单"
    title_en = "There is no such ticket"
    plain = "没有找到这个工单。"


class FormInvalid(Invalid):
    """Fields of the form have to be mended."""

    code = "matters.form-invalid"
    title = "表单里有些内容需要修改"
    title_en = "Some fields of the form need to be mended"
    plain = "表格里有些地方要改一改。"


class MaterialsMissing(Invalid):
    """A material that nothing else satisfies has not been uploaded."""

    code = "matters.materials-missing"
    title = "还缺少材料"
    title_en = "Materials are missing"
    plain = "还有材料没有交。"


class MaterialExempt(Invalid):
    """The matter knows no file for this material: it is satisfied without. The error's code names the rule."""

    code = "matters.material-exempt"
    title = "这项材料不用您提交"
    title_en = "This material need not be handed in"
    plain = "这样材料不用交。"


class DemandUnlawful(Invalid):
    """A material is demanded that may not be; each error's code names the rule (清单之外不得要求、免交材料不得要求)."""

    code = "matters.demand-unlawful"
    title = "不得要求申请人提交这项材料"
    title_en = "This material may not be demanded of the applicant"
    plain = "这样材料不能要求别人交。"


class FileRefused(Invalid):
    """A file is none of the kinds that are taken, or is damaged."""

    code = "matters.file-refused"
    title = "只能上传完好的 JPEG、PNG 图片或 PDF 文件"
    title_en = "Only sound JPEG, PNG or PDF files are accepted"
    plain = "这种文件收不了，请换成照片。"


class FileInfected(Invalid):
    """The scanner knows the file for malicious."""

    code = "matters.file-infected"
    title = "文件里可能有病毒，没有保存"
    title_en = "The file may be malicious and was not kept"
    plain = "这个文件可能有病毒，请换一个。"


class ScannerUnavailable(Unavailable):
    """Files are scanned here, and the scanner does not answer."""

    code = "matters.scanner-unavailable"
    title = "文件暂时无法检查，请稍后再试"
    title_en = "Files cannot be scanned now; please try later"
    plain = "文件现在查不了，请过一会儿再传。"


class TextCheckUnavailable(Unavailable):
    """The platform cannot look at a text; our own list does."""

    code = "matters.text-check-unavailable"
    title = "内容检查暂时不可用"
    title_en = "Texts cannot be looked at now"
    plain = "现在查不了内容，请稍后再试。"


class FileAddressExpired(NotFound):
    """The short address of a file has run out, or is none of ours."""

    code = "matters.file-address-expired"
    title = "这个文件地址已经失效，请重新打开"
    title_en = "This address of a file has run out; please open it again"
    plain = "这个地址失效了，请重新打开。"


class MaterialUnknown(Invalid):
    """It is not clear which material of the matter a file is for."""

    code = "matters.material-unknown"
    title = "请说明这个文件是哪一项材料"
    title_en = "Say which material of this matter the file is for"
    plain = "请选一下这个文件是哪样材料。"


class TooManyFiles(Conflict):
    """The application holds as many files as it may."""

    code = "matters.too-many-files"
    title = "这个办件的附件已经够多了"
    title_en = "This application holds as many files as it may"
    plain = "附件太多了，不能再加了。"


class NotCheckable(Conflict):
    """This matter has nothing that can be checked before applying."""

    code = "matters.not-checkable"
    title = "这个事项不支持预先核验"
    title_en = "This matter cannot be checked beforehand"
    plain = "这件事不用先查。"


class ProgressNotFound(NotFound):
    """Number and query code do not belong together; the same answer for an unknown number."""

    code = "matters.progress-not-found"
    title = "办件编号或查询密码不对"
    title_en = "The number or the query code is not right"
    plain = "编号或者密码不对，请再看看。"


class ProgressLocked(TooMany):
    """Too many tries for one number."""

    code = "matters.progress-locked"
    title = "查询次数太多，请稍后再试，或者登录后查看"
    title_en = "Too many tries for this number; wait, or log in to see it"
    plain = "查的次数太多了，请过一阵再查。"


class NumbersExhausted(Unavailable):
    """More cases of one matter on one day than numbers have room for."""

    code = "matters.numbers-exhausted"
    title = "今天这个事项的办件编号已用完，请明天再试"
    title_en = "Today's numbers for this matter are used up; please try tomorrow"
    plain = "今天办的人太多了，请明天再来。"


class FileStoreUnavailable(Unavailable):
    """Files cannot be kept or read now."""

    code = "matters.files-unavailable"
    title = "附件暂时无法保存，请稍后再试"
    title_en = "Files cannot be stored now; please try later"
    plain = "附件现在存不了，请过一会儿再试。"


class DepartmentUnavailable(Unavailable):
    """A department did not answer. `ambiguous`: what was sent may have arrived all the same."""

    code = "matters.department-unavailable"
    title = "部门系统暂时没有响应，请稍后再试"
    title_en = "The department's system does not answer now; please try later"
    plain = "部门的系统现在没有回应，请过一会儿再试。"

    def __init__(self, department: str, *, ambiguous: bool, retry_after: int | None = None) -> None:
        super().__init__(retry_after=retry_after)
        self.department = department
        self.ambiguous = ambiguous


class DossierDeclined(Refused):
    """A department will not take a dossier. `reason` is one of our codes (`matters/cases/rules.py`)."""

    code = "matters.dossier-declined"
    title = "部门不予受理"
    title_en = "The department does not accept this application"
    plain = "部门没有受理。"

    def __init__(self, department: str, reason: str) -> None:
        super().__init__()
        self.department = department
        self.reason = reason


class QuestionRefused(Refused):
    """A department refuses the question itself: our credentials or our words are wrong, not the resident.

    Asking again is no use before an operator has mended it.
    """

    code = "matters.question-refused"
    title = "部门系统拒绝了这次请求，工作人员正在处理"
    title_en = "The department's system refused the request; the operators have been told"
    plain = "部门的系统没有接收，工作人员正在处理。"


class CaseNotYours(Forbidden):
    """A department speaks about a case that is not its own, or of none.

    The edge answers `departments.not-your-case`.
    """

    code = "matters.case-not-yours"
    title = "这不是你部门的办件"
    title_en = "This case belongs to another department"
    plain = "这件事不归你们管。"


class NewsOutOfTime(Invalid):
    """A department dates its news to a time at which it cannot have happened."""

    code = "matters.news-out-of-time"
    title = "办理时间不对"
    title_en = "The time of the news cannot be right"
    plain = "时间不对。"


def by_phone(phone: str) -> Alternative:
    """Return the department's phone as another way."""
    return Alternative("phone", f"拨打部门电话 {phone}", f"Call the department: {phone}")
