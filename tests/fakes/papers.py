"""A PDF as people have them, and ones that nobody should have."""

import zlib
from collections.abc import Mapping
from typing import Final


def pdf(*objects: bytes, root: bytes = b"<</Type/Catalog/Pages 2 0 R>>", trailer: bytes = b"") -> bytes:
    """Make a PDF with one page; `objects` come after it, from number 4 on."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>"
    whole, places = b"%PDF-1.7\n", []
    for number, content in enumerate([root, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, *objects], 1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(places) + 1
    end = b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, len(whole))
    return whole + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def stream(content: bytes, head: bytes = b"") -> bytes:
    """Make a stream, packed."""
    packed = zlib.compress(content, 9)
    return b"<<%s/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream" % (head, len(packed), packed)


class FakeLayOut:
    """Lays nothing out: gives a plain page at once, and remembers what should have stood on it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, module: str, content: str) -> bytes:
        self.asked.append(content)
        return PDF


def _catalog(extra: bytes) -> bytes:
    return b"<</Type/Catalog/Pages 2 0 R%s>>" % extra


PDF: Final = pdf()
_BOMB: Final = stream(b"4 0 " + bytes(400_000_000), b"/Type/ObjStm/N 1/First 4")
_DEEP: Final = b"[" * 50_000 + b"]" * 50_000

EVIL_PDFS: Final[Mapping[str, bytes]] = {
    "nothing between head and tail": b"%PDF-1.7\n" + b"x" * 64 + b"\n%%EOF\n",
    "cut": PDF[: len(PDF) // 2],
    "cut and closed": PDF[: len(PDF) // 2] + b"\n%%EOF\n",
    "something before it": b"\n" + PDF,
    "a page after it": PDF + b"<script>alert(1)</script>",
    "an archive too": PDF + b"PK\x03\x04evilPK\x05\x06" + bytes(12) + b"\x06\0%%EOF\n",
    "it acts when opened": pdf(
        b"<</S/JavaScript/JS(app.alert(1))>>", root=_catalog(b"/OpenAction 4 0 R")
    ),
    "it starts programs": pdf(b"<</S/Launch/F(cmd.exe)>>", root=_catalog(b"/OpenAction 4 0 R")),
    "it carries a file": pdf(
        b"<</Names[(a)5 0 R]>>", b"<</Type/Filespec/EF<</F 6 0 R>>>>", stream(b"MZ", b"/Type/EmbeddedFile"),
        root=_catalog(b"/Names<</EmbeddedFiles 4 0 R>>"),
    ),
    "a form of its own": pdf(root=_catalog(b"/AcroForm<</XFA[]>>")),
    "locked": pdf(
        b"<</Filter/Standard/V 1/R 2/O(" + b"o" * 32 + b")/U(" + b"u" * 32 + b")/P -4>>",
        trailer=b"/Encrypt 4 0 R/ID[(0123456789abcdef)(0123456789abcdef)]",
    ),
    "its pages are no number": PDF.replace(b"/Count 1", b"/Count/"),
    "more pages than a person reads": PDF.replace(b"/Count 1", b"/Count 999999999"),
    "it leads round in a circle": PDF.replace(b"/Root 1 0 R", b"/Root 9 0 R").replace(b"%%EOF", b"/Prev 0 %%EOF"),
    "deeper than anybody looks": pdf(_DEEP, root=_catalog(b"/X 4 0 R")),
    "it unpacks to 400 MB": pdf(_BOMB, root=_catalog(b"/X 4 0 R")),
}  # fmt: skip
