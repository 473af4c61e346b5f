"""Everything that is sealed, and every blind index: what a change of keys has to go over.

A test holds this list against the tables, so that a new sealed column is not forgotten.
"""

from typing import Final

from api.wiring.ground import Ground
from core.crypto import PERSON_KEY
from core.rekeying.passes import IndexedColumn, IndexPass, SealedColumn, SealedPass
from core.rekeying.work import KeyWork
from matters.attachments.sealed_files import SealedFiles
from matters.files.sealing import CONTENT, DECISION, PACKAGE
from matters.ports import FileStore

SEALED: Final = (
    SealedColumn("citizen", "name_sealed", "citizen.name"),
    SealedColumn("citizen", "id_number_sealed", "citizen.id_number"),
    SealedColumn("citizen", "mobile_sealed", "citizen.mobile"),
    SealedColumn("wechat_account", "openid_sealed", "wechat_account.openid"),
    SealedColumn("refresh_token", "successor_sealed", "refresh_token.successor"),
    SealedColumn("way_check", "claim_sealed", "way_check.claim"),
    SealedColumn("way_check", "reference_sealed", "way_check.reference"),
    SealedColumn("way_check", "pseudonym_sealed", "way_check.pseudonym"),
    SealedColumn("assistance", "purpose_sealed", "assistance.purpose"),
    SealedColumn("operator_account", "otp_sealed", "operator_account.otp"),
    SealedColumn("approval", "payload_sealed", "approval.payload"),
    SealedColumn("approval", "reason_sealed", "approval.reason"),
    SealedColumn("approval", "before_sealed", "approval.before"),
    SealedColumn("approval", "follow_up_sealed", "approval.follow_up"),
    SealedColumn("party", "contact_sealed", "party.contact"),
    SealedColumn("face_check", "name_sealed", "face_check.name"),
    SealedColumn("face_check", "id_number_sealed", "face_check.id_number"),
    SealedColumn("face_check", "reference_sealed", "face_check.reference"),
    SealedColumn("certificate", "number_sealed", "certificate.number"),
    SealedColumn("certificate", "identifier_sealed", "certificate.identifier"),
    SealedColumn("certificate", "fields_sealed", "certificate.fields"),
    SealedColumn("application", "form_sealed", "application.form"),
    SealedColumn("application", "submitted_sealed", "application.submitted"),
    SealedColumn("result_delivery", "place_sealed", "result_delivery.place"),
    SealedColumn("commitment", "reason_sealed", "commitment.reason"),
    SealedColumn("commitment", "objection_sealed", "commitment.objection"),
    SealedColumn("commitment", "answer_sealed", "commitment.answer"),
    SealedColumn("rating", "text_sealed", "rating.text"),
    SealedColumn("rating_ticket", "note_sealed", "rating_ticket.note"),
    SealedColumn("extension_request", "note_sealed", "extension_request.note"),
    SealedColumn("supervision_order", "instruction_sealed", "supervision_order.instruction"),
    SealedColumn("supervision_order", "answer_sealed", "supervision_order.answer"),
    SealedColumn("accountability_record", "note_sealed", "accountability_record.note"),
    SealedColumn("case_action", "note_sealed", "case_action.note"),
    SealedColumn("case_action", "result_sealed", "case_action.result"),
    SealedColumn("kept_answer", "answer_sealed", "kept_answer.answer"),
)
# Sealed under the key of the person alone, never under a data key: that key is in `WRAPPED`.
OF_A_PERSON: Final = frozenset(
    {
        "data_export.json_sealed",
        "data_export.pdf_sealed",
        "correction.text_sealed",
        "correction.answer_sealed",
        "certificate_report.text_sealed",
        "certificate_report.note_sealed",
        "relative.name_sealed",
        "relative.id_number_sealed",
        "mandate.agent_name_sealed",
    }
)
# Keys that are sealed under the data keys as values are: `SealedColumn(…, row_id="…")` where a row goes by another id.
WRAPPED: Final = (SealedColumn("person_key", "wrapped", PERSON_KEY, row_id="person_id"),)
INDEXED: Final = (
    IndexedColumn("citizen", "id_number_hash", "id_number_sealed", "citizen.id_number", person="id"),
    IndexedColumn("citizen", "mobile_hash", "mobile_sealed", "citizen.mobile", person="id"),
    # A tie's number is the one by which its other side stands as a resident: one index for both.
    IndexedColumn(
        "relative", "number_hash", "id_number_sealed", "citizen.id_number", "relative.id_number", person="citizen_id"
    ),
    IndexedColumn("wechat_account", "openid_hash", "openid_sealed", "wechat_account.openid"),
)
# Blind indexes of which the value is not kept: they count attempts, and are forgotten when those count no more. The
# earlier key stays for longer than that (`auth/attempts.py`, `face/attempts.py`).
COUNTED: Final = frozenset({"real_name_attempt.number_hash", "face_check.person_hash"})


def key_work(ground: Ground, files: FileStore) -> KeyWork:
    """Return who takes up changed keys."""
    return KeyWork(
        ring=ground.ring,
        vault=ground.vault,
        audit=ground.audit,
        clock=ground.clock,
        settings=ground.settings.keys,
        seals=[
            *(SealedPass(column, ground.vault) for column in (*SEALED, *WRAPPED)),
            *(SealedFiles(name, files=files, vault=ground.vault) for name in (CONTENT, DECISION, PACKAGE)),
        ],
        indexes=[IndexPass(column, ground.vault) for column in INDEXED],
    )
