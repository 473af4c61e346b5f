"""What an installation may set about the ways: which there are, in which order, what they give, how often."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from auth.types import Level
from auth.ways.rules import order_ways
from auth.ways.types import Method, Purpose, Worth
from core.settings import Section, SignedPartnerSettings, unsafe_partner, unsafe_secret

Login = Literal["present", "real_name", "nothing"]
StepUp = Literal["present", "nothing"]


class GivesSettings(Section):
    """What passing a check by one method gives: at a login, and to a session with a real name (decision 15)."""

    login: Login = "present"
    step_up: StepUp = "present"

    def worth(self) -> Worth:
        """Return the same in the words of the rules."""
        login, step_up = (None if given == "nothing" else Level(given) for given in (self.login, self.step_up))
        return Worth(login, step_up)


class BankClearingSettings(SignedPartnerSettings):
    """The bank clearing service. It asks the issuing bank, which takes its time."""

    timeout_seconds: float = Field(default=8.0, gt=0, le=60)


class WaySettings(Section):
    """The section of the ways. What is not in `order` is not offered; `elder_order` is what elders are shown first."""

    order: tuple[Method, ...] = (
        Method.PAYMENT_PASSWORD, Method.BANK_CARD, Method.NETWORK_ID, Method.COUNTER, Method.SMS,
    )  # fmt: skip
    elder_order: tuple[Method, ...] = (Method.COUNTER, Method.BANK_CARD, Method.SMS)
    # Whoever holds an unlocked phone has its WeChat session and reads its messages: a code alone shows nobody present.
    sms_gives: GivesSettings = GivesSettings(login="real_name", step_up="nothing")
    bank_card_gives: GivesSettings = GivesSettings()
    payment_password_gives: GivesSettings = GivesSettings()
    network_id_gives: GivesSettings = GivesSettings()
    counter_gives: GivesSettings = GivesSettings()
    # Checks by one method that may be started on one person, and by one account, within the window.
    attempts: int = Field(default=5, ge=1, le=20)
    elder_attempts: int = Field(default=8, ge=1, le=20)
    attempts_hours: int = Field(default=6, ge=1, le=48)
    # Codes that may be tried in one check.
    codes: int = Field(default=5, ge=1, le=5)
    check_seconds: int = Field(default=300, ge=60, le=900)
    elder_check_seconds: int = Field(default=600, ge=60, le=1800)
    # Somebody has to walk to the counter.
    counter_seconds: int = Field(default=1800, ge=300, le=7200)
    login_address_limit: str = "30/minute"
    evidence_limit: str = "60/minute"
    # Text messages cost money and sleep: how many go to one mobile in an hour, and are asked for from one address.
    sms_per_mobile: int = Field(default=5, ge=1, le=20)
    sms_address_limit: str = "20/hour"
    # What an officer may type wrongly at the counter within ten minutes.
    counter_entries: int = Field(default=10, ge=1, le=50)
    # Cards that one officer may confirm: nobody sees many people in person.
    counter_an_hour: int = Field(default=30, ge=1, le=60)
    counter_a_day: int = Field(default=150, ge=1, le=300)
    # An officer who acts for somebody: how long the person may take to confirm, and the session lives.
    assistance_wait_minutes: int = Field(default=15, ge=1, le=60)
    assistance_minutes: int = Field(default=30, ge=5, le=60)
    assistance_attempts: int = Field(default=5, ge=1, le=20)
    assistances_an_hour: int = Field(default=30, ge=1, le=60)
    assistances_a_day: int = Field(default=120, ge=1, le=300)
    keep_days: int = Field(default=90, ge=1)
    sms: SignedPartnerSettings = SignedPartnerSettings()
    mobile_register: SignedPartnerSettings = SignedPartnerSettings()
    bank_clearing: BankClearingSettings = BankClearingSettings()
    payment: SignedPartnerSettings = SignedPartnerSettings()
    network_identity: SignedPartnerSettings = SignedPartnerSettings()

    @model_validator(mode="after")
    def _face_is_never_the_only_way(self) -> Self:
        for purpose in Purpose:
            if not any(self.level(method, purpose) is Level.PRESENT for method in self.order):
                raise ValueError(f"one method in ZHIJIAN_WAYS__ORDER has to give `present` for a {purpose}")
        return self

    def level(self, method: Method, purpose: Purpose) -> Level | None:
        """Return what passing a check gives, None where the method is not offered for it."""
        if method not in self.order:
            return None
        worth = self._gives(method).worth()
        return worth.step_up if purpose is Purpose.STEP_UP else worth.login

    def offered(self, *, elder: bool) -> tuple[Method, ...]:
        """Return the methods in the order in which they are shown."""
        return order_ways(self.order, self.elder_order if elder else ())

    def attempts_for(self, *, elder: bool) -> int:
        """Return how many checks by one method may be started within the window."""
        return self.elder_attempts if elder else self.attempts

    def lifetime(self, method: Method, *, elder: bool) -> timedelta:
        """Return how long a check waits for its evidence."""
        if method is Method.COUNTER:
            return timedelta(seconds=self.counter_seconds)
        return timedelta(seconds=self.elder_check_seconds if elder else self.check_seconds)

    @property
    def window(self) -> timedelta:
        """The time over which attempts count."""
        return timedelta(hours=self.attempts_hours)

    def unsafe(self) -> list[str]:
        """Return one sentence for each setting that production refuses: the systems behind what is offered."""
        needed: dict[str, SignedPartnerSettings] = {"SMS": self.sms}
        if Method.SMS in self.order:
            needed["MOBILE_REGISTER"] = self.mobile_register
        if Method.BANK_CARD in self.order:
            needed["BANK_CLEARING"] = self.bank_clearing
        if Method.PAYMENT_PASSWORD in self.order:
            needed["PAYMENT"] = self.payment
        if Method.NETWORK_ID in self.order:
            needed["NETWORK_IDENTITY"] = self.network_identity
        return [sentence for name, partner in needed.items() for sentence in _unsafe(f"ZHIJIAN_WAYS__{name}", partner)]

    def _gives(self, method: Method) -> GivesSettings:
        given: GivesSettings = getattr(self, f"{method.replace('-', '_')}_gives")
        return given


def _unsafe(name: str, partner: SignedPartnerSettings) -> list[str]:
    return [*unsafe_partner(name, partner), *unsafe_secret(f"{name}__SECRET", partner.secret)]
