"""What residents wrote, found by what it belongs to: for the look at it, for the person who decides, and for hiding."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final, Protocol
from uuid import UUID

from core.crypto import Vault
from core.db import as_json, as_uuid, fetch, fetch_one
from matters.catalogue.catalogue import Catalogue
from matters.texts.rules import changed_texts, free_texts
from matters.texts.types import About, CheckState, OpenedText
from matters.types import State

# Under which names texts were sealed, where they belong.
_FORM: Final = "application.form"
_SUBMITTED: Final = "application.submitted"
_NOTE: Final = "case_action.note"
_RATING: Final = "rating.text"
_OBJECTION: Final = "commitment.objection"

_FIND: Final = """
SELECT text_check.about, text_check.subject_id, text_check.state, text_check.application_id, application.citizen_id,
       application.matter_code, application.matter_version, application.department, application.region,
       application.form_sealed,
       application.submitted_sealed, application.sources, case_action.note_sealed, rating.text_sealed,
       commitment.objection_sealed
FROM text_check JOIN application ON application.id = text_check.application_id
LEFT JOIN case_action ON case_action.id = text_check.subject_id
LEFT JOIN rating ON rating.id = text_check.subject_id
LEFT JOIN commitment ON commitment.id = text_check.subject_id
WHERE text_check.subject_id = $1
"""
# What nobody has looked at yet, what waits for a person, and what that person did not let on. The texts of an
# application hold back the application itself.
_WITHHELD: Final = """
SELECT subject_id FROM text_check
WHERE application_id = $1 AND about <> 'application' AND state IN ('waiting', 'held', 'refused')
"""
# The last look was at all that is not as it was submitted.
_SUPPLEMENTED: Final = """
SELECT state FROM text_check WHERE application_id = $1 AND about = 'supplement'
ORDER BY created_at DESC, id DESC LIMIT 1
"""
_AS_SUBMITTED: Final = "SELECT id AS application_id, submitted_sealed FROM application WHERE id = $1"
_NOTHING: Final[Mapping[str, Any]] = {"submitted_sealed": None}


async def find_written(subject_id: UUID) -> Mapping[str, Any] | None:
    """Return what is known of texts by what they belong to, still sealed; None where nothing is to be looked at.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return await fetch_one(_FIND, subject_id)


async def withheld_in(application_id: UUID) -> frozenset[UUID]:
    """Return by their rows the notes, ratings and objections of an application whose words staff does not read now.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return frozenset(as_uuid(row["subject_id"]) for row in await fetch(_WITHHELD, application_id))


async def supplement_look(application_id: UUID) -> CheckState:
    """Return what the last look at a supplement's texts came to; passed where there were none.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    row = await fetch_one(_SUPPLEMENTED, application_id)
    return CheckState.PASSED if row is None else CheckState(row["state"])


class Formed(Protocol):
    """An application with its form; `sources` names the fields that are known from elsewhere."""

    @property
    def id(self) -> UUID:
        """The application's."""
        ...

    @property
    def state(self) -> State:
        """Where it stands."""
        ...

    @property
    def form(self) -> Mapping[str, object]:
        """Its form as it stands."""
        ...

    @property
    def sources(self) -> Mapping[str, object]:
        """The fields that are known from elsewhere."""
        ...


async def form_to_read(vault: Vault, schema: Mapping[str, Any], record: Formed) -> Mapping[str, object]:
    """Return a form as anybody but its owner may read it.

    Without the texts that are being changed for a supplement, and those that nobody has let on yet.

    Raises:
        DatabaseUnavailable: the database could not be reached.
        RecordUnreadable: the form as it was submitted does not open.
    """
    if record.state is not State.SUPPLEMENT_REQUESTED and (await supplement_look(record.id)).is_shown:
        return record.form
    return await _form_as_let_on(vault, schema, record.id, record.form, record.sources.keys())


async def _form_as_let_on(
    vault: Vault, schema: Mapping[str, Any], application_id: UUID, form: Mapping[str, object], known: Collection[str]
) -> Mapping[str, object]:
    row = await fetch_one(_AS_SUBMITTED, application_id)
    changed = changed_texts(free_texts(schema, form, known), submitted_form(row or _NOTHING, vault))
    return {name: value for name, value in form.items() if name not in changed}


def texts_in(row: Mapping[str, Any], vault: Vault, catalogue: Catalogue) -> list[OpenedText]:
    """Open the texts of a row that was found, each under the title of its place; blank ones are none.

    Raises:
        RecordUnreadable: a text does not open.
    """
    about, subject_id = About(row["about"]), as_uuid(row["subject_id"])
    if about is About.RATING:
        return _opened(_RATING, "评价内容", vault, subject_id, row["text_sealed"])
    if about is About.OBJECTION:
        return _opened(_OBJECTION, "异议理由", vault, subject_id, row["objection_sealed"])
    schema = catalogue.of_case(row["matter_code"], int(row["matter_version"])).matter.form
    form = json.loads(vault.open(_FORM, as_uuid(row["application_id"]), row["form_sealed"]))
    texts = free_texts(schema, form, as_json(row["sources"]).keys())
    note: list[OpenedText] = []
    if about is About.SUPPLEMENT:
        texts = changed_texts(texts, submitted_form(row, vault))
        note = _opened(_NOTE, "补充说明", vault, subject_id, row["note_sealed"])
    titles = schema["properties"]
    return [*note, *(OpenedText(name, str(titles[name].get("title", name)), text) for name, text in texts.items())]


def submitted_form(row: Mapping[str, Any], vault: Vault) -> Mapping[str, object]:
    """Return the form as it was submitted, from a row with `application_id` and `submitted_sealed`.

    Raises:
        RecordUnreadable: it does not open.
    """
    if row["submitted_sealed"] is None:
        return {}
    told = json.loads(vault.open(_SUBMITTED, as_uuid(row["application_id"]), row["submitted_sealed"]))
    form: Mapping[str, object] = told["form"]
    return form


def _opened(column: str, title: str, vault: Vault, row_id: UUID, sealed: bytes | None) -> list[OpenedText]:
    text = "" if sealed is None else vault.open(column, row_id, sealed)
    return [OpenedText(column.partition(".")[2], title, text)] if text.strip() else []
