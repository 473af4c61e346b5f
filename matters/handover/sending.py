"""The one way in which anything goes to a department: never twice where twice would count twice."""

from collections.abc import Awaitable, Callable

from matters.errors import DepartmentUnavailable, DossierDeclined, QuestionRefused
from matters.handover.errors import SupplementDeclined, WithdrawalDeclined
from matters.handover.types import Attempt
from matters.ports import Department
from matters.types import Dedupe, DeliveryState, Dossier, Filed, Receipt

# Writes down that a try has failed, and whether what was sent is still to leave (`pending`) or may have (`sent`).
Failed = Callable[[DeliveryState], Awaitable[None]]


async def hand_over(department: Department, dossier: Dossier, before: DeliveryState, failed: Failed) -> Attempt:
    """Hand a dossier over; one that may have arrived is asked for first, where that is the way to know.

    `before` is how its delivery stood when it was taken up: `sent` means that it may have arrived already.

    Raises:
        DepartmentUnavailable: try again later.
        QuestionRefused: an operator has to mend how we ask.
    """

    async def send() -> Receipt:
        if before is DeliveryState.SENT and department.dedupe is Dedupe.QUERY:
            found = await department.status(Filed(dossier.reference, dossier.department))
            if found is not None:
                return Receipt(found.receipt_number)
        return await department.submit(dossier)

    return await attempt(send, before, failed, repeatable=department.dedupe is not Dedupe.NONE)


async def attempt(
    send: Callable[[], Awaitable[Receipt | None]], before: DeliveryState, failed: Failed, *, repeatable: bool
) -> Attempt:
    """Send something once; what may have arrived and is not `repeatable` becomes `unknown` and waits for a person.

    Raises:
        DepartmentUnavailable: try again later.
        QuestionRefused: an operator has to mend how we ask.
    """
    if before is DeliveryState.SENT and not repeatable:
        return Attempt(DeliveryState.UNKNOWN)
    try:
        receipt = await send()
    except DossierDeclined as declined:
        return Attempt(DeliveryState.REFUSED, declined.reason)
    except (SupplementDeclined, WithdrawalDeclined):
        return Attempt(DeliveryState.REFUSED, "declined")
    except QuestionRefused:
        # Nothing was taken; the job is buried, and goes on from here when an operator digs it up.
        await failed(before)
        raise
    except DepartmentUnavailable as away:
        if away.ambiguous and not repeatable:
            return Attempt(DeliveryState.UNKNOWN)
        never_left = before is DeliveryState.PENDING and not away.ambiguous
        await failed(DeliveryState.PENDING if never_left else DeliveryState.SENT)
        raise
    return Attempt(DeliveryState.ACKNOWLEDGED, receipt=receipt)
