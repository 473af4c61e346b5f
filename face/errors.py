"""What can go wrong with a face check, in words a resident understands."""

from collections.abc import Mapping
from typing import Final

from core.errors import Conflict, FieldError, Forbidden, Gone, Invalid, NotFound, TooMany, Unavailable
from face.types import PictureFault


class EngineUnavailable(Unavailable):
    """The engine died, hung or is not there; the same frame may be sent again."""

    code = "face.engine-unavailable"
    title = "人脸核验暂时不可用，请稍后再试，或选择其他方式"
    title_en = "The face check is away for the moment; try again shortly or choose another way"
    plain = "刷脸现在用不了，请过一会儿再试。"


class EngineOvertime(EngineUnavailable):
    """All pictures of one check together took longer than a check may. To callers it is the engine that is away."""


class EngineBusy(Unavailable):
    """As many checks as the engine admits are under way."""

    code = "face.engine-busy"
    title = "当前核验人数较多，请稍后再试"
    title_en = "Many people are being checked; please try again in a moment"
    plain = "现在刷脸的人多，请等一会儿再试。"


class NotOffered(Forbidden):
    """This installation takes no face check for this; `alternatives` says what else leads there."""

    code = "face.not-offered"
    title = "这里暂不提供人脸核验，请选择其他方式"
    title_en = "Face checks are not offered here; please choose another way"
    plain = "这里不能刷脸，请换个办法。"


class GuardianNeeded(Forbidden):
    """The person is under 14: their face is checked only with a guardian's consent, which nobody can give here."""

    code = "face.guardian-needed"
    title = "未满14周岁须由监护人陪同办理，请选择其他方式"
    title_en = "Under 14 a guardian has to be there; please choose another way"
    plain = "孩子未满十四岁，不能自己刷脸，请监护人来办。"


class TooManyAttempts(TooMany):
    """As many checks as are allowed were started on this person, or from this account."""

    code = "face.too-many-attempts"
    title = "核验次数已用完，请稍后再试，或选择其他方式"
    title_en = "No attempts are left for now; try again later or choose another way"
    plain = "刷脸次数用完了，请过几个小时再试，或者换个办法。"


class NoSuchCheck(NotFound):
    """There is no such check, or it is somebody else's."""

    code = "face.no-such-check"
    title = "没有这次核验"
    title_en = "There is no such face check"
    plain = "没找到这次刷脸，请重新开始。"


class CheckExpired(Gone):
    """The check waited too long for its evidence."""

    code = "face.check-expired"
    title = "本次核验已超时，请重新开始"
    title_en = "This face check has run out; please start again"
    plain = "时间到了，请重新刷脸。"


class EvidenceReplayed(Conflict):
    """The check has had its evidence, or a picture of it was handed in before, by whomever."""

    code = "face.evidence-replayed"
    title = "这些照片已经用过，请重新开始并现场拍摄"
    title_en = "These pictures were used before; please start again and take new ones"
    plain = "照片用过了，请重新拍。"


class FrameCount(Invalid):
    """Too few or too many frames."""

    code = "face.frame-count"
    title = "照片张数不对，请重新拍摄"
    title_en = "The number of frames is not right; please take them again"
    plain = "照片张数不对，请再拍一次。"


class PictureUnusable(Invalid):
    """A file that is not a picture the engine looks at; `fault` says why, `index` which of those sent."""

    code = "face.picture-unusable"
    title = "照片无法读取，请重新拍摄"
    title_en = "The picture cannot be read; please take it again"
    plain = "照片看不清，请再拍一次。"

    def __init__(self, fault: PictureFault, index: int = 0) -> None:
        self.fault = fault
        self.index = index
        message, message_en = _FAULTS[fault]
        pointer = f"/frames/{index}"
        super().__init__(errors=(FieldError(pointer, f"face.picture-{fault.replace('_', '-')}", message, message_en),))


_FAULTS: Final[Mapping[PictureFault, tuple[str, str]]] = {
    PictureFault.WRONG_TYPE: ("只支持 JPEG 或 PNG 照片", "only JPEG or PNG pictures are taken"),
    PictureFault.TOO_LARGE: ("照片文件太大", "the file is too large"),
    PictureFault.TOO_MANY_PIXELS: ("照片尺寸太大", "the picture has too many pixels"),
    PictureFault.TRUNCATED: ("照片文件不完整", "the file ends too early"),
    PictureFault.ANIMATED: ("请使用单张照片", "one picture is needed, not several in one file"),
    PictureFault.UNUSUAL_COLOURS: ("照片的颜色格式不受支持", "the picture has colours that no camera makes"),
    PictureFault.TRAILING_DATA: ("照片文件含有多余内容", "the file holds more than a picture"),
    PictureFault.UNREADABLE: ("照片文件已损坏", "the file is damaged"),
}
