"""The housing fund, pretended from `docs/departments/housing-fund.md`: the sharing interface, items by initials."""

from typing import Any

from aiohttp import web

from sandbox.ground.answers import Json
from sandbox.ground.sharing import NoneHeld, NotConfirmed, SharingDesk, check_type, compact
from sandbox.issuers.drawer import UNCONFIRMED, Drawer
from sandbox.people import Person

_KIND = "housing-fund"
_TYPE = "HF01"
_STATUSES = {"normal": "01", "sealed": "02", "closed": "03", "frozen": "99"}


class HousingFund:
    """Accounts of the housing fund, answered encrypted to the caller."""

    def __init__(self, *, desk: SharingDesk, drawer: Drawer) -> None:
        self._desk = desk
        self._drawer = drawer

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [web.post("/housing-fund/sharing/GetCertificateDataByHolder", self._desk.shares(self._account))]

    async def _account(self, person: Person, data: Json) -> Json:
        check_type(data, _TYPE)
        account = await self._drawer.find(person, _KIND)
        if account is None:
            raise NoneHeld
        if account["state"] == UNCONFIRMED:
            raise NotConfirmed
        return _as_shared(account)


def _as_shared(account: dict[str, Any]) -> Json:
    fields = account["fields"]
    return {
        "grzh": fields["account"],
        "xingming": fields["name"],
        "dwmc": fields["employer"],
        "grjcjs": _yuan(fields["base_fen"]),
        "gryjce": _yuan(fields["monthly_fen"]),
        "jcbl": str(fields["rate_percent"]),
        "grzhye": _yuan(fields["balance_fen"]),
        "jzny": fields["paid_until"].replace("-", "")[:6],
        "khrq": compact(account["issued_on"]),
        "grzhzt": _STATUSES[fields["status"]],
        "zzzt": account["state"],
        "fzjg": account["issuer"],
        "fzjgdm": account["issuer_code"],
        "lsh": account["serial"],
        "bbh": account["version"],
    }


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
