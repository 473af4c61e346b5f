"""The ways as callers are told of them: what leads to a level, what else leads to the same end, in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from auth.types import Level
from auth.ways.settings import WaySettings
from auth.ways.types import Method, Offer, Purpose
from core.errors import Alternative

STEP_UPS: Final = "/v1/citizen/step-ups"
LOGIN_CHECKS: Final = "/v1/citizen/login-checks"
PLATFORM_CHECKS: Final = "/v1/citizen/wechat-face-checks"
_FACE: Final = ("刷脸核验", "Pass a face check")
_PLATFORM: Final = ("微信人脸核身", "Pass WeChat's face check")
_WORDS: Final[Mapping[Method, tuple[str, str]]] = {
    Method.SMS: ("短信验证码核验", "By a code sent to your mobile"),
    Method.BANK_CARD: ("银行卡核验", "By your bank card"),
    Method.PAYMENT_PASSWORD: ("支付密码核验", "By your payment password"),
    Method.NETWORK_ID: ("国家网络身份认证", "By your national network identity"),
    Method.COUNTER: ("带上身份证到就近的政务服务大厅核验", "At the nearest service hall, with your identity card"),
}
_PHONE: Final = Alternative("phone", "拨打12345政务服务热线", "Call the service line 12345")
_FAMILY: Final = Alternative(
    "family", "请家人用他们的手机代为办理", "Ask your family to do it on their phone on your behalf"
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """How a way is bounded: attempts in the window, seconds an attempt lives, seconds a lock lasts."""

    attempts: int
    expires_in: int | None
    lockout_seconds: int


@dataclass(frozen=True, slots=True)
class Faces:
    """What the installation's face engines are good for: raising sessions, opening them, with which bounds.

    `platform` are the bounds of checks that WeChat makes, usual and elder ones, where they count.
    """

    usual: Numbers
    elder: Numbers
    raises: bool = True
    opens: bool = True
    platform: tuple[Numbers, Numbers] | None = None


@dataclass(frozen=True, slots=True)
class Beginnings:
    """The bounds of the two ways that every installation has: logging in with WeChat, and giving name and number."""

    login: Numbers = Numbers(10, 300, 60)
    identity: Numbers = Numbers(5, None, 6 * 3600)


class Menu:
    """Tells the ways. The face stands first where it counts, and is never the only one."""

    def __init__(self, settings: WaySettings, *, faces: Faces | None, beginnings: Beginnings | None = None) -> None:
        self._settings = settings
        self._faces = faces
        self._beginnings = beginnings or Beginnings()

    def leading_to(self, level: Level, *, elder: bool) -> tuple[Offer, ...]:
        """Return what gives a session of this level, best first."""
        if level is Level.LINKED:
            wechat = _offer("login", "/v1/citizen/sessions", ("登录", "Log in"), self._beginnings.login)
            return (wechat, *self._faces_for(Purpose.LOGIN, elder=elder), *self._ways(Purpose.LOGIN, elder=elder))
        if level is Level.REAL_NAME:
            words = ("填写姓名和身份证号", "Enter your name and ID number")
            identity = _offer("identity", "/v1/citizen/me/identity", words, self._beginnings.identity)
            return (identity, *self._faces_for(Purpose.LOGIN, elder=elder), *self._ways(Purpose.LOGIN, elder=elder))
        return (*self._faces_for(Purpose.STEP_UP, elder=elder), *self._ways(Purpose.STEP_UP, elder=elder))

    def others(self, purpose: Purpose, *, but: str, elder: bool) -> tuple[Alternative, ...]:
        """Return the ways to the same end other than one method, people last."""
        offers = (*self._faces_for(purpose, elder=elder), *self._ways(purpose, elder=elder))
        ways = tuple(Alternative(each.method, each.text, each.text_en, each.start) for each in offers)
        family = (_FAMILY,) if elder else ()
        return (*family, *(way for way in ways if way.method != but), _PHONE)

    def _faces_for(self, purpose: Purpose, *, elder: bool) -> tuple[Offer, ...]:
        faces = self._faces
        if faces is None:
            return ()
        numbers = faces.elder if elder else faces.usual
        if purpose is not Purpose.STEP_UP:
            return (_offer("face", "/v1/citizen/elder-sessions", _FACE, numbers),) if faces.opens else ()
        ours = (_offer("face", "/v1/citizen/face-checks", _FACE, numbers),) if faces.raises else ()
        if faces.platform is None:
            return ours
        return (*ours, _offer("wechat-face", PLATFORM_CHECKS, _PLATFORM, faces.platform[elder]))

    def _ways(self, purpose: Purpose, *, elder: bool) -> tuple[Offer, ...]:
        settings = self._settings
        start = STEP_UPS if purpose is Purpose.STEP_UP else LOGIN_CHECKS
        lockout = int(settings.window.total_seconds())
        return tuple(
            _offer(
                method.value,
                start,
                _WORDS[method],
                Numbers(
                    settings.attempts_for(elder=elder),
                    int(settings.lifetime(method, elder=elder).total_seconds()),
                    lockout,
                ),
            )
            for method in settings.offered(elder=elder)
            if settings.level(method, purpose) is not None
        )


def _offer(method: str, start: str, words: tuple[str, str], numbers: Numbers) -> Offer:
    return Offer(method, start, *words, numbers.attempts, numbers.expires_in, numbers.lockout_seconds)
