"""The measured operations: which requests each sends, and what answer it expects."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from benchmarks.figures import SIDES, Side
from benchmarks.front import ACCOUNT
from benchmarks.plan import SCANS, SUBMISSIONS, Pace
from benchmarks.residents import SETTLEMENT, Resident
from benchmarks.wire import request

LOGIN: Final = "login"
WALLET: Final = "wallet read"
WARM: Final = "wallet read, warm"
SUBMIT: Final = "durable submit"
FAN_OUT: Final = "fan-out of four"
SHOW: Final = "certificate show"
VERIFY: Final = "certificate verify"
PROGRESS: Final = "progress"
GROWTH: Final = "growth"
OUTAGE: Final = "outage"


@dataclass(frozen=True, slots=True)
class Operation:
    """Something residents do. `pace`: each request can be sent only once, and so many a second are there."""

    name: str
    requests: Mapping[Side, Sequence[bytes]]
    expected: int
    pace: Pace | None = None

    @property
    def again(self) -> bool:
        """Whether its requests may be sent any number of times."""
        return self.pace is None


def login(residents: Sequence[Resident]) -> Operation:
    """One tap: the code of a known account becomes a session."""
    sent = [
        request("POST", "/v1/citizen/sessions", body={"code": f"{ACCOUNT}{resident.account}"}) for resident in residents
    ]
    return Operation(LOGIN, dict.fromkeys(SIDES, sent), 201)


def wallet(residents: Sequence[Resident]) -> Operation:
    """The list of one's certificates."""
    sent = [request("GET", "/v1/citizen/certificates", headers=resident.headers) for resident in residents]
    return Operation(WALLET, dict.fromkeys(SIDES, sent), 200)


def warm_wallet(residents: Sequence[Resident]) -> Operation:
    """The same read, beside a floor that remembers tokens and sessions as the product does."""
    path = "/v1/citizen/certificates"
    return Operation(
        WARM,
        {
            "ours": [request("GET", path, headers=resident.headers) for resident in residents],
            "floor": [request("GET", f"/warm{path}", headers=resident.headers) for resident in residents],
        },
        200,
    )


def submit(drafts: Mapping[Side, Sequence[tuple[Resident, UUID]]]) -> Operation:
    """A draft becomes an application that is never lost; each draft once."""
    sent = {
        side: [
            request(
                "POST",
                f"/v1/citizen/applications/{application_id}/submissions",
                headers={**resident.headers, "Idempotency-Key": secrets.token_hex(16)},
            )
            for resident, application_id in theirs
        ]
        for side, theirs in drafts.items()
    }
    return Operation(SUBMIT, sent, 202, SUBMISSIONS)


def fan_out(graduate: Resident) -> Operation:
    """Four departments of 50 ms each are asked at once."""
    sent = [request("POST", f"/v1/citizen/matters/{SETTLEMENT}/checks", headers=graduate.headers)]
    return Operation(FAN_OUT, dict.fromkeys(SIDES, sent), 200)


def show(held: Sequence[tuple[Resident, UUID]]) -> Operation:
    """A certificate is shown: a code with its picture, the one before ended, the ledger written."""
    sent = [
        request("POST", f"/v1/citizen/certificates/{certificate_id}/presentations", headers=resident.headers, body={})
        for resident, certificate_id in held
    ]
    return Operation(SHOW, dict.fromkeys(SIDES, sent), 201)


def verify(codes: Mapping[Side, Sequence[str]]) -> Operation:
    """A stranger scans a code: it is used up, the holder reads of it and is told; each code once."""
    sent = {
        side: [request("POST", "/v1/verifiers/verifications", body={"code": code}) for code in theirs]
        for side, theirs in codes.items()
    }
    return Operation(VERIFY, sent, 200, SCANS)


def progress(submitted: Sequence[tuple[Resident, UUID]]) -> Operation:
    """How one's own application stands."""
    sent = [
        request("GET", f"/v1/citizen/applications/{application_id}", headers=resident.headers)
        for resident, application_id in submitted
    ]
    return Operation(PROGRESS, {"ours": sent}, 200)
