"""All settings of an installation, read once, and refused when they would start something unsafe."""

from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from api.wiring.embedded import EmbeddedFolder
from auth.settings import AuthSettings
from auth.ways.settings import WaySettings
from certificates.settings import CertificateSettings
from core.settings import CoreSettings, Section, UnsafeSettings
from face.settings import EngineWorth, FaceSettings
from matters.settings import DepartmentSettings, MatterSettings
from notices.settings import NoticeSettings

S = TypeVar("S", bound=Section)


# What the sandbox's WeChat calls the templates (`docs/departments/wechat-messages.md`).
_SANDBOX_TEMPLATES: Final = {key: f"sandbox-{key}" for key in ("progress", "certificate", "security")}


# Its cases go on by the split second, and nobody waits for a minute to see it.
_SANDBOX_POLLS: Final = 1.0


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
            *self.matters.object_store.unsafe(),
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
    sharing = _sharing(human)
    issuers = {name: key for name, key in partners["issuer_callbacks"].items() if name != "address"}
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
            "face": _with_platform(settings.face),
            "certificates": _filled(
                settings.certificates,
                public_security=partners["public_security"],
                human_resources=sharing,
                housing_fund=_sharing(partners["housing_fund"]),
                disabled_persons=partners["disabled_persons"],
                health=partners["health"],
                data_quality=partners["data_quality"],
            ).model_copy(
                update={
                    "callback_key_ids": {name: key["key_id"] for name, key in issuers.items()},
                    "callback_public_keys": {name: key["public_key"] for name, key in issuers.items()},
                }
            ),
            "departments": _filled(
                settings.departments,
                public_security=partners["public_security"],
                human_resources=sharing,
                pension=pension,
                education=partners["education"],
                real_estate=partners["real_estate"],
                desk=partners["department_desk"],
                taxation={**partners["taxation"], "poll_seconds": _SANDBOX_POLLS},
                notary={**partners["notary"], "poll_seconds": _SANDBOX_POLLS},
                civil_affairs={**partners["civil_affairs_cases"], "address": partners["civil_affairs"]["address"]},
                health={**partners["health_cases"], "address": partners["health"]["address"]},
                housing_fund={**_sharing(partners["housing_fund"]), "poll_seconds": _SANDBOX_POLLS},
                disabled_persons={
                    **partners["disabled_persons_cases"],
                    "address": partners["disabled_persons"]["address"],
                },
            ),
        },
    )


def _with_platform(face: FaceSettings) -> FaceSettings:
    """Return the section with the sandbox's platform switched on, where nobody has said what it gives."""
    if "wechat" in face.engines.model_fields_set:
        return face
    worth = EngineWorth(gives="present", reason="For trying it: the platform is the sandbox's.")
    return face.model_copy(update={"engines": face.engines.model_copy(update={"wechat": worth})})


def _sharing(partner: dict[str, Any]) -> dict[str, Any]:
    """Return a department of the sharing interface in the words of its settings."""
    return {
        "address": partner["address"],
        "access_id": partner["access_id"],
        "secret": partner["secret"],
        "private_key": partner["sm2_private_key"],
    }


def _filled(section: S, **parts: dict[str, Any]) -> S:
    """Return a section with more values in its parts, checked like any others; each part takes what it knows."""
    update = {}
    for name, values in parts.items():
        part = getattr(section, name)
        known = {key: value for key, value in values.items() if key in type(part).model_fields}
        update[name] = type(part).model_validate({**part.model_dump(exclude_unset=True), **known})
    return section.model_copy(update=update)
