"""All settings of an installation, read once, and refused when they would start something unsafe."""

from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from api.wiring.embedded import EmbeddedFolder
from auth.settings import AuthSettings
from auth.ways.settings import WaySettings
from certificates.settings import CertificateSettings
from core.settings import CoreSettings, Section, UnsafeSettings
from face.settings import FaceSettings
from matters.settings import DepartmentSettings, MatterSettings
from notices.settings import NoticeSettings

S = TypeVar("S", bound=Section)


# What the sandbox's WeChat calls the templates (`docs/departments/wechat-messages.md`).
_SANDBOX_TEMPLATES: Final = {key: f"sandbox-{key}" for key in ("progress", "certificate", "security")}


class Settings(CoreSettings):
    """The ground's settings and one section for each domain."""

    auth: AuthSettings = AuthSettings()
    ways: WaySettings = WaySettings()
    notices: NoticeSettings = NoticeSettings()
    face: FaceSettings = FaceSettings()
    certificates: CertificateSettings = CertificateSettings()
    matters: MatterSettings = MatterSettings()
    departments: DepartmentSettings = DepartmentSettings()

    @property
    def files_folder(self) -> Path:
        """Where the file store of attachments lies."""
        return self.matters.files or self.data_dir / "files"

    def all_unsafe(self) -> list[str]:
        """Return one sentence for each setting that production refuses."""
        if not self.is_production:
            return []
        return [
            *self.unsafe(),
            *self.auth.unsafe(),
            *self.ways.unsafe(),
            *self.notices.unsafe(),
            *self.face.unsafe(),
            *self.certificates.unsafe(),
            *self.departments.unsafe(),
        ]


def read_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        UnsafeSettings: one cannot be understood; the message names it without its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        names = ", ".join(
            "ZHIJIAN_" + "__".join(str(part).upper() for part in item["loc"]) + f" ({item['msg']})"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise UnsafeSettings(f"These settings cannot be understood: {names}") from None


def load_settings() -> Settings:
    """Read the settings, fill in what the embedded mode made for itself, and refuse what is unsafe.

    Raises:
        UnsafeSettings: a setting cannot be understood, or production would start unsafe.
    """
    settings = read_settings()
    unsafe = settings.all_unsafe()
    if unsafe:
        raise UnsafeSettings("\n  - ".join(["these settings are not fit for production:", *unsafe]))
    if not settings.is_production and settings.sandbox_url:
        return with_sandbox(settings)
    return settings


def with_sandbox(settings: Settings) -> Settings:
    """Return the settings with every outside system at the sandbox, under the credentials made for it."""
    partners = EmbeddedFolder(settings.data_dir).partners(settings.sandbox_url)
    human = partners["human_resources"]
    sharing = {
        "address": human["address"],
        "access_id": human["access_id"],
        "secret": human["secret"],
        "private_key": human["sm2_private_key"],
    }
    pension = {"address": human["address"], "app_id": human["soap_app_id"], "secret": human["soap_secret"]}
    return settings.model_copy(
        update={
            "auth": _filled(
                settings.auth,
                wechat=partners["wechat"],
                population_registry=partners["population_registry"],
                civil_affairs=partners["civil_affairs"],
                market_regulation=partners["market_regulation"],
            ),
            "ways": _filled(
                settings.ways,
                sms=partners["sms"],
                mobile_register=partners["mobile_register"],
                bank_clearing=partners["bank_clearing"],
                payment=partners["payment"],
                network_identity=partners["network_identity"],
            ),
            "notices": _filled(
                settings.notices.model_copy(update={"templates": {**_SANDBOX_TEMPLATES, **settings.notices.templates}}),
                sms={**partners["sms_reports"], **partners["sms"]},
                push=partners["wechat_push"],
            ),
            "certificates": _filled(
                settings.certificates, public_security=partners["public_security"], human_resources=sharing
            ),
            "departments": _filled(
                settings.departments,
                public_security=partners["public_security"],
                human_resources=sharing,
                pension=pension,
                education=partners["education"],
                real_estate=partners["real_estate"],
            ),
        },
    )


def _filled(section: S, **parts: dict[str, Any]) -> S:
    """Return a section with more values in its parts, checked like any others; each part takes what it knows."""
    update = {}
    for name, values in parts.items():
        part = getattr(section, name)
        known = {key: value for key, value in values.items() if key in type(part).model_fields}
        update[name] = type(part).model_validate({**part.model_dump(exclude_unset=True), **known})
    return section.model_copy(update=update)
