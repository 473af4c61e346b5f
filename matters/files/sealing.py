"""Files as they rest: base64 inside a seal that is bound to their row."""

import base64
from typing import Final

# What the seal of an attachment, of a file that a resident keeps here, of a decision on paper, and of a package for the
# archive is bound to beside the row.
CONTENT: Final = "attachment.content"
KEPT: Final = "kept_material.content"
DECISION: Final = "decision_document.content"
PACKAGE: Final = "archive_package.content"


def as_text(content: bytes) -> str:
    """Return a file as text that can be sealed."""
    return base64.b64encode(content).decode("ascii")


def as_bytes(text: str) -> bytes:
    """Return a file from the text that was sealed."""
    return base64.b64decode(text)
