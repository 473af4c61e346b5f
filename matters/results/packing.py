"""How a case is packed for the archive, and how such a package is checked. Pure functions of bytes.

A package is a zip: the files of the case, `manifest.json` with the name, size and SHA-256 of each, and `manifest.jws`,
the same with its signature in compact form (RFC 7515, ES256). Names and times in it depend on the case alone.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, Final

from certificates.offline.jws import Keys, read

KIND: Final = "archive+jws"
MANIFEST: Final = "manifest.json"
SIGNED: Final = "manifest.jws"
# A zip knows no time before this, and no other is needed: the manifest says when it was made.
_MADE: Final = (1980, 1, 1, 0, 0, 0)
_MOST: Final = 200 * 1024 * 1024


def manifest_of(about: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what is in a package: `about` the case, and each file by name, digest and size."""
    listed = [
        {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in sorted(files.items())
    ]
    return {**about, "files": listed}


def pack(files: Mapping[str, bytes], manifest: Mapping[str, Any], signed: str) -> bytes:
    """Return the package of files with their manifest, signed."""
    told = json.dumps(manifest, ensure_ascii=False, indent=2).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in [*sorted(files.items()), (MANIFEST, told), (SIGNED, signed.encode())]:
            package.writestr(zipfile.ZipInfo(name, _MADE), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def wrong_with(content: bytes, keys: Keys) -> list[str]:
    """Return what is wrong with a package, in sentences; none when it is whole and signed by one of the keys."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            if sum(entry.file_size for entry in package.infolist()) > _MOST:
                return ["It is larger than any package."]
            names = package.namelist()
            files = {name: package.read(name) for name in names}
    except (zipfile.BadZipFile, EOFError, ValueError, RuntimeError):
        return ["It is no package that can be read."]
    if len(files) != len(names):
        return ["A name stands in it twice."]
    if missing := [name for name in (MANIFEST, SIGNED) if name not in files]:
        return [f"{name} is missing." for name in missing]
    try:
        signed = read(files.pop(SIGNED).decode(), typ=KIND)
        manifest = json.loads(files.pop(MANIFEST))
    except ValueError:
        return ["The list of what is in it cannot be read."]
    key = keys.get(signed.header["kid"])
    if key is None:
        return ["It is signed with a key that is not among those given."]
    if not signed.holds(key):
        return ["The signature of the list does not hold."]
    if manifest != signed.payload:
        return ["manifest.json is not what was signed."]
    return _differences(files, signed.payload)


def _differences(files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> list[str]:
    listed = {str(entry["name"]): str(entry["sha256"]) for entry in manifest["files"]}
    found = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return [
        *(f"{name} is missing." for name in sorted(listed.keys() - found.keys())),
        *(f"{name} is not on the list." for name in sorted(found.keys() - listed.keys())),
        *(f"{name} was changed." for name in sorted(listed.keys() & found.keys()) if listed[name] != found[name]),
    ]
