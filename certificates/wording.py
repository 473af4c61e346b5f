"""What people read in place of names and codes: of kinds and their fields, claims, states, outcomes."""

from collections.abc import Iterable, Mapping
from typing import Final

from auth.types import Term
from certificates import rules
from certificates.definitions import Kinds
from certificates.types import FieldDefinition, Kind, ReportState, Source, State, Text

STATES: Final[Mapping[str, Term]] = {
    State.ACTIVE: Term("有效", "Active"),
    State.EXPIRING: Term("即将到期", "Expiring"),
    State.EXPIRED: Term("已过期", "Expired"),
    State.FROZEN: Term("已冻结", "Frozen"),
    State.REVOKED: Term("已撤销", "Revoked"),
    State.CANCELLED: Term("已注销", "Cancelled"),
    State.MOVED: Term("已转出", "Moved away"),
}
"""How a certificate stands."""
OUTCOMES: Final[Mapping[str, Term]] = {
    "ok": Term("成功", "Done"),
    "used": Term("已用过，未通过", "Used before: not taken"),
    "unknown": Term("查无此码", "Not known"),
    "bad_signature": Term("签名不对", "The signature is wrong"),
    "unreadable": Term("读不出来", "Cannot be read"),
    "other_verifier": Term("不是您指定的用证单位，未通过", "Not the verifier you named: not taken"),
    "not-agreed": Term("您没有授权，未提供", "You had not agreed: nothing was told"),
    "none-held": Term("发证部门没有查到", "The issuer has none"),
    "not-confirmed": Term("发证部门尚未确认", "Not confirmed by the issuer yet"),
    "issuer-unavailable": Term("发证部门没有回应", "The issuer did not answer"),
    "other_purpose": Term("用于其他用途，不能用", "Used for another purpose: not good"),
    "altered": Term("文件被改动过", "The file was altered"),
    "changed": Term("证照内容已变更", "The certificate has changed since"),
    "corrected": Term("已更正", "Corrected"),
    "confirmed": Term("核实无误", "Confirmed as it stands"),
    **STATES,
}
"""What came of showing, checking, asking and reporting."""
SOURCES: Final[Mapping[str, Term]] = {
    Source.PULL: Term("向发证部门查询", "We asked the issuer"),
    Source.PUSH: Term("发证部门通知", "The issuer told us"),
    Source.SYSTEM: Term("系统自动处理", "The system itself"),
}
"""How we came to know of a change."""
REPORTS: Final[Mapping[str, Term]] = {
    ReportState.WAITING: Term("待转交", "Waiting to be handed on"),
    ReportState.SENT: Term("已转交发证部门", "Handed to the issuer"),
    ReportState.CORRECTED: Term("已更正", "Corrected"),
    ReportState.CONFIRMED: Term("核实无误", "Confirmed as it stands"),
}
"""How far a report of a wrong value is."""
REASONS: Final[Mapping[str, Term]] = {
    "fetched": Term("领取", "Fetched"),
    "changed": Term("内容有变化", "Its content changed"),
    "none-held": Term("发证部门不再有此证照", "The issuer has it no more"),
    "death": Term("持证人死亡登记", "The holder was recorded as deceased"),
}
"""Why a certificate's state changed, where it is our own doing."""


def word_of(kind: Kind | None, name: str) -> Text:
    """Return what a field or a claim of a kind is called; itself, where the kind has no such thing any more."""
    title = next((Text(each.title, each.title_en) for each in kind.fields if each.name == name), None) if kind else None
    return title or (None if kind is None else claim_text(kind, name)) or Text(name, name)


def claim_text(kind: Kind, claim: str) -> Text | None:
    """Return what a claim (`age>=18`) says to people; None when the kind cannot support it."""
    found = rules.find_claim(kind, claim)
    if found is None:
        return None
    words = kind.claims[found.name].words[found.operator]
    return Text(words.zh.format(found.operand), words.en.format(found.operand))


def kind_terms(kinds: Kinds, used: Iterable[tuple[str, Iterable[str]]]) -> dict[str, Term]:
    """Return the kinds that are used, by slug, with all their fields inside and the claims that are used."""
    claims: dict[str, dict[str, Term]] = {}
    for slug, names in used:
        kind = kinds.find(slug)
        if kind is not None:
            told = {name: claim_text(kind, name) for name in names if name not in kind.field_names}
            claims.setdefault(slug, {}).update({name: Term(text.zh, text.en) for name, text in told.items() if text})
    return {slug: _kind(kinds.get(slug), told) for slug, told in claims.items()}


def _kind(kind: Kind, claims: Mapping[str, Term]) -> Term:
    return Term(kind.title, kind.title_en, {**{each.name: _field(each) for each in kind.fields}, **claims})


def _field(field: FieldDefinition) -> Term:
    codes = {code: Term(word.zh, word.en) for code, word in field.words.items()}
    return Term(field.title, field.title_en, codes or {each.name: _field(each) for each in field.columns})
