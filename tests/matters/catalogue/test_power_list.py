"""The power list rehearsed: 1280 to 1007 over 37 departments, each operation by the list's own rules."""

from collections import Counter

import pytest

from matters.catalogue.revisions.demonstration import rehearsal
from matters.catalogue.revisions.rules import apply, counts, wrong_with
from matters.catalogue.revisions.types import Entry, Operation, OperationKind
from matters.catalogue.rules import is_uscc

REHEARSED = rehearsal()


def test_1280_matters_of_37_departments_become_1007() -> None:
    listed = {entry.code: entry for entry in REHEARSED.listed}
    assert len(listed) == len(REHEARSED.listed) == 1280
    for operation in REHEARSED.operations:
        listed = apply(listed, operation)
    assert len(listed) == 1007
    assert len({entry.department for entry in REHEARSED.listed}) == 37
    assert {entry.department for entry in listed.values()} == {entry.department for entry in REHEARSED.listed}


def test_codes_are_whole_on_two_levels_and_the_bodies_are_right() -> None:
    assert all(len(entry.code) == 31 and is_uscc(entry.code[:18]) for entry in REHEARSED.listed)
    assert {entry.level for entry in REHEARSED.listed} == {"3", "4"}
    assert {operation.kind for operation in REHEARSED.operations} == set(OperationKind) - {OperationKind.PUBLISH}
    assert rehearsal() == REHEARSED


def test_the_counts_by_department_add_up() -> None:
    listed = {entry.code: entry for entry in REHEARSED.listed}
    done = []
    for operation in REHEARSED.operations:
        done.append((listed[operation.sources[0]].department, operation.kind))
        listed = apply(listed, operation)
    counted = counts(REHEARSED.listed, listed.values(), done)
    assert (sum(each.before for each in counted), sum(each.after for each in counted)) == (1280, 1007)
    kinds: Counter[OperationKind] = Counter()
    for each in counted:
        kinds.update(each.by_kind)
    assert sum(kinds.values()) == len(REHEARSED.operations)


ONE, TWO = REHEARSED.listed[:2]
LAST = REHEARSED.listed[-1]
NEW = Entry(ONE.code[:-3] + "009", ONE.department, "新")
LOWER = Entry(ONE.code[:18] + "4" + ONE.basic_code, ONE.department, ONE.title)


@pytest.mark.parametrize(
    ("kind", "sources", "targets", "said"),
    [
        (OperationKind.MERGE, (ONE, TWO), (NEW,), ""),
        (OperationKind.MERGE, (ONE, TWO), (ONE,), ""),
        (OperationKind.MERGE, (ONE,), (NEW,), "merged into one"),
        (OperationKind.MERGE, (ONE, TWO), (), "merged into one"),
        (OperationKind.MERGE, (ONE, LAST), (NEW,), "one department"),
        (OperationKind.MERGE, (ONE, ONE), (NEW,), "named twice"),
        (OperationKind.SPLIT, (ONE,), (NEW, LOWER), ""),
        (OperationKind.SPLIT, (ONE,), (NEW,), "split into several"),
        (OperationKind.SPLIT, (ONE,), (NEW, TWO), "on the list already"),
        (OperationKind.CANCEL, (ONE,), (), ""),
        (OperationKind.CANCEL, (NEW,), (), "not on the list"),
        (OperationKind.CANCEL, (ONE,), (NEW,), "leaves nothing"),
        (OperationKind.DELEGATE, (ONE,), (LOWER,), ""),
        (OperationKind.DELEGATE, (ONE,), (NEW,), "lower level"),
        (OperationKind.DELEGATE, (ONE,), (ONE,), "lower level"),
        (OperationKind.PUBLISH, (), (NEW,), ""),
        (OperationKind.PUBLISH, (ONE,), (NEW,), "leaves nothing"),
    ],
)
def test_an_operation_is_allowed_or_the_reason_is_said(
    kind: OperationKind, sources: tuple[Entry, ...], targets: tuple[Entry, ...], said: str
) -> None:
    listed = {entry.code: entry for entry in REHEARSED.listed}
    operation = Operation(kind, tuple(entry.code for entry in sources), targets)
    told = " ".join(wrong_with(listed, operation))
    assert said in told
    assert bool(told) == bool(said)
    if said:
        with pytest.raises(ValueError, match=r"\."):
            apply(listed, operation)
