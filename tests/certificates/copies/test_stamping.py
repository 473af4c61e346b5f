"""Stamped copies: what stands on the paper, that any reader finds its signature good, and that misuse is told."""

import hashlib
import io
import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pypdfium2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel

from auth.rights.lettering import drawable
from auth.types import Caller, Level
from certificates.copies.errors import CopyUndrawable
from certificates.copies.layout import ATTACHED, lay_out
from certificates.copies.stamping import StampedCopies
from certificates.copies.types import CopyOutcome, StampedCopy
from certificates.copies.wording import printed, said, same_purpose
from certificates.errors import FieldUnknown, StateForbids
from certificates.keys import IssuerKeys
from certificates.offline.gm import COPY, objection
from certificates.types import Outcome, Rows, State
from core.cache import TooManyRequests
from core.crypto import sha256_hex
from core.db import as_json, execute, fetch, transaction
from tests.certificates.conftest import Hall
from tests.fakes.certificates import LICENCE, issued
from tests.fakes.ground import FixedIds

HOTEL, CHECK_IN = "示例酒店", "办理入住"
READER = shutil.which("pdfsig")


class KnownIds(FixedIds):
    """Ids of which a test knows the codes."""

    def token(self, size: int) -> str:
        return "copy-code-0123456789_-"


@pytest.fixture
def copies(hall: Hall) -> StampedCopies:
    ground = hall.ground
    return StampedCopies(
        kinds=hall.kinds,
        records=hall.records,
        keys=hall.keys,
        audit=ground.audit,
        jobs=ground.jobs,
        limits=ground.limits,
        clock=ground.clock,
        ids=KnownIds(),
        settings=hall.settings.model_copy(update={"copy_seconds": 60}),
    )


CODE = KnownIds().token(16)


async def made(hall: Hall, copies: StampedCopies, **more: Any) -> StampedCopy:
    view = await hall.held()
    copy = await copies.make(hall.me, view.id, consumer=HOTEL, purpose=CHECK_IN, **more)
    assert copy is not None
    return copy


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return "".join(page.get_textpage().get_text_range() for page in document)


async def test_a_copy_says_what_it_shows_for_whom_and_for_what(hall: Hall, copies: StampedCopies) -> None:
    copy = await made(hall, copies, fields=["name", "vehicle_class"])
    text = text_of(copy.pdf)
    for told in ("驾驶证（加注件）", "姓名：霍明哲", "准驾车型：C1", HOTEL, CHECK_IN, CODE, "2026-03-10 10:00:00"):
        assert told in text
    assert text.count(f"仅供{HOTEL}用于{CHECK_IN}") > 3
    for kept_back in (str(LICENCE["number"]), "云帆路", "1985-03-12"):
        assert kept_back not in text
    assert "霍" not in repr(copy)


async def test_a_copy_has_words_for_what_its_issuer_writes_in_codes(hall: Hall, copies: StampedCopies) -> None:
    text = text_of((await made(hall, copies, fields=["status", "issuer"])).pdf)
    assert "状态：正常" in text
    assert "normal" not in text
    assert text.count("发证机关：") == 1
    assert f"发证机关：{LICENCE['issuer']}" in text


async def test_who_issued_it_stands_on_every_copy(hall: Hall, copies: StampedCopies) -> None:
    lines = text_of((await made(hall, copies, fields=["name"])).pdf).splitlines()
    assert lines.count(f"发证机关：{issued().issuer}") == 1


def test_rows_are_lines_of_titles_and_words(hall: Hall) -> None:
    [field] = [each for each in hall.kinds.get("hk-macau-permit").fields if each.name == "endorsements"]
    rows: Rows = [
        {"destination": "HKG", "kind": "G", "entries": 1, "valid_until": "2027-01-01"},
        {"destination": "new", "kind": "S", "valid_until": "2027-02-01"},
    ]
    assert printed(field, rows) == (
        "\n目的地：香港，种类：个人旅游，次数：1，有效期至：2027-01-01"
        "\n目的地：new，种类：商务，次数：—，有效期至：2027-02-01"
    )
    assert printed(field, []) == printed(field, None) == "—"


def test_a_moment_is_told_in_the_time_here(hall: Hall) -> None:
    [field] = [each for each in hall.kinds.get("birth-certificate").fields if each.name == "born_at"]
    assert printed(field, "2017-06-01T00:26:00+00:00") == "2017-06-01 08:26:00"


def test_all_our_own_words_can_be_drawn(hall: Hall) -> None:
    for kind in hall.kinds:
        assert drawable().issuperset(json.dumps(kind.schema, ensure_ascii=False) + kind.title)


@pytest.mark.parametrize(
    ("consumer", "purpose", "pointer"),
    [("𠮷野家", CHECK_IN, "/consumer"), (HOTEL, "办理😀入住", "/purpose"), ("示例\u200b酒店", CHECK_IN, "/consumer")],
)
async def test_for_whom_and_for_what_is_refused_where_a_character_would_be_missing(
    hall: Hall, copies: StampedCopies, consumer: str, purpose: str, pointer: str
) -> None:
    view = await hall.held()
    with pytest.raises(CopyUndrawable) as refused:
        await copies.make(hall.me, view.id, consumer=consumer, purpose=purpose)
    assert [error.pointer for error in refused.value.extras.errors] == [pointer]


async def test_a_value_that_would_lose_a_character_is_not_printed(hall: Hall, copies: StampedCopies) -> None:
    view = await hall.held(issued({**LICENCE, "address": "示例市𠮷祥路"}))
    with pytest.raises(CopyUndrawable) as refused:
        await copies.make(hall.me, view.id, consumer=HOTEL, purpose=CHECK_IN, fields=["name", "address"])
    [error] = refused.value.extras.errors
    assert (error.pointer, "住址" in error.message, "祥" in error.message) == ("/fields", True, False)
    assert await copies.make(hall.me, view.id, consumer=HOTEL, purpose=CHECK_IN, fields=["name"])


async def test_any_reader_finds_the_signature_good_and_every_change_of_the_paper(
    hall: Hall, copies: StampedCopies, tmp_path: Path
) -> None:
    if READER is None:
        pytest.skip("pdfsig is not installed (Debian: poppler-utils)")
    copy = await made(hall, copies)

    def told(pdf: bytes) -> str:
        path = tmp_path / "copy.pdf"
        path.write_bytes(pdf)
        return subprocess.run([READER, path], capture_output=True, text=True, check=False).stdout

    good = told(copy.pdf)
    assert "Signature is Valid." in good
    assert "ETSI.CAdES.detached" in good
    assert "Total document signed" in good
    place = copy.pdf.index(b"/MediaBox")
    changed = copy.pdf[:place] + b"/MediaBoX" + copy.pdf[place + 9 :]
    assert "Signature is Valid." not in told(changed)


async def test_a_city_may_sign_under_a_certificate_of_its_own(hall: Hall, copies: StampedCopies) -> None:
    key = hall.keys.current
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "示例市电子印章")])
    now = hall.ground.clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.secret.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key.secret, hashes.SHA256())
    )
    copies._settings = copies._settings.model_copy(
        update={"seal_chain": certificate.public_bytes(serialization.Encoding.PEM).decode()}
    )
    signed = PdfFileReader(io.BytesIO((await made(hall, copies)).pdf)).embedded_signatures
    assert [each.signer_cert.subject.human_friendly for each in signed] == ["Common Name: 示例市电子印章"]


async def test_a_check_tells_for_what_a_copy_was_made_and_whether_that_is_what_it_is_used_for(
    hall: Hall, copies: StampedCopies
) -> None:
    copy = await made(hall, copies)
    found = await copies.check(CODE, purpose=CHECK_IN, sha256=hashlib.sha256(copy.pdf).hexdigest())
    assert (found.outcome, found.kind, found.name) == (CopyOutcome.OK, "driving-licence", "霍**")
    assert (found.consumer, found.purpose) == (HOTEL, CHECK_IN)
    assert found.expires_at == copy.expires_at == hall.ground.clock.now() + timedelta(days=90)
    assert (await copies.check(CODE, purpose="办理贷款")).outcome is CopyOutcome.OTHER_PURPOSE
    assert (await copies.check(CODE, purpose=CHECK_IN, sha256="0" * 64)).outcome is CopyOutcome.ALTERED
    assert (await copies.check("nothing", purpose=CHECK_IN)).outcome is CopyOutcome.UNKNOWN


async def test_blanks_and_punctuation_make_no_other_purpose(hall: Hall, copies: StampedCopies) -> None:
    await made(hall, copies)
    for told in ("办理 入住", "办理入住。", "\u3000【办理】入住 ", "办理\u200b入住！"):
        assert (await copies.check(CODE, purpose=told)).outcome is CopyOutcome.OK
    assert await fetch("SELECT payload FROM job WHERE name = 'notices.tell'") == []
    assert same_purpose("贷款（ABC）", "贷款 ＡＢＣ")
    assert not same_purpose("办理贷款", "办理贷款二")
    assert (said("check-in"), said("办理入住"), said("other-code")) == ("办理入住", "办理入住", "other-code")
    assert same_purpose("check-in", "办理入住")


async def test_the_holder_reads_of_every_check_and_is_told_of_misuse(hall: Hall, copies: StampedCopies) -> None:
    await made(hall, copies)
    await copies.check(CODE, purpose=CHECK_IN)
    await copies.check(CODE, purpose="办理贷款")
    told = {(line.action, line.outcome, line.purpose) for line in await hall.ledger()}
    assert {
        ("certificates.copied", "ok", CHECK_IN),
        ("certificates.copy-checked", "ok", CHECK_IN),
        ("certificates.copy-checked", "other_purpose", "办理贷款"),
    } <= told
    rows = await fetch("SELECT payload FROM job WHERE name = 'notices.tell'")
    assert [as_json(row["payload"])["event"] for row in rows] == ["certificates.copy-misused"]


def test_every_page_carries_the_stamp_and_the_whole_of_a_long_one() -> None:
    consumer, purpose = "示例酒店" * 15, "办理入住登记" * 30
    paper = {
        "title": "往来港澳通行证",
        "fields": [(f"签注{number}", "个人旅游") for number in range(40)],
        "consumer": consumer,
        "purpose": purpose,
        "made_at": "2026-03-10 10:00:00",
        "expires_at": "2026-06-08 10:00:00",
        "code": CODE,
    }
    with pypdfium2.PdfDocument(lay_out(paper)) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
    assert len(pages) == 2
    for page in pages:
        drawn = "".join(page.split())
        # Each of them as often as the stamp: the last words of the purpose stand in its last line.
        assert drawn.count("仅供示例酒店") > 3
        assert drawn.count("登记") > 3 * 30


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        (issued(state=State.REVOKED, version=2), CopyOutcome.REVOKED),
        (issued(state=State.FROZEN, version=2), CopyOutcome.FROZEN),
        (issued({**LICENCE, "points": 6}, version=2), CopyOutcome.CHANGED),
        # Another licence of the same person, of which its issuer counts from one as it did of the first.
        (issued(serial="DL0000000999", version=1), CopyOutcome.CHANGED),
    ],
)
async def test_what_became_of_the_certificate_is_told(
    hall: Hall, copies: StampedCopies, after: Any, outcome: CopyOutcome
) -> None:
    await made(hall, copies)
    await hall.held(after)
    assert (await copies.check(CODE, purpose=CHECK_IN)).outcome is outcome


async def test_a_copy_ends_and_so_it_does_with_the_certificate(hall: Hall, copies: StampedCopies) -> None:
    copy = await made(hall, copies)
    hall.ground.clock.set(copy.expires_at)
    assert (await copies.check(CODE, purpose=CHECK_IN)).outcome is CopyOutcome.EXPIRED
    await transaction(lambda: execute("DELETE FROM certificate"))
    found = await copies.check(CODE, purpose=CHECK_IN)
    assert (found.outcome, found.name) == (CopyOutcome.REVOKED, None)


async def test_nothing_of_the_paper_is_kept_but_digests(hall: Hall, copies: StampedCopies) -> None:
    copy = await made(hall, copies)
    [row] = await fetch("SELECT * FROM certificate_copy")
    assert (row["code_hash"], row["sha256"]) == (sha256_hex(CODE.encode()), sha256_hex(copy.pdf))
    assert "霍" not in repr(row)


async def test_what_cannot_be_copied_is_refused(hall: Hall, copies: StampedCopies) -> None:
    view = await hall.held()
    other = Caller(uuid4(), uuid4(), Level.PRESENT, elder=False, actor_id=uuid4())
    assert await copies.make(other, view.id, consumer=HOTEL, purpose=CHECK_IN) is None
    with pytest.raises(FieldUnknown):
        await copies.make(hall.me, view.id, consumer=HOTEL, purpose=CHECK_IN, fields=["salary"])
    await hall.held(issued(state=State.FROZEN, version=2))
    with pytest.raises(StateForbids):
        await copies.make(hall.me, view.id, consumer=HOTEL, purpose=CHECK_IN)
    assert await fetch("SELECT id FROM certificate_copy") == []


async def test_papers_are_not_made_without_end(hall: Hall, copies: StampedCopies) -> None:
    copies._settings = copies._settings.model_copy(update={"copy_limit": "1/hour"})
    await made(hall, copies)
    with pytest.raises(TooManyRequests):
        await made(hall, copies)


async def test_where_the_profile_says_so_the_paper_carries_its_data_signed_by_sm2(
    hall: Hall, copies: StampedCopies
) -> None:
    plain = await made(hall, copies)
    assert b"EmbeddedFile" not in plain.pdf
    await transaction(lambda: execute("DELETE FROM certificate_copy"))  # The test knows one code alone.
    ring, clock = hall.ground.ring, hall.ground.clock
    dual = IssuerKeys(lambda: ring.issuers, clock=clock, sm2=lambda: ring.sm2)
    copies._keys = dual
    copy = await made(hall, copies)
    reader = PdfFileReader(io.BytesIO(copy.pdf))
    [name, file] = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    assert name == ATTACHED
    told = json.loads(file.get_object()["/EF"]["/F"].data)
    assert objection(told, dual.accepted_sm2(), what=COPY, required=True) is None
    assert (told["consumer"], told["purpose"], dict(told["fields"])["姓名"]) == (HOTEL, CHECK_IN, "霍明哲")
    assert objection({**told, "purpose": "办理贷款"}, dual.accepted_sm2(), what=COPY) is Outcome.BAD_SIGNATURE
    [signature] = reader.embedded_signatures
    assert signature.compute_integrity_info() is None
    assert signature.summarise_integrity_info()["coverage"] is SignatureCoverageLevel.ENTIRE_FILE
