"""What may be made before the first start, so that the first start is quick."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from api.wiring.settings import Settings
from core.calendar_store import fill_calendar as publish_years
from core.clock import SystemClock, china_date
from core.database import close_database, open_database
from core.settings import UnsafeSettings


async def fill_calendar(config: Mapping[str, Any]) -> list[int]:
    """Fill the working-day calendar for the years that are published and missing; return those years.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    await open_database(config)
    try:
        return await publish_years(first_year=china_date(SystemClock().now()).year - 1)
    finally:
        await close_database()


def warm_face_models(settings: Settings) -> bool:
    """Convert the face network unless it is there; return whether it was converted now.

    Raises:
        UnsafeSettings: the installed weights cannot be converted.
    """
    folder = settings.data_dir / "models"
    before = set(folder.glob("*.onnx")) if folder.exists() else set()
    # In a process of its own: the face packages change Pillow for the whole process and may end it.
    converted = subprocess.run(  # noqa: S603 — our own module
        [sys.executable, "-m", "face.adapters.resnet_onnx", str(folder)], capture_output=True, check=False, text=True
    )
    if converted.returncode:
        raise UnsafeSettings(f"The face network cannot be converted: {converted.stderr.strip().splitlines()[-1:]}")
    return set(folder.glob("*.onnx")) != before
