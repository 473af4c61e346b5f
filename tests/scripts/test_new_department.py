"""A department is added by stubs: they import, say what is missing, and once filled in keep the contract."""

import importlib.util
import re
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from core.clock import SystemClock
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.settings import OutboundSettings
from core.signers.signed_json import SignedJson
from sandbox.ground.answers import Json
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults, Mode, misbehaving
from sandbox.ground.settings import AppSecret
from sandbox.ground.signing import Nonces, SignedDesk
from sandbox.ground.store import Store
from sandbox.ground.submissions import received
from sandbox.people import People
from scripts.new_department.__main__ import NotWritten, main, write_stubs
from tests.contracts import test_departments as suite
from tests.sandbox.town import served

NAME = "medical-insurance"
SUITE = "tests/contracts/test_departments.py"
ROOT = Path(__file__).parents[2]
SECRET = "s" * 40


TEMPLATES = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "scripts/new_department").glob("*.txt"))


def left_open(what: str) -> str:
    """Return the one statement of the templates by which a stub says what is to be filled in."""
    [statement] = re.findall(rf'raise \w+\("fill in: {re.escape(what)}"\)', TEMPLATES)
    return str(statement)


# What somebody who has read a page writes in place of what the stubs leave open.
ADAPTER = {
    left_open("a dossier in the words of the page"): (
        'return {"reference": dossier.reference, "matter": dossier.matter}'
    ),
    left_open("a receipt from the words of the page"): (
        'if told.get("code") != "0000":\n'
        "        raise DepartmentUnavailable(name, ambiguous=True)\n"
        '    return Receipt(text(told, "receipt_number"))'
    ),
    "from matters.errors import QuestionRefused": "from matters.errors import DepartmentUnavailable, QuestionRefused",
    "import as_department": "import as_department, text",
    "dedupe: Final = Dedupe.NONE": "dedupe: Final = Dedupe.KEY",
}
TWIN = {
    left_open("what happens to a dossier that comes"): (
        'reference, receipt = str(told["reference"]), {"code": "0000", "receipt_number": "M1"}\n'
        "        known = earlier_answer(db, department=_NAME, reference=reference)\n"
        "        if known is None:\n"
        '            take(db, department=_NAME, reference=reference, matter=str(told["matter"]),\n'
        '                 at=self._clock.stamp(), outcome="accepted", answer=receipt)\n'
        "        return known or receipt"
    ),
    "from sandbox.people import People": (
        "from sandbox.ground.submissions import earlier_answer, take\nfrom sandbox.people import People"
    ),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with what the script adds to."""
    (tmp_path / SUITE).parent.mkdir(parents=True)
    shutil.copy(ROOT / SUITE, tmp_path / SUITE)
    return tmp_path


@pytest.fixture
def loaded(tree: Path) -> Iterator[Any]:
    """Load a written file as a module, under a name of its own."""
    names: list[str] = []

    def load(path: str) -> ModuleType:
        name = "written_" + Path(path).stem + f"_{len(names)}"
        spec = importlib.util.spec_from_file_location(name, tree / path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        names.append(name)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    yield load
    for name in names:
        del sys.modules[name]


def fill_in(path: Path, words: dict[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for before, after in words.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


class NoCallbacks:
    """Owes nothing."""

    def wake(self) -> None:
        pass


class NoFiles:
    """Is told of no file."""

    async def collect(self, department: str, reference: str, files: list[object]) -> None:
        assert (department, files) == (NAME, [])


@pytest.fixture
async def door() -> AsyncIterator[Outbound]:
    door = Outbound(OutboundSettings(connect_seconds=10), clock=SystemClock(), production=False)
    await door.open()
    yield door
    await door.close()


def test_the_stubs_import_and_say_what_is_missing(tree: Path, loaded: Any) -> None:
    write_stubs(NAME, tree)
    adapter = loaded("matters/adapters/medical_insurance.py")
    twin = loaded("sandbox/desks/medical_insurance.py")
    assert {adapter.MedicalInsurance.__name__, twin.MedicalInsurance.__name__} == {"MedicalInsurance"}
    with pytest.raises(RuntimeError, match="fill in"):
        adapter._asked(suite.dossier(suite.QUMANLIN))
    with pytest.raises(RuntimeError, match="fill in"):
        adapter._receipt(NAME, {})
    assert (tree / f"docs/departments/{NAME}.md").read_text(encoding="utf-8").startswith("# Medical insurance")
    written = (tree / SUITE).read_text(encoding="utf-8")
    compile(written, SUITE, "exec")
    assert (
        f'TAKERS: dict[str, tuple[str, Callable[[Town, Outbound], Department], Who]] = {{\n    "{NAME}": (' in written
    )
    assert "from matters.adapters.medical_insurance import MedicalInsurance\n" in written


def test_a_department_that_has_a_page_gets_a_section_on_it_and_a_twin_beside(
    tree: Path, loaded: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tree / f"docs/departments/{NAME}.md"
    page.parent.mkdir(parents=True)
    page.write_text("# Medical insurance 医保\n\nCertificates.\n", encoding="utf-8")
    assert main([NAME, "--into", str(tree)]) == 0
    told = capsys.readouterr().out
    assert "Credentials.medical_insurance_cases" in told
    assert '"address": partners["medical_insurance"]["address"]}' in told
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Medical insurance 医保\n\nCertificates.\n\n## Cases 业务受理\n\nWhat it is")
    assert text.count("# Medical insurance") == 1
    assert loaded("sandbox/desks/medical_insurance_cases.py").MedicalInsuranceCases
    assert main([NAME, "--into", str(tree)]) == 1
    assert page.read_text(encoding="utf-8") == text


def test_nothing_is_written_over_and_no_name_leads_out_of_the_tree(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([NAME, "--into", str(tree)]) == 0
    told = capsys.readouterr().out
    assert "sandbox/ground/faults.py" in told
    assert "api/wiring/outside/departments.py" in told
    before = (tree / SUITE).read_bytes()
    assert main([NAME, "--into", str(tree)]) == 1
    assert "there already" in capsys.readouterr().err
    assert (tree / SUITE).read_bytes() == before
    for name in ("", "../etc", "Medical", "a--b", "a_b", "1a", "x" * 33):
        with pytest.raises(NotWritten):
            write_stubs(name, tree)


async def test_filled_in_it_keeps_the_contract_without_touching_a_use_case(
    tree: Path, loaded: Any, door: Outbound, tmp_path: Path
) -> None:
    write_stubs(NAME, tree)
    fill_in(tree / "matters/adapters/medical_insurance.py", ADAPTER)
    fill_in(tree / "sandbox/desks/medical_insurance.py", TWIN)
    adapter = loaded("matters/adapters/medical_insurance.py").MedicalInsurance
    twin = loaded("sandbox/desks/medical_insurance.py").MedicalInsurance
    clock = Clock()
    store = await Store.open(tmp_path / "sandbox.sqlite3")
    faults = Faults(store, clock)
    system = twin(
        people=People.load(),
        desk=SignedDesk(AppSecret("us", SECRET), clock=clock, nonces=Nonces(clock)),
        store=store,
        faults=faults,
        callbacks=NoCallbacks(),
        filing=NoFiles(),
        clock=clock,
    )
    app = web.Application(middlewares=[misbehaving(faults)])
    app.add_routes(system.routes())
    signer = SignedJson(app_id="us", secret=SecretStr(SECRET), clock=SystemClock(), ids=RandomIds())
    async with served(app) as base:
        department = adapter(outbound=door, partner=Partner(NAME, f"{base}/{NAME}", suite.PATIENCE, 2, signer))

        async def fault(mode: str) -> None:
            await faults.set(NAME, Mode(mode))

        async def taken() -> list[tuple[str, int]]:
            items: list[Json] = await store.run(lambda db: received(db, NAME))
            return [(str(item["reference"]), int(item["count"])) for item in items]

        async def forgotten() -> suite.Taking:
            await faults.set(NAME, Mode.OK)
            await store.run(lambda db: db.execute("DELETE FROM submissions"))
            return suite.Taking(department, suite.QUMANLIN, fault, taken)

        await suite.test_a_reference_has_one_effect_however_often_it_is_sent(await forgotten())
        for mode in ("error", "garbage", "drop"):
            await suite.test_every_outage_is_told_alike(await forgotten(), mode)
        for mode in ("duplicate_callback", "reordered_callback"):
            await suite.test_trouble_with_the_news_is_none_with_the_dossier(await forgotten(), mode)
        await suite.test_a_lost_answer_is_ambiguous_and_nothing_counts_twice(await forgotten())
        await suite.test_what_never_arrived_is_said_to_have_never_arrived(await forgotten())
        await suite.test_what_is_taken_back_stays_taken_back_however_often_it_is_said(await forgotten())
    await store.close()
