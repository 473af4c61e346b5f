"""The page that people read: what was measured, on what, with which command, and what it does not show."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from face.evaluation import GENUINE, Attack, Counted
from scripts.evaluate_faces.measuring import RATES, Deal, Listing, Measured

_HEAD: Final = """# What the face engine gets wrong

Written by `{command}`. These are **development measurements**, not an evaluation to ISO/IEC 19795 or 30107-3.
Data: {data}

Model `{model_id}`. A *false match* takes different people for the same; a *false non-match* does not take one person
for the same. A score at or below `accept` is the same person, above `reject` another; what lies between is not let in
by this way: another way or a person decides. Thresholds are the highest at which **no group** has more false matches
than {rate:.2%}, neither with one picture against one nor with the average of up to {frames} against one, as a check
does it. Intervals are 95 % (Wilson) and take pairs for independent, which pairs that share a picture are not: the true
ones are wider.

Pictures that a check would not compare (turned or tilted away, cut off, a doubtful face, several faces, bad light) are
left out, as the gates leave them out; the gates of size and sharpness are not applied here.
"""
_HALVES: Final = """## On people outside the measurement

The people are dealt into two halves {count} times by chance. Thresholds, and for as-norm the cohort, come from one
half; the errors are counted on the other, average with one. Mean, and the worst of the deals:
"""
_ATTACKS: Final = """## Attacks

Whole recordings through the whole decision, one after the other, honest ones first; a picture that was shown before is
refused, as the service refuses it. For attacks APCER, the share let in; for honest recordings BPCER, the share kept
out. *Made* recordings come from the sandbox's camera, which warps a picture: they show that the rules do what they say,
not how often real attackers succeed.
"""
_NOT_STOPPED: Final = """## What is not stopped

- **Pictures fed in past the camera** (a virtual camera, an edited upload): every frame of the sandbox is that. Only an
  attested app on an attested device helps.
- **Live deepfakes** that do what is asked, on a screen or fed in.
- **Masks** that move with a face, **twins**, and people who look very much alike.
- **An old recording** that was compressed anew and happens to show the actions asked for, in their order, in time.
"""


def page(
    *,
    command: str,
    data: str,
    model_id: str,
    rate: float,
    frames: int,
    measured: Sequence[Measured],
    deals: Sequence[Deal],
    unseen: dict[str, tuple[int, int, int]],
    attacks: Sequence[Attack],
    picture: str,
) -> str:
    """Return the page as Markdown."""
    lines = [_HEAD.format(command=command, data=data, model_id=model_id, rate=rate, frames=frames)]
    lines += _table(
        ("Group", "pictures", "no face found", "refused by the gates"),
        ((name, *(str(count) for count in counts)) for name, counts in unseen.items()),
    )
    for one in measured:
        lines += _method(one)
    lines += _dealt(deals)
    lines += ["## Curves", "", f"![DET and ROC of every method and group]({picture})", ""]
    lines += _attacked(attacks)
    lines.append(_NOT_STOPPED)
    return "\n".join(lines)


def _method(measured: Measured) -> Iterator[str]:
    point = measured.point
    yield f"## `{point.threshold_id}`: {point.method}"
    yield ""
    cohort = f", cohort `{point.cohort[:16]}…`" if point.cohort else ""
    yield f"accept {point.accept:.3f}, reject {point.reject:.3f}{cohort}."
    yield f"May be claimed: {point.supported_rate():.2%} false matches."
    yield ""
    yield from _table(
        ("Group", "compared", "false matches", "95 %", "false non-matches", "95 %"),
        _errors(measured.groups.items()),
    )
    yield "Every picture of a list with every other one of it:"
    yield ""
    yield from _table(
        (
            "Group",
            "pairs of one person",
            "of different people",
            "equal error",
            *(f"TAR at FAR {rate:g}" for rate in RATES),
        ),
        (
            (
                name,
                f"{len(listing.everybody.genuine):,}",
                f"{len(listing.everybody.impostor):,}",
                f"{listing.equal_error:.2%}",
                *("not shown" if rate is None else f"{rate:.2%}" for rate in listing.true_matches),
            )
            for name, listing in measured.groups.items()
        ),
    )


def _errors(groups: Iterable[tuple[str, Listing]]) -> Iterator[tuple[str, ...]]:
    for name, listing in groups:
        for how, group in (("one with one", listing.at_point), ("average with one", listing.averaged)):
            yield (name, how, *_counted(group.false_matches), *_counted(group.false_non_matches))


def _counted(counted: Counted) -> tuple[str, str]:
    low, high = counted.interval()
    return f"{counted.errors} of {counted.trials:,} = {counted.rate:.2%}", f"{low:.2%}–{high:.2%}"


def _dealt(deals: Sequence[Deal]) -> Iterator[str]:
    if not deals:
        return
    yield _HALVES.format(count=len(next(iter(deals[0].false_matches.values()))))
    yield from _table(
        ("Method", "Group", "false matches", "worst", "false non-matches", "worst", "pairs of a deal"),
        (
            (
                str(one.method),
                name,
                f"{np.mean(rates):.2%}",
                f"{max(rates):.2%}",
                f"{np.mean(one.false_non_matches[name]):.2%}",
                f"{max(one.false_non_matches[name]):.2%}",
                f"{one.trials[name][0].trials:,} different, {one.trials[name][1].trials:,} same",
            )
            for one in deals
            for name, rates in one.false_matches.items()
        ),
    )


def _attacked(attacks: Sequence[Attack]) -> Iterator[str]:
    if not attacks:
        return
    yield _ATTACKS
    yield from _table(
        ("Kind", "origin", "error", "share", "95 %"),
        (
            (
                f"`{one.kind}`",
                "made by the sandbox" if one.made else "recorded",
                "BPCER" if one.kind == GENUINE else "APCER",
                *_counted(one.errors),
            )
            for one in attacks
        ),
    )
    against = [one for one in attacks if one.kind != GENUINE]
    if against:
        worst = max(against, key=lambda one: one.errors.rate)
        yield f"APCER, the maximum over the kinds, never their average: **{worst.errors.rate:.2%}** (`{worst.kind}`)."
        yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
