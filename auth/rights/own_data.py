"""What auth itself stores about a person: who they are, how they come in, what they agreed to, what they asked for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.places.recent import RecentSessions
from auth.records import ID_NUMBER, Records
from auth.rights.keeping import Keeping
from auth.types import Erasure, Kept, Outlook, Plain, Section, Stop, Term
from core.audit.ledger import LedgerLine, lines_of
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, require_transaction

LineTerms = Callable[[Sequence[LedgerLine]], Awaitable[Mapping[str, Term]]]

TEXT: Final = "correction.text"
ANSWER: Final = "correction.answer"
_LINES: Final = 500

_CITIZEN: Final = "SELECT elder_chosen, identified_at, created_at, state FROM citizen WHERE id = $1"
_ACCOUNTS: Final = """
SELECT id, openid_hash, created_at, bound_at FROM wechat_account WHERE citizen_id = $1 ORDER BY id
"""
_SESSIONS: Final = """
SELECT id, level, elder, device_hash, generation, operator_id, created_at, last_used_at, expires_at, ended_at,
       end_reason
FROM citizen_session WHERE citizen_id = $1 ORDER BY id
"""
_CONSENTS: Final = """
SELECT id, purpose, version, text_hash, channel, given_by, given_at, withdrawn_at, request_id FROM consent
WHERE citizen_id = $1 ORDER BY id
"""
_ATTEMPTS: Final = "SELECT id, started_at FROM real_name_attempt WHERE citizen_id = $1 ORDER BY id"
_EXPORTS: Final = """
SELECT id, state, requested_at, ready_at, expires_at, downloads FROM data_export WHERE citizen_id = $1 ORDER BY id
"""
_CORRECTIONS: Final = """
SELECT id, number, about, object_id, text_sealed, state, recheck, answer_sealed, created_at, answered_at
FROM correction WHERE citizen_id = $1 ORDER BY id
"""
_REPORTS: Final = """
SELECT id, line_id, kind, state, reported_at, answered_at FROM ledger_report WHERE citizen_id = $1 ORDER BY id
"""
_CLOSURES: Final = """
SELECT id, state, reason, requested_at, closes_at, ended_at FROM account_closure WHERE citizen_id = $1 ORDER BY id
"""
_CLOSED_AT: Final = """
SELECT max(ended_at) AS at FROM account_closure WHERE citizen_id = $1 AND state = 'closed'
"""
_OPEN_CORRECTIONS: Final = "SELECT id, number FROM correction WHERE citizen_id = $1 AND state = 'open' ORDER BY id"
_ANY_CONSENT: Final = "SELECT 1 AS any FROM consent WHERE citizen_id = $1 LIMIT 1"
# In the order in which they may go: what points at a session goes before it.
_GO: Final[Mapping[str, str]] = {
    "refresh_token": """
        DELETE FROM refresh_token WHERE session_id IN (SELECT id FROM citizen_session WHERE citizen_id = $1)
    """,
    "citizen_session": "DELETE FROM citizen_session WHERE citizen_id = $1",
    "wechat_account": "DELETE FROM wechat_account WHERE citizen_id = $1",
    "real_name_attempt": "DELETE FROM real_name_attempt WHERE citizen_id = $1",
    "data_export": "DELETE FROM data_export WHERE citizen_id = $1",
    "correction": "DELETE FROM correction WHERE citizen_id = $1",
    "ledger_report": "DELETE FROM ledger_report WHERE citizen_id = $1",
}
_BLANK: Final = """
UPDATE citizen SET name_sealed = NULL, id_number_sealed = NULL, id_number_hash = NULL, mobile_sealed = NULL,
                   mobile_hash = NULL, elder_chosen = $2
WHERE id = $1 AND state = 'closed'
"""
_FORGET_SUBJECT: Final = "DELETE FROM real_name_subject WHERE key = $1"
_FORGET_CONSENTS: Final = "DELETE FROM consent WHERE citizen_id = $1"


def plain_row(row: Mapping[str, Any], *moments: str) -> dict[str, Plain]:
    """Return a row as plain values, its time columns (`moments`) the same from both databases."""
    told: dict[str, Plain] = {}
    for name, value in row.items():
        if name in moments:
            told[name] = None if value is None else as_moment(value).isoformat()
        else:
            told[name] = str(value) if isinstance(value, UUID) else value
    return told


class AuthData:
    """What auth stores about people."""

    def __init__(self, *, recent: RecentSessions, records: Records, vault: Vault, keeping: Keeping) -> None:
        self._recent = recent
        self._records = records
        self._vault = vault
        self._keeping = keeping

    async def export(self, citizen_id: UUID) -> Sequence[Section]:
        """Return everything, in the clear.

        Raises:
            RecordUnreadable: something sealed does not open.
            DatabaseUnavailable: the database could not be reached.
        """
        accounts = [
            {
                **plain_row({name: row[name] for name in ("id", "created_at", "bound_at")}, "created_at", "bound_at"),
                "mark": row["openid_hash"][:8],
            }
            for row in await fetch(_ACCOUNTS, citizen_id)
        ]
        sessions = [
            {
                **plain_row(
                    {name: value for name, value in row.items() if name != "operator_id"},
                    "created_at",
                    "last_used_at",
                    "expires_at",
                    "ended_at",
                ),
                "by_officer": row["operator_id"] is not None,
                "device_hash": row["device_hash"][:8],
                "elder": bool(row["elder"]),
            }
            for row in await fetch(_SESSIONS, citizen_id)
        ]
        consents = [plain_row(row, "given_at", "withdrawn_at") for row in await fetch(_CONSENTS, citizen_id)]
        attempts = [plain_row(row, "started_at") for row in await fetch(_ATTEMPTS, citizen_id)]
        exports = [
            plain_row(row, "requested_at", "ready_at", "expires_at") for row in await fetch(_EXPORTS, citizen_id)
        ]
        reports = [plain_row(row, "reported_at", "answered_at") for row in await fetch(_REPORTS, citizen_id)]
        closures = [
            plain_row(row, "requested_at", "closes_at", "ended_at") for row in await fetch(_CLOSURES, citizen_id)
        ]
        return [
            Section("identity", "身份信息", "Identity", ("citizen", "person_key"), await self._identity(citizen_id)),
            Section("accounts", "微信账户", "WeChat accounts", ("wechat_account",), accounts),
            Section("sessions", "登录记录", "Sessions", ("citizen_session", "refresh_token"), sessions),
            Section("consents", "同意记录", "Consents", ("consent",), consents),
            Section(
                "attempts",
                "实名核验次数",
                "Attempts at the real name",
                ("real_name_attempt", "real_name_subject"),
                attempts,
            ),
            Section("corrections", "更正申请", "Corrections", ("correction",), await self._corrections(citizen_id)),
            Section("ledger-reports", "对使用记录的反映", "Reports on the ledger", ("ledger_report",), reports),
            Section("exports", "导出记录", "Exports", ("data_export",), exports),
            Section("closures", "注销申请", "Closings", ("account_closure",), closures),
        ]

    async def foresee(self, citizen_id: UUID, now: datetime) -> Outlook:
        """Return the corrections that would stay unanswered, and that consents are kept as evidence.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        stops = tuple(
            Stop("correction", as_uuid(row["id"]), f"更正申请 {row['number']}", f"Correction {row['number']}")
            for row in await fetch(_OPEN_CORRECTIONS, citizen_id)
        )
        return Outlook(stops, await self._kept(citizen_id, now, now))

    async def erase(self, citizen_id: UUID, now: datetime) -> Erasure:
        """Erase everything but the evidence of consents, which goes when its date has come.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        record = await self._records.find(citizen_id)
        erased = {table: await execute(sql, citizen_id) for table, sql in _GO.items()}
        self._recent.changed(citizen_id)
        keys = [f"a:{citizen_id}"]
        if record is not None and record.id_number is not None:
            keys += [f"n:{each}" for each in set(self._vault.indexes(ID_NUMBER, record.id_number.reveal()))]
        erased["real_name_subject"] = sum([await execute(_FORGET_SUBJECT, key) for key in keys])
        await execute(_BLANK, citizen_id, False)
        row = await fetch_one(_CLOSED_AT, citizen_id)
        closed_at = now if row is None or row["at"] is None else as_moment(row["at"])
        due = self._keeping.due_before("consents", now)
        if due is not None and closed_at <= due:
            erased["consent"] = await execute(_FORGET_CONSENTS, citizen_id)
        return Erasure(erased, await self._kept(citizen_id, closed_at, now))

    async def _kept(self, citizen_id: UUID, since: datetime, now: datetime) -> tuple[Kept, ...]:
        kept = [self._keeping.kept("repeated-answers", since=since)]
        if await fetch_one(_ANY_CONSENT, citizen_id) is not None:
            kept.append(self._keeping.kept("consents", since=since))
        return tuple(each for each in kept if each.until is None or each.until > now)

    async def _identity(self, citizen_id: UUID) -> list[dict[str, Plain]]:
        record, row = await self._records.find(citizen_id), await fetch_one(_CITIZEN, citizen_id)
        if record is None or row is None:
            return []
        return [
            {
                "id": str(citizen_id),
                "name": None if record.name is None else record.name.reveal(),
                "id_number": None if record.id_number is None else record.id_number.reveal(),
                "mobile": None if record.mobile is None else record.mobile.reveal(),
                **plain_row(row, "identified_at", "created_at"),
                "elder_chosen": record.elder_chosen,
            }
        ]

    async def _corrections(self, citizen_id: UUID) -> list[dict[str, Plain]]:
        person = await self._vault.find_person(citizen_id)
        found: list[dict[str, Plain]] = []
        for row in await fetch(_CORRECTIONS, citizen_id):
            row_id, answer = as_uuid(row["id"]), row["answer_sealed"]
            shown = {name: value for name, value in row.items() if not name.endswith("_sealed")}
            found.append(
                {
                    **plain_row(shown, "created_at", "answered_at"),
                    "text": person.open(TEXT, row_id, row["text_sealed"]),
                    "answer": None if answer is None else person.open(ANSWER, row_id, answer),
                }
            )
        return found


class LedgerData:
    """The lines of the audit that concern a person. They carry ids and names of fields, and are never changed."""

    def __init__(self, *, keeping: Keeping, words: Mapping[str, str], terms: LineTerms) -> None:
        """Build it; `words` says in Chinese what each action is, `terms` what the codes in some lines are called."""
        self._keeping = keeping
        self._words = words
        self._terms = terms

    async def export(self, citizen_id: UUID) -> Sequence[Section]:
        """Return every line about the person, newest first.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows: list[dict[str, Plain]] = []
        every: list[LedgerLine] = []
        before: tuple[datetime, UUID] | None = None
        while lines := await lines_of(citizen_id, before=before, limit=_LINES):
            rows += [
                {
                    "id": str(line.id),
                    "at": line.at.isoformat(),
                    "actor_kind": line.actor_kind,
                    # Who else acted is told by kind: their id is theirs.
                    "actor": "self" if line.actor_id == str(citizen_id) else line.actor_kind,
                    "action": line.action,
                    "action_title": self._words.get(line.action, line.action),
                    "purpose": line.purpose,
                    "object_kind": line.object_kind,
                    "object_id": line.object_id,
                    "fields": list(line.field_names),
                    "outcome": line.outcome,
                }
                for line in lines
            ]
            every += lines
            before = (lines[-1].at, lines[-1].id)
        terms = await self._terms(every)
        return [Section("ledger", "谁用过我的数据", "Who used my data", ("audit_line",), rows, terms)]

    async def foresee(self, citizen_id: UUID, now: datetime) -> Outlook:
        """Return that the lines stay.

        Raises:
            DatabaseUnavailable: never; nothing is asked.
        """
        del citizen_id
        return Outlook(kept=(self._keeping.kept("ledger", since=now),))

    async def erase(self, citizen_id: UUID, now: datetime) -> Erasure:
        """Erase nothing: the lines form one chain, and point at nobody once the account is closed.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        del citizen_id
        return Erasure({}, (self._keeping.kept("ledger", since=now),))
