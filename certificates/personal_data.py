"""What the wallet stores about a person: certificates, codes that were shown, stamped copies, consents to verifiers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from auth.registers.purposes import USUAL
from auth.types import Erasure, Outlook, Plain, Section, Term
from certificates.definitions import Kinds
from certificates.living.reports import report_of
from certificates.ports import Verifiers
from certificates.records import Record, Records
from certificates.types import Report
from certificates.wording import OUTCOMES, REASONS, REPORTS, SOURCES, STATES, kind_terms
from core.crypto import Vault
from core.db import as_json, as_moment, as_uuid, execute, fetch, require_transaction

Row: TypeAlias = Mapping[str, Plain]

# What the parts of the wallet have in common; the rest is called as everywhere in an export.
_COMMON: Final[Mapping[str, Term]] = {
    "state": Term("状态", "State", STATES),
    "state_before": Term("原状态", "State before", STATES),
    "outcome": Term("结果", "Outcome", OUTCOMES),
    "source": Term("来源", "Source", SOURCES),
    "reason": Term("原因", "Reason", REASONS),
    "code": Term("状态代码", "Code of the state"),
    "version": Term("证照版本", "Version"),
    "field": Term("内容项", "Field"),
    "claims": Term("出示的结论", "Claims"),
    "consumer": Term("接收方", "Made for"),
    "made_at": Term("生成时间", "Made at"),
    "verifier_id": Term("用证单位编号", "Verifier"),
    "once": Term("仅限一次", "Once"),
}

# The kind stands with the certificate, for as long as it is held.
_SHOWN: Final = """
SELECT p.id, p.certificate_id, c.kind, p.verifier_id, p.mandate_id, p.field_names, p.claims, p.purpose, p.created_at,
       p.expires_at, p.used_at
FROM certificate_presentation p LEFT JOIN certificate c ON c.id = p.certificate_id WHERE p.citizen_id = $1 ORDER BY p.id
"""
_CHANGED: Final = """
SELECT e.certificate_id, c.kind, e.at, e.source, e.state_before, e.state, e.code, e.version, e.reason
FROM certificate_event e LEFT JOIN certificate c ON c.id = e.certificate_id WHERE e.citizen_id = $1 ORDER BY e.id
"""
_ASKED: Final = "SELECT kind, outcome, asked_at FROM certificate_asking WHERE citizen_id = $1 ORDER BY kind"
_REPORTED: Final = "SELECT * FROM certificate_report WHERE citizen_id = $1 ORDER BY id"
_FORGET_REPORTED: Final = "DELETE FROM certificate_report WHERE citizen_id = $1"
_FORGET_CHANGED: Final = "DELETE FROM certificate_event WHERE citizen_id = $1"
_FORGET_ASKED: Final = "DELETE FROM certificate_asking WHERE citizen_id = $1"
_AGREED: Final = """
SELECT id, verifier_id, kind, field_names, claims, purpose, once, given_at, expires_at, used_at, withdrawn_at
FROM certificate_disclosure WHERE citizen_id = $1 ORDER BY id
"""
_COPIES: Final = """
SELECT p.id, p.certificate_id, c.kind, p.field_names, p.consumer, p.purpose, p.made_at, p.expires_at
FROM certificate_copy p LEFT JOIN certificate c ON c.id = p.certificate_id WHERE p.citizen_id = $1 ORDER BY p.id
"""
_FORGET_COPIES: Final = "DELETE FROM certificate_copy WHERE citizen_id = $1"
_FORGET_AGREED: Final = "DELETE FROM certificate_disclosure WHERE citizen_id = $1"
_FORGET_SHOWN: Final = "DELETE FROM certificate_presentation WHERE citizen_id = $1"
_FORGET: Final = "DELETE FROM certificate WHERE citizen_id = $1"


class WalletData:
    """What certificates store about people. A wallet holds copies: the originals stay with their issuers."""

    def __init__(self, *, records: Records, kinds: Kinds, verifiers: Verifiers, vault: Vault) -> None:
        self._records = records
        self._kinds = kinds
        self._verifiers = verifiers
        self._vault = vault

    async def export(self, citizen_id: UUID) -> Sequence[Section]:
        """Return every certificate with its fields and what became of it, codes shown, consents given, issuers asked.

        Each section has the words for its kinds with their fields, claims and codes, and for verifiers' purposes.

        Raises:
            RecordUnreadable: a certificate does not open.
            DatabaseUnavailable: the database could not be reached.
        """
        person = await self._vault.find_person(citizen_id)
        purposes = await self._verifiers.purposes()
        titles = dict(USUAL) | {code: term for told in purposes.values() for code, term in told.items()}
        certificates = await self._records.all_of(citizen_id)

        def section(name: str, title: str, title_en: str, table: str, rows: Sequence[Row], **terms: Term) -> Section:
            # Each row has the words of its own kind with it: two kinds call one field differently.
            used = [(str(row.get("kind")), _names(row)) for row in rows]
            said = {"kind": Term("证照种类", "Kind", kind_terms(self._kinds, used)), **_COMMON, **terms}
            told = {str(row.get("purpose")) for row in rows}
            said["purpose"] = Term("用途", "Purpose", {code: titles[code] for code in sorted(told & titles.keys())})
            return Section(name, title, title_en, (table,), rows, said)

        rows = await fetch(_REPORTED, citizen_id)
        return [
            section(
                "certificates", "电子证照", "Certificates", "certificate", [_certificate(each) for each in certificates]
            ),
            section(
                "presentations",
                "亮证记录",
                "Presentations",
                "certificate_presentation",
                [_presentation(row) for row in await fetch(_SHOWN, citizen_id)],
            ),
            section(
                "certificate-changes",
                "证照变更记录",
                "What became of certificates",
                "certificate_event",
                [_change(row) for row in await fetch(_CHANGED, citizen_id)],
            ),
            section(
                "certificate-reports",
                "报告的错误",
                "Wrong values reported",
                "certificate_report",
                [_reported(report_of(row, person), row["kind"]) for row in rows],
                state=Term("处理情况", "State", REPORTS),
            ),
            section(
                "certificate-questions",
                "向发证部门的查询",
                "Issuers asked",
                "certificate_asking",
                [_asked(row) for row in await fetch(_ASKED, citizen_id)],
            ),
            section(
                "copies",
                "加注件",
                "Stamped copies",
                "certificate_copy",
                [_copy(row) for row in await fetch(_COPIES, citizen_id)],
            ),
            section(
                "disclosures",
                "用证授权",
                "Consents to verifiers",
                "certificate_disclosure",
                [_disclosure(row) for row in await fetch(_AGREED, citizen_id)],
            ),
        ]

    async def foresee(self, citizen_id: UUID, now: datetime) -> Outlook:
        """Return that nothing is stopped and nothing kept: the copies go.

        Raises:
            DatabaseUnavailable: never; nothing is asked.
        """
        del citizen_id, now
        return Outlook()

    async def erase(self, citizen_id: UUID, now: datetime) -> Erasure:
        """Erase the wallet.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        del now
        return Erasure(
            {
                "certificate_copy": await execute(_FORGET_COPIES, citizen_id),
                "certificate_disclosure": await execute(_FORGET_AGREED, citizen_id),
                "certificate_presentation": await execute(_FORGET_SHOWN, citizen_id),
                "certificate_report": await execute(_FORGET_REPORTED, citizen_id),
                "certificate_event": await execute(_FORGET_CHANGED, citizen_id),
                "certificate_asking": await execute(_FORGET_ASKED, citizen_id),
                "certificate": await execute(_FORGET, citizen_id),
            }
        )

    async def owns(self, citizen_id: UUID, certificate_id: UUID) -> bool:
        """Tell whether a person holds a certificate.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await self._records.find(certificate_id, citizen_id) is not None


def _names(row: Row) -> list[str]:
    """Return the fields and claims that a row speaks of."""
    listed = [row.get(name) for name in ("fields", "claims")]
    return [str(name) for names in listed if isinstance(names, list) for name in names]


def _certificate(record: Record) -> dict[str, Plain]:
    content = record.content
    return {
        "id": str(record.id),
        "kind": record.kind,
        "state": content.state.value,
        "number": content.number,
        "identifier": content.identifier,
        "version": content.version,
        "issuer": content.issuer,
        "valid_until": None if content.valid_until is None else content.valid_until.isoformat(),
        "fields": dict(content.fields),
        "fetched_at": record.fetched_at.isoformat(),
        "stale_since": None if record.stale_since is None else record.stale_since.isoformat(),
    }


def _presentation(row: Mapping[str, Any]) -> dict[str, Plain]:
    return {
        "id": str(as_uuid(row["id"])),
        "certificate_id": str(as_uuid(row["certificate_id"])),
        "kind": row["kind"],
        "fields": as_json(row["field_names"]),
        "claims": as_json(row["claims"]),
        "verifier_id": None if row["verifier_id"] is None else str(as_uuid(row["verifier_id"])),
        "purpose": row["purpose"],
        "by": "self" if row["mandate_id"] is None else "agent",
        "created_at": as_moment(row["created_at"]).isoformat(),
        "expires_at": as_moment(row["expires_at"]).isoformat(),
        "used_at": None if row["used_at"] is None else as_moment(row["used_at"]).isoformat(),
    }


def _change(row: Mapping[str, Any]) -> dict[str, Plain]:
    return {
        "certificate_id": str(as_uuid(row["certificate_id"])),
        "at": as_moment(row["at"]).isoformat(),
        **{name: row[name] for name in ("kind", "source", "state_before", "state", "code", "version", "reason")},
    }


def _reported(report: Report, kind: str) -> dict[str, Plain]:
    return {
        "kind": kind,
        "field": report.field,
        "text": report.text,
        "state": report.state.value,
        "created_at": report.created_at.isoformat(),
        "answered_at": None if report.answered_at is None else report.answered_at.isoformat(),
        "note": report.note,
    }


def _asked(row: Mapping[str, Any]) -> dict[str, Plain]:
    asked_at = None if row["asked_at"] is None else as_moment(row["asked_at"]).isoformat()
    return {"kind": row["kind"], "outcome": row["outcome"], "asked_at": asked_at}


def _copy(row: Mapping[str, Any]) -> dict[str, Plain]:
    return {
        "id": str(as_uuid(row["id"])),
        "certificate_id": str(as_uuid(row["certificate_id"])),
        "kind": row["kind"],
        "fields": as_json(row["field_names"]),
        "consumer": row["consumer"],
        "purpose": row["purpose"],
        "made_at": as_moment(row["made_at"]).isoformat(),
        "expires_at": as_moment(row["expires_at"]).isoformat(),
    }


def _disclosure(row: Mapping[str, Any]) -> dict[str, Plain]:
    moments = ("given_at", "expires_at", "used_at", "withdrawn_at")
    return {
        "id": str(as_uuid(row["id"])),
        "verifier_id": str(as_uuid(row["verifier_id"])),
        "kind": row["kind"],
        "fields": as_json(row["field_names"]),
        "claims": as_json(row["claims"]),
        "purpose": row["purpose"],
        "once": bool(row["once"]),
        **{name: None if row[name] is None else as_moment(row[name]).isoformat() for name in moments},
    }
