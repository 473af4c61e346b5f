"""The converted network is the same recogniser as the library's."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from face.adapters import resnet_onnx

# In a process of its own: importing the library changes Pillow for the whole process, and may quit it.
COMPARE = """
import json, sys
from pathlib import Path
import face_recognition_models
import face_recognition
import numpy as np
from face.adapters.picture import PictureLimits, decode
from face.adapters.recogniser import Recogniser

recogniser = Recogniser(Path(sys.argv[1]))
distances = []
for name in sys.argv[2:]:
    pixels = decode(Path(name).read_bytes(), PictureLimits())
    face = recogniser.observe(pixels).face
    box = face.box
    corners = (box.top, box.left + box.width - 1, box.top + box.height - 1, box.left)
    theirs = face_recognition.face_encodings(pixels, [corners], model="small")[0]
    distances.append(float(np.linalg.norm(theirs - np.array(face.embedding))))
print(json.dumps(distances))
"""


def test_the_fast_path_describes_faces_as_the_library_does(
    networks: Path, tmp_path: Path, portrait: bytes, other_portrait: bytes
) -> None:
    network = resnet_onnx.convert_into(networks)
    names = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for name, content in zip(names, (portrait, other_portrait), strict=True):
        name.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", COMPARE, str(network), *map(str, names)],
        capture_output=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
    )
    distances = json.loads(done.stdout)
    assert len(distances) == 2
    assert max(distances) < 1e-4


def test_converting_again_finds_the_file(networks: Path) -> None:
    first = resnet_onnx.convert_into(networks)
    before = first.stat()
    assert resnet_onnx.convert_into(networks) == first
    assert first.stat().st_mtime_ns == before.st_mtime_ns
    assert resnet_onnx.digest(resnet_onnx.weights_file())[:16] in first.name
    assert not list(networks.glob("*.part"))


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(resnet_onnx.CannotConvert):
        resnet_onnx._network(resnet_onnx._Weights(b"\x01\x05con_4 and then something else entirely"))
