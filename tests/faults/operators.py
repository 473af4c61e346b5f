"""The operator of a town: made by the command that installations use."""

import asyncio
import json
from subprocess import run

from tests.faults.neighbours import Neighbours
from tests.journeys.town import PYTHON, ROOT, Town


def make_operator(town: Town) -> None:
    """Make the first operator of a town that is prepared and not yet started."""
    run(
        [PYTHON, "-m", "scripts.create_operator", "an.operator", "--keep", str(town.data / "operator.json")],
        cwd=ROOT,
        env=town.environment(),
        check=True,
        capture_output=True,
    )


async def operator_token(town: Town, neighbours: Neighbours) -> str:
    """Log the operator in."""
    kept = town.data / "operator.json"
    told = json.loads(kept.read_text())
    code = await asyncio.to_thread(
        run,
        [PYTHON, "-m", "scripts.create_operator", "--code", str(kept)],
        cwd=ROOT,
        env=town.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    asked = {"username": told["username"], "password": told["password"], "otp": code.stdout.strip()}
    grant = await neighbours.stranger("nobody").ask("POST", "/v1/staff/sessions", asked)
    assert grant.status == 201, grant.text
    return str(grant.body["access_token"])
