"""The housing fund as an issuer: the sharing interface, items of its own (`docs/departments/housing-fund.md`)."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from certificates.adapters.reading import as_issuer, compact_day, text, version
from certificates.adapters.sharing import SharingDesk
from certificates.rules import STATES_TOLD
from certificates.types import CertificateQuery, Issued
from core.outbound import Outbound, Partner
from core.signers.sharing import SharingEnvelope

_TYPE: Final = "HF01"
_STATUSES: Final[Mapping[str, str]] = {"01": "normal", "02": "sealed", "03": "closed", "99": "frozen"}
_MOST_FEN: Final = 10**13
_YEAR_MONTH: Final = len("YYYYMM")


class HousingFund:
    """Asks the housing fund for the account of a resident."""

    def __init__(self, *, outbound: Outbound, partner: Partner, envelope: SharingEnvelope) -> None:
        self._desk = SharingDesk(outbound=outbound, partner=partner, envelope=envelope)
        self._name = partner.name

    async def fetch(self, query: CertificateQuery) -> Issued | None:
        """Return the account as it stands now, or None when none is held.

        Raises:
            NotConfirmed: it is on record, and not confirmed.
            IssuerUnavailable: no answer, or one that the page does not have.
        """
        told = await self._desk.ask("/sharing/GetCertificateDataByHolder", _TYPE, query)
        if told is None:
            return None
        with as_issuer(self._name):
            return _issued(told)


def _issued(told: Mapping[str, Any]) -> Issued:
    status = text(told, "grzhzt")
    return Issued(
        state=STATES_TOLD[told["zzzt"]],
        issuer=text(told, "fzjg"),
        issuer_code=text(told, "fzjgdm"),
        serial=text(told, "lsh"),
        version=version(told["bbh"]),
        identifier=None,
        fields={
            "account": text(told, "grzh"),
            "name": text(told, "xingming"),
            "employer": told.get("dwmc"),
            "base_fen": _fen(told["grjcjs"]),
            "monthly_fen": _fen(told["gryjce"]),
            "rate_percent": int(text(told, "jcbl")),
            "balance_fen": _fen(told["grzhye"]),
            "paid_until": _month(told.get("jzny")),
            "opened_on": compact_day(told.get("khrq")),
            # A word that came to the page later is shown as it is, and is red.
            "status": _STATUSES.get(status, status),
        },
    )


def _fen(yuan: object) -> int:
    """Return fen of an amount in yuan with at most two decimals.

    Raises:
        ValueError: it is no such amount.
    """
    try:
        fen = Decimal(yuan if isinstance(yuan, str) else "") * 100
    except InvalidOperation as error:
        raise ValueError("amount") from error
    if not fen.is_finite() or fen != fen.to_integral_value() or not 0 <= fen < _MOST_FEN:
        raise ValueError("amount")
    return int(fen)


def _month(value: object) -> str | None:
    """Return a month written `YYYYMM` as `YYYY-MM`; None when nothing was ever paid in."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) != _YEAR_MONTH or not value.isdecimal():
        raise ValueError("month")
    return f"{value[:4]}-{value[4:]}"
