"""What can go wrong with exports, corrections and closings."""

from core.errors import Conflict, Gone, NotFound, TooMany


class ExportTooSoon(TooMany):
    """An export was asked for within the last day; `retry_after` says when the next may be."""

    code = "auth.export-too-soon"
    title = "每天可以导出一次，请稍后再来"
    title_en = "Your data can be exported once a day; please come back later"
    plain = "一天只能导出一次，明天再来吧。"


class NoSuchExport(NotFound):
    """There is no such export, or it is somebody else's."""

    code = "auth.export-unknown"
    title = "没有找到这份导出文件"
    title_en = "There is no such export"
    plain = "没有找到这个文件。"


class ExportNotReady(Conflict):
    """The export is still being put together."""

    code = "auth.export-not-ready"
    title = "文件正在准备，请稍后再取"
    title_en = "The export is being prepared; please fetch it shortly"
    plain = "文件还在准备，请过一会儿再来拿。"


class ExportExpired(Gone):
    """The export's time is over; it was destroyed."""

    code = "auth.export-expired"
    title = "导出文件已过期并销毁，请重新导出"
    title_en = "The export has expired and was destroyed; please ask for a new one"
    plain = "文件过期了，请重新导出。"


class CorrectionsTooMany(TooMany):
    """As many corrections were asked for within a day as may be."""

    code = "auth.corrections-too-many"
    title = "今天提交的更正申请太多了，请明天再来"
    title_en = "Too many corrections today; please come back tomorrow"
    plain = "今天提得太多了，明天再来吧。"


class NothingToCorrect(NotFound):
    """What is to be corrected does not exist, or is somebody else's."""

    code = "auth.nothing-to-correct"
    title = "没有找到要更正的内容，请核对后再提交"
    title_en = "There is no such thing of yours to correct"
    plain = "没有找到您要改的东西。"


class NoSuchCorrection(NotFound):
    """There is no such correction."""

    code = "auth.correction-unknown"
    title = "没有找到这条更正申请"
    title_en = "There is no such correction"
    plain = "没有找到这个申请。"


class CorrectionAnswered(Conflict):
    """Somebody has answered it already."""

    code = "auth.correction-answered"
    title = "这条更正申请已经答复过了"
    title_en = "This correction has been answered"
    plain = "这个申请已经答复过了。"


class NoClosureWaits(NotFound):
    """The account is not being closed, or the closing can no longer be taken back."""

    code = "auth.no-closure-waits"
    title = "当前没有可以撤销的注销申请"
    title_en = "No closing waits that could be taken back"
    plain = "您没有在注销账户。"


class NoSuchLine(NotFound):
    """There is no such line in the caller's ledger."""

    code = "auth.line-unknown"
    title = "没有找到这条使用记录"
    title_en = "There is no such line in your ledger"
    plain = "没有找到这条记录。"


class ReportUnsuitable(Conflict):
    """Only a registered verifier can be asked to erase what it has read."""

    code = "auth.report-unsuitable"
    title = "只能请求已登记的用证单位删除"
    title_en = "Only a registered verifier can be asked to erase"
    plain = "这条记录不能请人删除。"


class NoSuchReport(NotFound):
    """There is no such report that is open."""

    code = "auth.report-unknown"
    title = "没有找到待处理的这条反映"
    title_en = "There is no such report that is open"
    plain = "没有找到这条反映。"
