"""Every kind goes the same way, and a further one goes it too: a file is laid beside the others, and no code."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from auth.rights.exports import _document
from auth.rights.wording import lines_of
from auth.types import Term
from certificates import rules
from certificates.definitions import Kinds
from certificates.offline.checking import check
from certificates.personal_data import WalletData
from certificates.settings import DEMO_AUTHORITY
from certificates.types import Colour, Issued, Kind, Outcome, State, Value
from certificates.wording import kind_terms
from tests.certificates.conftest import NUMBER, Hall

LATIN: Final = re.compile(r"[a-z_]{2,}")
CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
SHIPPED: Final = Path("certificates/kinds")
FURTHER: Final = "library-card"
SLUGS: Final = [*sorted(path.stem for path in SHIPPED.glob("*.json")), FURTHER]

# What follows a pattern or is read by a claim; everything else is made up from its type.
WRITTEN: Final[dict[str, dict[str, Value]]] = {
    "birth-certificate": {"number": "Z990000119"},
    "disability-certificate": {"number": f"{NUMBER}42", "grade": 2, "category": "physical"},
    "hk-macau-permit": {"number": "CZ9000451"},
    "housing-fund": {"paid_until": "2026-02"},
    "passport": {"number": "EZ9000451"},
    "residence-permit": {"id_number": NUMBER},
    "social-security-card": {"social_security_number": NUMBER},
    "taiwan-permit": {"number": "L99000451"},
}


@pytest.fixture
def kinds(tmp_path: Path) -> Kinds:
    folder = shutil.copytree(SHIPPED, tmp_path / "kinds")
    words = {"open": {"zh": "可借", "en": "Open"}, "barred": {"zh": "停借", "en": "Barred"}}
    books = {each: {"zh": f"超期册数{each}{{}}", "en": f"overdue {each} {{}}"} for each in (">=", "<=", "=")}
    told = {
        "title": "借书证",
        "title_en": "Library card",
        "issuer": "public-security",
        "type_sequence": "950",
        "number_field": "card",
        "name_field": "reader",
        "schema": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "card": {"type": "string", "title": "证号", "x-title-en": "Card"},
                "reader": {"type": "string", "title": "读者", "x-title-en": "Reader"},
                "overdue": {"type": "integer", "title": "超期册数", "x-title-en": "Overdue", "minimum": 0},
                "until": {"type": "string", "format": "date", "title": "有效期至", "x-title-en": "Until"},
                "standing": {
                    "type": "string",
                    "title": "状态",
                    "x-title-en": "Standing",
                    "maxLength": 20,
                    "x-words": words,
                },
            },
            "required": ["card", "reader", "overdue", "until", "standing"],
        },
        "card_face": ["card", "reader"],
        "valid_until": ["until"],
        "red_when": [
            {"field": "overdue", "at_least": 5, "reason": {"zh": "超期太多", "en": "Too many are overdue"}},
            {"field": "standing", "other_than": ["open"], "reason": {"zh": "停借", "en": "Barred"}},
        ],
        "reminders": [30],
        "renewal": {"advice": {"zh": "到图书馆续", "en": "Renew it in the library"}},
        "claims": {"overdue": {"field": "overdue", "reads": "number", "words": books}},
    }
    (folder / f"{FURTHER}.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return Kinds.load(authority=DEMO_AUTHORITY, type_codes={}, folder=folder)


def _sample(kind: Kind) -> dict[str, Value]:
    told: dict[str, Any] = kind.schema["properties"]
    return {name: _made_up(name, each) for name, each in told.items()} | WRITTEN.get(kind.slug, {})


def _made_up(name: str, told: dict[str, Any]) -> Value:
    if told["type"] == "integer":
        return 1
    if told["type"] == "array":
        return [{"destination": "HKG", "kind": "G", "entries": None, "valid_until": "2027-01-01"}]
    if "x-words" in told:
        return str(next(iter(told["x-words"])))
    if told.get("format") == "date":
        return "2001-02-03" if name.startswith("birth") else "2031-02-03"
    return "2017-06-01T08:26:00+08:00" if told.get("format") == "date-time" else f"某{name[:8]}"


def _issued(kind: Kind, **changes: Value) -> Issued:
    return Issued(
        state=State.ACTIVE,
        issuer="示例发证机关",
        issuer_code="999999",
        serial="XX0000000451",
        version=1,
        identifier=None,
        fields=_sample(kind) | changes,
    )


def _connect(hall: Hall, kind: Kind, **changes: Value) -> None:
    hall.asking._issuers = {kind.issuer: hall.issuer}
    hall.issue(_issued(kind, **changes), kind.slug)


@pytest.mark.parametrize("slug", SLUGS)
async def test_a_certificate_is_fetched_listed_opened_shown_and_verified(hall: Hall, slug: str) -> None:
    kind = hall.kinds.get(slug)
    _connect(hall, kind)
    view, is_new = await hall.wallet.fetch(hall.me, slug)
    assert is_new
    assert [each.kind for each in await hall.wallet.list_held(hall.me, after=None, limit=10)] == [slug]
    assert "*" in view.number
    opened = await hall.wallet.find_opened(hall.me, view.id)
    assert opened is not None
    assert opened.held.fields == _sample(kind)
    assert rules.identifier_is_right(opened.held.identifier)
    assert opened.held.identifier.split(".")[5] == kind.type_code
    shown = await hall.shown(view.id)
    assert shown.colour is Colour.BLACK
    verified = await hall.verification.verify(shown.code)
    assert (verified.outcome, verified.kind) == (Outcome.OK, slug)


@pytest.mark.parametrize("slug", SLUGS)
async def test_every_reason_turns_its_kind_red(hall: Hall, slug: str) -> None:
    kind = hall.kinds.get(slug)
    for rule in kind.red_when:
        told: Value = "something new" if rule.at_least is None else rule.at_least
        fields = _sample(kind) | {rule.field: told}
        assert rules.colour_of(kind, State.ACTIVE, fields) is Colour.RED
        assert rules.reasons_against(kind, fields) == [rule.reason]
    assert rules.reasons_against(kind, _sample(kind)) == []


@pytest.mark.parametrize("slug", SLUGS)
def test_what_is_against_the_schema_is_no_answer(kinds: Kinds, slug: str) -> None:
    kind = kinds.get(slug)
    for each in kind.fields:
        wrong: Any = {**_sample(kind), each.name: "x" * 5000 if each.words else 1.5}
        with pytest.raises(ValueError, match=each.name) as caught:
            rules.fit_fields(kind, wrong)
        assert "xxx" not in str(caught.value)


async def test_the_claim_of_the_further_kind_is_read_too(hall: Hall) -> None:
    _connect(hall, hall.kinds.get(FURTHER))
    view, _ = await hall.wallet.fetch(hall.me, FURTHER)
    shown = await hall.shown(view.id, claims=["overdue<=2"])
    assert shown.code
    assert rules.holds(
        hall.kinds.get(FURTHER).claims["overdue"],
        rules.find_claim(hall.kinds.get(FURTHER), "overdue<=2"),  # type: ignore[arg-type]
        _sample(hall.kinds.get(FURTHER)),
        hall.ground.clock.now().date(),
    )


@pytest.mark.parametrize("slug", SLUGS)
async def test_what_a_person_is_given_of_it_has_words_for_every_name_and_code(hall: Hall, slug: str) -> None:
    kind = hall.kinds.get(slug)
    _connect(hall, kind)
    view, _ = await hall.wallet.fetch(hall.me, slug)
    claims = [f"{name}{each}1" for name, source in kind.claims.items() for each in source.words if not source.covers]
    titles = {"check-in": Term("入住", "Checking in")}
    shop = hall.verifiers.register("check-in", *kind.field_names, *claims, titles=titles)
    shown = await hall.presentation.show(
        hall.me, view.id, fields=kind.field_names, claims=claims, verifier=shop.id, purpose="check-in"
    )
    assert shown is not None
    data = WalletData(records=hall.records, kinds=hall.kinds, verifiers=hall.verifiers, vault=hall.ground.vault)
    document = json.loads(_document(hall.me.citizen_id, "2026-03-10", await data.export(hall.me.citizen_id)))
    said = [
        text
        for section in document["sections"]
        for row in section["rows"]
        for _, text in lines_of(row, section.get("terms", {}))
    ]
    labels = {text.partition("：")[0].rstrip(" 1") for text in said}
    assert {each.title for each in kind.fields} <= labels
    assert [label for label in labels if LATIN.search(label)] == []
    codes = {code for each in kind.fields for code in each.words if LATIN.search(code)}
    assert codes.isdisjoint(text.partition("：")[2] for text in said)
    assert "用途：入住" in said
    assert f"证照种类：{kind.title}" in said
    assert not any(claim in text for claim in claims for text in said)


@pytest.mark.parametrize("slug", SLUGS)
def test_words_are_in_both_languages(kinds: Kinds, slug: str) -> None:
    kind = kinds.get(slug)
    claims = [f"{name}{operator}1" for name, source in kind.claims.items() for operator in source.words]
    told = list(kind_terms(kinds, [(slug, claims)])[slug].inside.values())
    told += [inner for term in told for inner in term.inside.values()]
    assert len(told) >= len(kind.fields)
    for term in told:
        assert CHINESE.search(term.zh)
        assert re.search("[A-Za-z]", term.en)
        assert not CHINESE.search(term.en)


@pytest.mark.parametrize("slug", SLUGS)
async def test_a_token_of_all_its_fields_is_read_with_and_without_a_connection(hall: Hall, slug: str) -> None:
    kind = hall.kinds.get(slug)
    _connect(hall, kind)
    view, _ = await hall.wallet.fetch(hall.me, slug)
    made = await hall.tokens.issue(hall.me, view.id, fields=kind.field_names)
    assert made is not None
    assert (await hall.verification.verify(made.token)).outcome is Outcome.OK
    contents = check(made.token, None, keys=hall.keys.accepted(), now=hall.ground.clock.now()).contents
    assert contents is not None
    assert dict(contents.values) == _sample(kind)
