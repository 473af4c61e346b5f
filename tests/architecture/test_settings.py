"""What may be set and what `.env.example` explains are the same."""

import importlib
import re
import typing

from pydantic import BaseModel

from core.settings import CoreSettings
from tests.architecture.tree import DOMAINS, ROOT, sources

EXAMPLE = ROOT / ".env.example"
LINE = re.compile(r"^#? ?(ZHIJIAN_[A-Z0-9_]+)=", re.MULTILINE)
# Read by the tests and the benchmarks alone.
FOR_TESTS = {"ZHIJIAN_FACE_DATA", "ZHIJIAN_TEST_DATABASE_URL", "ZHIJIAN_TEST_REDIS_URL"}


def whole_settings() -> type[CoreSettings]:
    """The ground's settings with one section for each domain, as the wiring composes them."""
    for source in sources("api", *DOMAINS):
        if "CoreSettings" in source.text:
            importlib.import_module(".".join(source.path.with_suffix("").parts))
    leaves, kinds = [], [CoreSettings]
    while kinds:
        kind = kinds.pop()
        below = [other for other in kind.__subclasses__() if other.__module__.startswith("api.")]
        kinds += below
        if not below:
            leaves.append(kind)
    assert leaves != [CoreSettings], "the wiring composes the settings of all domains"
    assert len(leaves) == 1
    return leaves[0]


def names(model: type[BaseModel], prefix: str) -> set[str]:
    found = set()
    for name, field in model.model_fields.items():
        section = section_of(field.annotation)
        full = f"{prefix}{name.upper()}"
        found |= names(section, f"{full}__") if section else {full}
    return found


def section_of(annotation: object) -> type[BaseModel] | None:
    for kind in (annotation, *typing.get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def explained() -> set[str]:
    return set(LINE.findall(EXAMPLE.read_text(encoding="utf-8")))


def test_every_setting_is_explained() -> None:
    known = names(whole_settings(), "ZHIJIAN_")
    assert {"ZHIJIAN_ENV", "ZHIJIAN_DATABASE_URL", "ZHIJIAN_JOBS__SWEEP_SECONDS"} <= known
    assert known - explained() == set()


def test_nothing_is_explained_that_cannot_be_set() -> None:
    assert explained() - FOR_TESTS - names(whole_settings(), "ZHIJIAN_") == set()


def test_the_example_holds_no_secret() -> None:
    secret = re.compile(r"^(ZHIJIAN_\w*(?:SECRET|PASSWORD|PRIVATE_KEY|TOKEN)\w*)=\s*[^\s#]", re.MULTILINE)
    assert secret.findall(EXAMPLE.read_text(encoding="utf-8")) == []
    assert secret.findall("ZHIJIAN_WECHAT__APP_SECRET=abc\n")
