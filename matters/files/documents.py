"""Looking through a PDF: it has to be whole, and may neither act, nor carry other files, nor be locked.

It is kept as it came: a signature on it would not survive being written anew.
"""

import zlib
from io import BytesIO
from typing import Any, Final

from matters.files.pictures import Unsound

_MAGIC: Final = b"%PDF-"
_END: Final = b"%%EOF"
_BLANK: Final = b" \t\r\n\0"
# The end of a ZIP's directory lies in its last 64 KB: such a file is an archive too.
_ZIP_END: Final = b"PK\x05\x06"
_ZIP_TAIL: Final = 66_000
_PAGES: Final = 300
_VALUES: Final = 600_000
_DEPTH: Final = 60
# What all its streams may come to: scans of many pages are packed otherwise and stay as small as they came.
_UNPACKED: Final = 256 * 2**20
_PIECE: Final = 1 << 20
# What makes a document do something, or carry something that nobody looked at.
_ACTIVE: Final = frozenset(
    {"/JS", "/JavaScript", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/RichMedia", "/XFA", "/SubmitForm",
     "/ImportData", "/GoToE", "/Rendition", "/Movie", "/Sound", "/3D"},
)  # fmt: skip


def look_through(content: bytes) -> None:
    """See that a PDF is whole and does nothing.

    Raises:
        Unsound: it is damaged, something stands before or after it, it is locked, has over 300 pages, or acts.
    """
    if not content.startswith(_MAGIC) or not content.rstrip(_BLANK).endswith(_END):
        raise Unsound
    if _ZIP_END in content[-_ZIP_TAIL:]:
        raise Unsound
    try:
        _Look(content).at_all()
    except (Exception, RecursionError) as error:
        raise Unsound from error


class _Look:
    """One look through one document: every object that can be reached, each once."""

    def __init__(self, content: bytes) -> None:
        from pyhanko.pdf_utils import generic  # noqa: PLC0415 — only the process that looks pays for it
        from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415 — as above

        self._words: Any = generic
        self._reader = PdfFileReader(BytesIO(content), strict=False)
        self._seen: set[tuple[int, int]] = set()
        self._waiting: list[tuple[Any, int]] = []
        self._unpacked = 0

    def at_all(self) -> None:
        """Look at everything.

        Raises:
            Unsound: something is not taken, or there is more than anybody would read.
        """
        pages = int(self._reader.root["/Pages"]["/Count"])
        if self._reader.encrypted or not 0 < pages <= _PAGES:
            raise Unsound
        self._waiting.append((self._reader.trailer_view, 0))
        looked = 0
        while self._waiting:
            looked += 1
            value, depth = self._waiting.pop()
            if looked > _VALUES or depth > _DEPTH:
                raise Unsound
            self._at(value, depth)

    def _at(self, value: Any, depth: int) -> None:  # noqa: ANN401 — the library's objects
        if isinstance(value, self._words.IndirectObject):
            place = (value.idnum, value.generation)
            if place not in self._seen:
                self._seen.add(place)
                self._waiting.append((value.get_object(), 0))
        elif isinstance(value, self._words.DictionaryObject):
            self._in(value, depth)
        elif isinstance(value, self._words.ArrayObject):
            self._waiting.extend((value.raw_get(place), depth + 1) for place in range(len(value)))

    def _in(self, value: Any, depth: int) -> None:  # noqa: ANN401 — as above
        if isinstance(value, self._words.StreamObject):
            self._unpacked += _size_of(value)
            if self._unpacked > _UNPACKED:
                raise Unsound
        for name in list(value):
            inner = value.raw_get(name)
            if {str(name), str(inner) if isinstance(inner, self._words.NameObject) else ""} & _ACTIVE:
                raise Unsound
            self._waiting.append((inner, depth + 1))


def _size_of(stream: Any) -> int:  # noqa: ANN401 — as above
    """Return what a deflated stream comes to, counted and not kept, as far as anybody would go."""
    if str(stream.get("/Filter")) != "/FlateDecode":
        return 0
    unpacker, left, size = zlib.decompressobj(), bytes(stream.encoded_data), 0
    while left and not unpacker.eof and size <= _UNPACKED:
        size += len(unpacker.decompress(left, _PIECE))
        left = unpacker.unconsumed_tail
    return size
