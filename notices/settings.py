"""What an installation may set about telling people."""

from datetime import time
from typing import Literal

from pydantic import Field, SecretStr

from core.settings import Section, SignedPartnerSettings, unsafe_partner, unsafe_secret
from notices.types import QuietHours


class SmsSettings(SignedPartnerSettings):
    """The provider of short messages, and the key by which it signs its reports (Ed25519 or P-256, PEM)."""

    report_key_id: str = ""
    report_public_key: str = ""


class WechatPushSettings(Section):
    """How WeChat proves what it pushes to `/v1/wechat/push`. With an AES key only encrypted pushes are taken."""

    token: SecretStr = SecretStr("")
    aes_key: SecretStr = SecretStr("")


class NoticeSettings(Section):
    """The section of notices. `templates` maps the keys of `notices/published/templates.json` to WeChat's own ids."""

    sms: SmsSettings = SmsSettings()
    push: WechatPushSettings = WechatPushSettings()
    templates: dict[str, str] = Field(default_factory=dict)
    miniprogram_state: Literal["formal", "trial", "developer"] = "formal"
    quiet_begin: time = time(22, 0)
    quiet_end: time = time(7, 30)
    # How often a channel that cannot be reached is tried before the next one.
    attempts: int = Field(default=8, ge=1, le=20)
    first_pause_seconds: float = Field(default=10.0, gt=0)
    longest_pause_seconds: float = Field(default=900.0, gt=0)
    # After so long without a report a short message counts as not delivered.
    report_hours: int = Field(default=72, ge=1)
    copy_minutes: int = Field(default=15, ge=1, le=1440)
    copies: int = Field(default=3, ge=1, le=10)
    keep_days: int = Field(default=365, ge=30)

    def quiet(self) -> QuietHours:
        """Return the quiet hours in the words of the rules."""
        return QuietHours(self.quiet_begin, self.quiet_end)

    def unsafe(self) -> list[str]:
        """Return one sentence for each setting that production refuses."""
        found = [
            *unsafe_partner("ZHIJIAN_NOTICES__SMS", self.sms),
            *unsafe_secret("ZHIJIAN_NOTICES__SMS__SECRET", self.sms.secret),
            # WeChat allows tokens of 3 to 32 letters and digits.
            *unsafe_secret("ZHIJIAN_NOTICES__PUSH__TOKEN", self.push.token),
            *unsafe_secret("ZHIJIAN_NOTICES__PUSH__AES_KEY", self.push.aes_key, minimum=43),
        ]
        if not self.sms.report_public_key:
            found.append("ZHIJIAN_NOTICES__SMS__REPORT_PUBLIC_KEY is missing.")
        return found
