"""What an end that a platform tells means for a resident, and how long a check waits."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from face.platform.types import Advice, Reason

_ADVICE: Final[Mapping[Reason, Advice]] = {
    # No word of whether it was another face or no living one.
    Reason.NOT_PASSED: Advice(
        "核身没有通过，可以再试一次，或选择其他方式",
        "The check was not passed; try again or choose another way",
        "这次没有通过，再试一次，或者换个办法。",
        may_help=True,
    ),
    Reason.NO_PORTRAIT: Advice(
        "没有可以比对的证件照，请选择其他方式",
        "There is no portrait of you to compare with; please choose another way",
        "没有您的证件照，不能刷脸，请换个办法。",
        may_help=False,
    ),
    Reason.NO_FACE: Advice(
        "没有拍到清楚的人脸，请正对镜头再试",
        "No face was seen clearly; look into the camera and try again",
        "没拍清楚脸，请对着镜头再试一次。",
        may_help=True,
    ),
    Reason.TOO_BRIGHT: Advice(
        "光线太强，请换个地方再试",
        "The light is too strong; try again in another place",
        "光太亮了，请换个地方再试。",
        may_help=True,
    ),
    Reason.POOR_PICTURE: Advice(
        "照片质量不够，请擦净镜头，在光线均匀的地方再试",
        "The picture is not good enough; wipe the lens and try again in even light",
        "照片不清楚，擦擦镜头，再试一次。",
        may_help=True,
    ),
    Reason.TIMED_OUT: Advice(
        "核身超时，请按提示再试一次",
        "The check took too long; try again and follow the prompts",
        "时间到了，不着急，请再试一次。",
        may_help=True,
    ),
    Reason.CANCELLED: Advice(
        "您取消了核身，可以重新开始，或选择其他方式",
        "You cancelled the check; start again or choose another way",
        "您刚才退出了，想继续就再试一次。",
        may_help=True,
    ),
    Reason.CAMERA_DENIED: Advice(
        "微信没有相机或麦克风权限，请在手机设置里打开后再试，或选择其他方式",
        "WeChat may not use the camera or microphone; allow it in the phone's settings, or choose another way",
        "手机没让微信用相机，请打开，或者换个办法。",
        may_help=True,
    ),
    Reason.DEVICE_UNFIT: Advice(
        "这台手机不支持微信人脸核身，请选择其他方式",
        "This phone does not support WeChat's face check; please choose another way",
        "这台手机不能刷脸，请换个办法。",
        may_help=False,
    ),
    Reason.CONNECTION_LOST: Advice(
        "网络中断，请换个信号好的地方再试",
        "The connection broke; try again where the signal is better",
        "网断了，请换个信号好的地方再试。",
        may_help=True,
    ),
    Reason.TOO_OFTEN: Advice(
        "微信核身次数过多，请过些时候再试，或选择其他方式",
        "WeChat has seen too many checks; try again later or choose another way",
        "刷脸次数太多了，请改天再试，或者换个办法。",
        may_help=False,
    ),
    Reason.UNAVAILABLE: Advice(
        "微信的系统出了问题，这次不算次数，请稍后再试，或选择其他方式",
        "WeChat's system had trouble; it is not counted. Try again later or choose another way",
        "微信那边出了点问题，请过一会儿再试。",
        may_help=True,
    ),
}


def advice_for(reason: Reason) -> Advice:
    """Return what a resident is told for a reason."""
    return _ADVICE[reason]


def waits_until(now: datetime, lifetime: timedelta, seconds: int) -> datetime:
    """Return until when a check waits: as long as we let it, and no longer than the platform does."""
    return now + min(lifetime, timedelta(seconds=seconds))
