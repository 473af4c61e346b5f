"""What WeChat's error codes mean to whoever waits for an answer, as `docs/departments/wechat.md` lists them.

Each problem carries the sentence for residents, the spoken one for elders, and whether repeating helps. A code that is
not listed is WeChat's trouble: the resident can try again, the log tells the operator.
"""

from collections.abc import Mapping
from typing import Final

from auth.errors import (
    CodeInvalid,
    MobileCodeInvalid,
    WechatBlocked,
    WechatMisconfigured,
    WechatQuota,
    WechatTooMany,
    WechatUnavailable,
)
from core.errors import FieldError, Problem
from core.log import get_logger

log = get_logger(__name__)

# A token that WeChat refuses is replaced and the question asked once more.
TOKEN_REFUSED: Final = frozenset({40001, 40014, 42001})

_EVERYWHERE: Final[Mapping[int, type[Problem]]] = {
    -1: WechatUnavailable,  # WeChat is busy.
    40001: WechatMisconfigured,  # secret
    40002: WechatMisconfigured,  # grant_type
    40013: WechatMisconfigured,  # appid
    40014: WechatUnavailable,  # token
    40125: WechatMisconfigured,  # secret
    42001: WechatUnavailable,  # token run out
    44002: WechatMisconfigured,  # empty body
    45009: WechatQuota,  # daily quota
    45011: WechatTooMany,  # a minute's quota of one user
    47001: WechatMisconfigured,  # body not understood
    48001: WechatMisconfigured,  # no permission for the interface
}
LOGIN: Final[Mapping[int, type[Problem]]] = {
    **_EVERYWHERE,
    40029: CodeInvalid,
    40163: CodeInvalid,
    40226: WechatBlocked,
}
MOBILE: Final[Mapping[int, type[Problem]]] = {
    **_EVERYWHERE,
    40001: WechatUnavailable,  # The token was replaced a moment ago and is refused again.
    40029: MobileCodeInvalid,
    40163: MobileCodeInvalid,
}
TOKEN: Final[Mapping[int, type[Problem]]] = _EVERYWHERE
_WAIT: Final[Mapping[type[Problem], int]] = {
    WechatTooMany: 60,
    WechatUnavailable: 5,
    WechatQuota: 3600,
    WechatMisconfigured: 600,
}
_OUR_TROUBLE: Final = (WechatQuota, WechatMisconfigured)


def problem_of(code: int, table: Mapping[int, type[Problem]]) -> Problem:
    """Return what an error code of WeChat's means here; what operators have to mend is logged."""
    kind = table.get(code)
    if kind is None or issubclass(kind, _OUR_TROUBLE):
        log.error(
            "WeChat refuses what we ask; check app id, secret, permissions and quota", partner="wechat", code=code
        )
    if kind is None:
        kind = WechatUnavailable
    return mobile_code_invalid() if kind is MobileCodeInvalid else kind(retry_after=_WAIT.get(kind))


def mobile_code_invalid(pointer: str = "/code") -> MobileCodeInvalid:
    """Return the problem of a mobile number that cannot be had with what was sent."""
    return MobileCodeInvalid(errors=[FieldError(pointer, "code", "授权码已失效", "The code is not valid any more")])
