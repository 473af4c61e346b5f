"""Decisions about handling: which move is open from where, to whom, and with whom a case lies. Pure functions."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

from auth.types import Role, StaffCaller, StaffScope
from matters.catalogue.types import COMMON_DESK
from matters.handling.types import Holder, Move, Queue
from matters.types import DeliveryState, State, Step

_ENDABLE: Final = frozenset(
    {
        State.SUBMITTED, State.PRE_REVIEW, State.SUPPLEMENT_REQUESTED, State.ACCEPTED, State.IN_REVIEW, State.SUSPENDED,
    },
)  # fmt: skip
# From where each move is open: staff takes one step at a time, and passes none over.
FROM: Final[Mapping[Move, frozenset[State]]] = MappingProxyType(
    {
        Move.ACCEPT: frozenset({State.PRE_REVIEW}),
        Move.NOT_ACCEPT: frozenset({State.PRE_REVIEW}),
        Move.ASK: frozenset({State.PRE_REVIEW}),
        Move.TAKE_UP: frozenset({State.ACCEPTED}),
        Move.SUSPEND: frozenset({State.IN_REVIEW}),
        Move.RESUME: frozenset({State.SUSPENDED}),
        Move.APPROVE: frozenset({State.IN_REVIEW}),
        Move.REJECT: frozenset({State.IN_REVIEW}),
        Move.TERMINATE: _ENDABLE,
        Move.MOVE: _ENDABLE,
        Move.MERGE: _ENDABLE,
    },
)
STEPS: Final[Mapping[Move, Step]] = MappingProxyType(
    {
        Move.ACCEPT: Step.ACCEPTED,
        Move.NOT_ACCEPT: Step.NOT_ACCEPTED,
        Move.ASK: Step.SUPPLEMENT_REQUESTED,
        Move.TAKE_UP: Step.REVIEWED,
        Move.SUSPEND: Step.SUSPENDED,
        Move.RESUME: Step.RESUMED,
        Move.APPROVE: Step.APPROVED,
        Move.REJECT: Step.REJECTED,
        Move.TERMINATE: Step.TERMINATED,
        Move.MOVE: Step.MOVED,
        Move.MERGE: Step.TERMINATED,
    },
)
# Any window takes in any matter (无差别受理); what has legal effect is decided by approvers and by the department.
TAKING_IN: Final = frozenset({Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR})
DECIDING: Final = frozenset({Role.APPROVER, Role.DEPARTMENT_OPERATOR})
LOOKING: Final = TAKING_IN | DECIDING | {Role.OPERATOR}
FORWARDING: Final = frozenset({Role.OPERATOR, Role.DEPARTMENT_OPERATOR})
ROLES: Final[Mapping[Move, frozenset[Role]]] = MappingProxyType(
    {
        Move.ACCEPT: TAKING_IN,
        Move.NOT_ACCEPT: TAKING_IN,
        Move.ASK: TAKING_IN,
        Move.TAKE_UP: DECIDING,
        Move.SUSPEND: DECIDING,
        Move.RESUME: DECIDING,
        Move.APPROVE: DECIDING,
        Move.REJECT: DECIDING,
        Move.TERMINATE: DECIDING,
        Move.MOVE: TAKING_IN,
        Move.MERGE: TAKING_IN,
    },
)
# What only the department itself does while its own system has the dossier (docs/decisions/0040).
_OF_THE_DEPARTMENT: Final = frozenset(
    {Move.ACCEPT, Move.NOT_ACCEPT, Move.TAKE_UP, Move.SUSPEND, Move.RESUME, Move.APPROVE, Move.REJECT},
)
_DECISIONS: Final = frozenset({Move.APPROVE, Move.REJECT})
_ENDS_OR_LEAVES: Final = frozenset({Move.TERMINATE, Move.MOVE, Move.MERGE})
# It has left, and nobody here can say that it has not arrived.
ON_ITS_WAY: Final = frozenset({DeliveryState.SENT, DeliveryState.UNKNOWN})
_WITH_THEM: Final = ON_ITS_WAY | {DeliveryState.ACKNOWLEDGED}
# Why a case is annulled when it was an error of ours (S3-07).
ERRORS: Final = frozenset({"taken-by-mistake", "wrong-matter"})

QUEUES: Final[Mapping[Queue, frozenset[State]]] = MappingProxyType(
    {
        Queue.ALL: frozenset(State) - {State.DRAFT},
        Queue.DELIVERY: frozenset({State.SUBMITTED}),
        Queue.ACCEPTANCE: frozenset({State.PRE_REVIEW}),
        Queue.REVIEW: frozenset({State.ACCEPTED}),
        Queue.DECISION: frozenset({State.IN_REVIEW}),
        Queue.WAITING: frozenset({State.SUPPLEMENT_REQUESTED, State.SUSPENDED}),
        Queue.ENDED: frozenset(
            {
                State.APPROVED, State.REJECTED, State.NOT_ACCEPTED, State.DELIVERED, State.CLOSED, State.WITHDRAWN,
                State.TERMINATED,
            },
        ),
    },
)  # fmt: skip


def holder_of(*, by_rules: bool, desk: str, delivery: DeliveryState | None) -> Holder:
    """Return with whom a case lies.

    What rules have left for a person was sent to nobody. At the common desk the department's people have no system of
    their own: they work with what is here, and both ways count.
    """
    if by_rules or desk == COMMON_DESK or delivery not in _WITH_THEM:
        return Holder.STAFF
    return Holder.SYSTEM


def is_open(move: Move, state: State) -> bool:
    """Tell whether a move is open to anybody from a state."""
    return state in FROM[move]


def is_of_the_department(move: Move, holder: Holder) -> bool:
    """Tell whether a move is made by the department's own system alone."""
    return holder is Holder.SYSTEM and move in _OF_THE_DEPARTMENT


def waits_for_delivery(move: Move, delivery: DeliveryState | None) -> bool:
    """Tell whether the dossier's way has to be settled before a case ends or leaves."""
    held_back = move is Move.MOVE and delivery is DeliveryState.HELD
    return move in _ENDS_OR_LEAVES and (held_back or delivery in ON_ITS_WAY)


def are_same_hands(move: Move, hands: AbstractSet[str], operator: str) -> bool:
    """Tell whether somebody would decide what they have taken in themselves."""
    return move in _DECISIONS and operator in hands


def may(
    operator: StaffCaller,
    where: StaffScope,
    *,
    state: State,
    holder: Holder,
    delivery: DeliveryState | None,
    hands: AbstractSet[str],
    decided_together: bool,
) -> list[Move]:
    """Return the moves that an operator may make now: what the routes would not refuse.

    What several departments decide together is decided by the word of the last of them, and by no operator's alone.
    """
    return [
        move
        for move in Move
        if is_open(move, state)
        and not is_of_the_department(move, holder)
        and not waits_for_delivery(move, delivery)
        and not are_same_hands(move, hands, str(operator.operator_id))
        and not (decided_together and move in _DECISIONS)
        and any(scope.covers(where) for scope in operator.scopes(ROLES[move]))
    ]
