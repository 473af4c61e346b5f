"""Pictures as a scanner sees them: zbar reads exactly what was put in, black or red, up to the largest."""

import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from certificates.offline.checking import check
from certificates.offline.parts import LONGEST_SHOWN, join
from certificates.offline.pictures import token_svgs
from certificates.qr import LARGEST_VERSION, qr_svg
from certificates.types import Colour, Outcome
from tests.certificates.conftest import Hall
from tests.certificates.offline.test_sd_jwt import token
from tests.certificates.qr import modules_of
from tests.fakes.certificates import LICENCE

SCANNER = shutil.which("zbarimg")
CODE = "AbCdEfGhIjKlMnOpQrSt_-"


def scanned(svg: str, folder: Path) -> str:
    """What zbar reads of a picture, drawn at the size of a screen."""
    if SCANNER is None:
        pytest.skip("zbarimg is not installed (Debian: zbar-tools)")
    modules, scale = modules_of(svg), 4
    picture = Image.new("L", (len(modules), len(modules)), 255)
    picture.putdata([0 if dark else 255 for row in modules for dark in row])
    path = folder / "code.png"
    picture.resize((len(modules) * scale,) * 2, Image.Resampling.NEAREST).save(path)
    done = subprocess.run(
        [SCANNER, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path], capture_output=True, check=True
    )
    return done.stdout.decode().removesuffix("\n")


@pytest.mark.parametrize("colour", list(Colour))
def test_a_scanner_reads_exactly_the_code(colour: Colour, tmp_path: Path) -> None:
    assert scanned(qr_svg(CODE, colour), tmp_path) == CODE


def test_a_scanner_reads_a_token(tmp_path: Path) -> None:
    made = token()
    [svg] = token_svgs(made, Colour.BLACK)
    assert scanned(svg, tmp_path) == made


def test_a_scanner_reads_the_largest_picture_and_what_is_longer_is_a_series_of_smaller_ones(tmp_path: Path) -> None:
    longest = "x" * 1273  # version 25, lowest error correction, bytes
    [svg] = token_svgs(longest, Colour.RED)
    assert len(modules_of(svg)) == 17 + 4 * LARGEST_VERSION + 8
    assert scanned(svg, tmp_path) == longest
    for length in (1274, 3000, LONGEST_SHOWN):
        series = token_svgs("x" * length, Colour.RED)
        assert max(len(modules_of(each)) for each in series) <= 17 + 4 * 20 + 8
        assert join([scanned(each, tmp_path) for each in series]) == "x" * length
    with pytest.raises(ValueError, match="more pictures"):
        token_svgs("x" * (LONGEST_SHOWN + 1), Colour.RED)


async def test_a_whole_licence_is_read_by_a_scanner_and_checked_with_and_without_a_connection(
    hall: Hall, tmp_path: Path
) -> None:
    """All seven fields of the card, and then all fields that there are."""
    view = await hall.held()
    for fields in (None, list(LICENCE)):
        made = await hall.tokens.issue(hall.me, view.id, fields=fields)
        assert made is not None
        series = [scanned(each, tmp_path) for each in made.qr_svgs]
        assert len(series) >= 2
        shop = hall.verifiers.register("租车", *LICENCE)
        online = await hall.verification.verify("\n".join(series[::-1]), verifier=shop.id, purpose="租车")
        assert online.outcome is Outcome.OK
        shown = hall.kinds.get("driving-licence").card_face if fields is None else fields
        assert {name: online.fields[name] for name in shown} == {name: LICENCE[name] for name in shown}
        assert (await hall.verification.verify(series[0])).outcome is Outcome.UNREADABLE
        offline = check(" ".join(series), None, keys=hall.keys.accepted(), now=hall.ground.clock.now())
        assert offline.contents is not None
        assert dict(offline.contents.values) == {name: LICENCE[name] for name in shown}
