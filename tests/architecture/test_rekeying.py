"""A change of keys forgets no column: what is sealed or indexed stands in the list that workers go over."""

import ast
import re
from collections.abc import Iterable
from typing import Final

from api.wiring.rekeying import COUNTED, INDEXED, OF_A_PERSON, SEALED, WRAPPED
from tests.architecture.test_schema import models
from tests.architecture.tree import DOMAINS, Source, planted, sources

# Digests that no key of blind indexes makes: of random tokens and codes, and marks (`Vault.mark`).
OTHERS: Final = frozenset({
    "refresh_token.token_hash", "operator_session.token_hash", "operator_account.password_hash",
    "certificate_presentation.code_hash", "kept_answer.body_hash", "citizen_session.device_hash",
    "application.query_code_hash", "department_event.content_hash", "department_event_clash.content_hash",
    "counter_slip.code_hash", "certificate_copy.code_hash", "decision_document.code_hash", "assistance.code_hash",
    "notice_copy.code_hash",
    "operator_account.activation_hash", "recovery_code.code_hash", "approval.payload_hash", "consent.text_hash",
})  # fmt: skip
BLIND: Final = sorted(
    {name.partition(".")[2] for name in {f"{each.table}.{each.column}" for each in INDEXED} | COUNTED}
)
COMPARED: Final = re.compile(rf"\b({'|'.join(BLIND)}) = \$\d")


def columns(ending: str) -> set[str]:
    return {
        f"{model._meta.db_table}.{name}"
        for model in models()
        for name in model._meta.fields_db_projection
        if name.endswith(ending)
    }


def test_every_sealed_column_is_sealed_anew_when_the_data_key_changes() -> None:
    listed = [f"{each.table}.{each.column}" for each in SEALED]
    assert len(listed) == len(set(listed))
    assert set(listed) | OF_A_PERSON == columns("_sealed")
    assert not set(listed) & OF_A_PERSON


def test_every_key_that_is_sealed_is_sealed_anew_with_the_rest() -> None:
    """The data keys themselves are wrapped by the key-encryption key, and anew by `DataKeys.follow_plan`."""
    assert {f"{each.table}.{each.column}" for each in WRAPPED} == columns("wrapped") - {"data_key.wrapped"}


def test_every_sealed_column_is_listed_under_the_name_it_is_sealed_under() -> None:
    assert [each for each in SEALED if f"{each.bound_to}_sealed" != f"{each.table}.{each.column}"] == []


def test_every_keyed_digest_is_known_to_the_change_of_its_key() -> None:
    listed = {f"{each.table}.{each.column}" for each in INDEXED}
    assert listed | COUNTED | OTHERS == columns("_hash")
    assert len(listed) + len(COUNTED) + len(OTHERS) == len(listed | COUNTED | OTHERS)


def single(given: Iterable[Source]) -> list[str]:
    """Look-ups by one blind index: while its key changes they do not find who stands under the other."""
    return [
        f"{source.at(node)}: {found[0]}"
        for source in given
        for node in source.nodes(ast.Constant)
        if isinstance(node.value, str)
        for found in COMPARED.finditer(node.value.partition("WHERE")[2])
    ]


def test_every_look_up_by_a_blind_index_tries_both() -> None:
    """`… IN ($1, $2)` with `vault.indexes(column, value)`."""
    assert single(sources(*DOMAINS, "api", "core")) == []
    assert single(planted("auth/some.py", 'A = "SELECT id FROM citizen WHERE id_number_hash = $1"'))
    assert not single(planted("auth/some.py", 'A = "UPDATE citizen SET id_number_hash = $1 WHERE id = $2"'))
