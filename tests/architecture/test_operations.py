"""What operators start: the commands, the images, the composition of services."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.architecture.tree import ROOT

COMMANDS = {"run", "test", "test-services", "check", "bench", "bench-nightly", "miniprogram", "help"}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


def targets() -> set[str]:
    return set(TARGET.findall(MAKEFILE))


def image_steps(text: str) -> set[str]:
    return set(re.findall(r"\bmake (image-[a-z-]+)", text))


def defaulted_secrets(composition: dict[str, Any]) -> list[str]:
    """Passwords that are written out, or that have a default instead of stopping the start."""
    found = []
    for name, service in composition["services"].items():
        for key, value in (service.get("environment") or {}).items():
            text = str(value)
            credentials = re.search(r"://[^/@:]*:([^@]*)@", text)
            word = credentials[1] if credentials else text
            is_secret = credentials or re.search(r"PASSWORD$|SECRET$|TOKEN$", key)
            if is_secret and not re.fullmatch(r"\$\{\w+:\?[^}]*\}", word):
                found.append(f"{name}: {key}")
    return found


def test_the_commands_are_there() -> None:
    assert COMMANDS - targets() == set()


def test_the_dockerfile_is_sound() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    bad = subprocess.run(
        [hadolint, "-"], input="FROM debian\nRUN sudo ls\n", capture_output=True, text=True, check=False
    )
    assert bad.returncode != 0


def test_an_image_is_made_by_steps_that_are_tried_without_an_engine() -> None:
    steps = image_steps(DOCKERFILE)
    assert steps
    assert steps <= targets()
    assert steps <= image_steps(CI)


def test_the_images_hold_every_room_and_run_as_nobody_special() -> None:
    stages = {name: text for text in re.split(r"(?m)^(?=FROM )", DOCKERFILE) for name in re.findall(r"AS (\S+)", text)}
    rooms = [
        path.parent.name
        for path in ROOT.glob("*/__init__.py")
        if path.parent.name not in {"tests", "sandbox", "benchmarks"}
    ]
    assert rooms
    assert [room for room in rooms if f"COPY {room} {room}\n" not in stages["product"]] == []
    assert "sandbox" not in stages["product"]
    for image in ("product", "sandbox"):
        assert re.search(r"^USER \d+$", stages[image], re.MULTILINE)
        assert "HEALTHCHECK" in stages[image]


def test_every_service_says_whether_it_is_well() -> None:
    services = COMPOSE["services"]
    assert {"portal", "worker", "face", "postgres", "redis", "sandbox"} <= set(services)
    own_images = {"zhijian:local", "zhijian-sandbox:local"}
    assert [
        name
        for name, service in services.items()
        if service["image"] not in own_images and "healthcheck" not in service
    ] == []


def test_no_password_has_a_default() -> None:
    assert defaulted_secrets(COMPOSE) == []
    assert defaulted_secrets({"services": {"postgres": {"environment": {"POSTGRES_PASSWORD": "postgres"}}}})
    assert defaulted_secrets({"services": {"portal": {"environment": {"URL": "postgres://a:${P:-b}@h/d"}}}})


def test_what_is_run_before_a_change_is_taken_is_what_the_readme_says() -> None:
    for command in ("make check", "make test", "make test-services"):
        assert command in CI
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make run" in readme
    assert "make test" in readme
