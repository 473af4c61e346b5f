"""The import rules see every room and can fail: with a violation planted for each, every contract is broken.

`make check` runs them on the tree itself.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.architecture.tree import ROOT, sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
# What breaks each contract: a new module, and what it says.
PLANTS = {
    "Calls go down": ("core/planted_upwards.py", "import auth.types"),
    "Rooms inside a domain": ("auth/types.py", "import auth.rules"),
    "Tables of auth stay in auth": ("face/planted.py", "import auth.models"),
    "Tables of notices stay in notices": ("face/planted_notices.py", "import notices.models"),
    "Tables of face stay in face": ("certificates/planted.py", "import face.models"),
    "Tables of certificates stay in certificates": ("matters/planted.py", "import certificates.models"),
    "Tables of matters stay in matters": ("api/planted.py", "import matters.applications.models"),
    "Only the wiring chooses adapters": ("auth/planted.py", "import auth.adapters.wechat"),
    "Only the edge knows HTTP serving": ("auth/planted_serving.py", "import sanic"),
    "One door out": ("matters/planted_door.py", "import aiohttp"),
    "Rules are pure": ("auth/rules.py", "import core.clock"),
    "The sandbox does not know the product": ("sandbox/planted.py", "import core.clock"),
    "The product does not know the sandbox": ("scripts/planted.py", "import sandbox"),
    "No circles": ("certificates/planted_circle/__init__.py", "import certificates.planted_back"),
}
SUPPORT = {"certificates/planted_back.py": "import certificates.planted_circle"}


def verdicts(folder: Path) -> dict[str, str]:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)
    return dict(re.findall(r"^(.+) (KEPT|BROKEN)$", done.stdout, re.MULTILINE))


def test_every_room_is_under_the_rules() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "migrations", "benchmarks"}
    assert rooms == set(PROJECT["root_packages"])


def test_every_contract_is_broken_by_its_violation(tmp_path: Path) -> None:
    names = {contract["name"] for contract in PROJECT["contracts"]}
    assert names == set(PLANTS)
    for source in sources(*PROJECT["root_packages"]):
        place = tmp_path / source.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(source.text, encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, text in [*PLANTS.values(), *SUPPORT.items()]:
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
    assert verdicts(tmp_path) == dict.fromkeys(names, "BROKEN")
