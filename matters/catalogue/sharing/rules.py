"""What must hold of the sharing catalogue."""

from collections.abc import Iterator
from typing import Final

from matters.catalogue.sharing.types import Sharing, SharingFile

UPDATED: Final = frozenset({"real-time", "daily", "monthly", "yearly"})


def wrong_with(file: SharingFile) -> Iterator[str]:
    """Yield one sentence for each thing that is wrong with the sharing catalogue; none for a good one."""
    elements = {element.name: element for element in file.elements}
    if len(elements) != len(file.elements):
        yield "an element stands twice in the data dictionary."
    places = [(each.department, each.code) for each in file.resources]
    places += [(each.department, each.code) for each in file.withheld]
    if len(set(places)) != len(places):
        yield "a resource stands twice, or is shared and withheld."
    for resource in file.resources:
        name = f"{resource.department}/{resource.code}"
        if unknown := sorted(set(resource.elements) - elements.keys()):
            yield f"{name}: {', '.join(unknown)} is not in the data dictionary."
            continue
        if not resource.elements:
            yield f"{name}: it shares nothing."
        if (resource.level is Sharing.CONDITIONAL) != (resource.condition is not None):
            yield f"{name}: what is shared on a condition, and nothing else, says on which."
        if resource.open and any(elements[element].personal for element in resource.elements):
            yield f"{name}: what is open to everybody holds nothing personal."
        if resource.updated not in UPDATED:
            yield f"{name}: how often it is renewed is not of the vocabulary."
