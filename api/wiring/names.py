"""The names of the rooms that registers and grants may use."""

from certificates.definitions import Kinds
from certificates.rules import find_claim
from matters.catalogue.catalogue import Catalogue
from matters.errors import MatterUnknown


class RoomNames:
    """What the wallet's kinds and the catalogue name. Auth is built before both, and is told of them afterwards."""

    def __init__(self, *, signing: frozenset[str]) -> None:
        """`signing` are departments and systems that tell us news without having a matter or a kind."""
        self._kinds = Kinds([])
        self._catalogue = Catalogue([])
        self._departments = signing

    def learn(self, kinds: Kinds, catalogue: Catalogue) -> None:
        """Take in what there is."""
        self._kinds, self._catalogue = kinds, catalogue
        self._departments |= {kind.issuer for kind in kinds} | {each.department.slug for each in catalogue.all}

    def is_readable(self, word: str) -> bool:
        """Say whether some certificate has a field of this name, or supports this claim (`age>=18`)."""
        return any(
            find_claim(kind, word) is not None or word in {field.name for field in kind.fields} for kind in self._kinds
        )

    def is_matter(self, name: str) -> bool:
        """Say whether a matter of this code or slug is published."""
        try:
            self._catalogue.find(name)
        except MatterUnknown:
            return False
        return True

    def is_department(self, slug: str) -> bool:
        """Say whether a department of this slug takes part."""
        return slug in self._departments
