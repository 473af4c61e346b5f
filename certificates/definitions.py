"""Reading the kinds of certificates from `kinds/*.json`. A further kind is a further file, and no code."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from auth.delegation.rules import uscc_is_right
from certificates.errors import KindUnknown
from certificates.types import ClaimSource, FieldDefinition, FieldType, Kind, Reading, RedRule, Text
from core.settings import UnsafeSettings

_FOLDER: Final = Path(__file__).with_name("kinds")
_TYPE_CODE_LENGTH: Final = 21
_USCC_LENGTH: Final = 18

Title = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,31}$")]
Days = Annotated[int, Field(ge=1, le=365)]
# The column of the audit line that names the kind has this room.
SLUG_LENGTH: Final = 32


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Words(_Part):
    zh: Sentence
    en: Sentence

    def text(self) -> Text:
        return Text(self.zh, self.en)


class _Column(BaseModel):
    """What a value is called, as JSON Schema (draft 2020-12) has it.

    `x-title-en` is the title in English; `x-words` says what each code of an issuer means.
    """

    model_config = ConfigDict(frozen=True)

    title: Title
    title_en: Annotated[Title, Field(alias="x-title-en")]
    words: Annotated[dict[str, _Words] | None, Field(alias="x-words")] = None

    @property
    def kind(self) -> FieldType:
        return FieldType.TEXT if self.words is None else FieldType.CODE

    def definition(self, name: str, *, required: bool, columns: tuple[FieldDefinition, ...] = ()) -> FieldDefinition:
        return FieldDefinition(
            name=name,
            title=self.title,
            title_en=self.title_en,
            type=self.kind,
            required=required,
            words={code: words.text() for code, words in (self.words or {}).items()},
            columns=columns,
        )


class _Row(BaseModel):
    """One of the rows of a field."""

    model_config = ConfigDict(frozen=True)

    properties: Annotated[dict[Name, _Column], Field(min_length=1)]
    required: tuple[Name, ...] = ()

    def columns(self) -> tuple[FieldDefinition, ...]:
        return tuple(told.definition(name, required=name in self.required) for name, told in self.properties.items())


class _Property(_Column):
    """One field: what is read here beside what the schema itself checks."""

    type: Literal["string", "integer", "array"]
    format: Literal["date", "date-time"] | None = None
    items: _Row | None = None

    @model_validator(mode="after")
    def _rows_have_columns(self) -> Self:
        if (self.type == "array") != (self.items is not None):
            raise ValueError("an array, and nothing else, says what its items are")
        return self

    @property
    def kind(self) -> FieldType:
        if self.type == "array":
            return FieldType.ROWS
        if self.type == "integer":
            return FieldType.INTEGER
        if self.words is not None:
            return super().kind
        return {None: FieldType.TEXT, "date": FieldType.DATE, "date-time": FieldType.MOMENT}[self.format]


class _Schema(BaseModel):
    """The fields of a kind: a JSON Schema of an object that has no further ones."""

    model_config = ConfigDict(frozen=True)

    type: Literal["object"]
    closed: Annotated[Literal[False], Field(alias="additionalProperties")]
    properties: Annotated[dict[Name, _Property], Field(min_length=1)]
    required: tuple[Name, ...]

    def fields(self) -> tuple[FieldDefinition, ...]:
        return tuple(
            told.definition(
                name,
                required=name in self.required,
                columns=() if told.items is None else told.items.columns(),
            )
            for name, told in self.properties.items()
        )


class _Red(_Part):
    field: Name
    reason: _Words
    at_least: int | None = None
    other_than: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.at_least is None) == (not self.other_than):
            raise ValueError("say either at_least or other_than")
        return self


class _Claim(_Part):
    field: Name
    reads: Reading
    # By operator, with `{}` for what is compared with.
    words: dict[Literal[">=", "<=", "="], _Words]
    covers: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    source: str = ""

    @model_validator(mode="after")
    def _has_words(self) -> Self:
        operators = {"="} if self.reads is Reading.CLASSES else {">=", "<=", "="}
        if self.words.keys() != operators:
            raise ValueError(f"words are needed for each of {' '.join(sorted(operators))}")
        if any(text.count("{}") != 1 for each in self.words.values() for text in (each.zh, each.en)):
            raise ValueError("words of a claim have one {} for what is compared with")
        return self


class _Renewal(_Part):
    advice: _Words
    matter: Slug | None = None


class _File(_Part):
    """A file as it is written."""

    title: Title
    title_en: Title
    issuer: Slug
    type_sequence: Annotated[str, StringConstraints(pattern=r"^9\d\d$")]
    number_field: Name
    name_field: Name
    # Kept as it is written, for the validator; what is read of it stands in `_Schema`.
    fields: Annotated[dict[str, Any], Field(alias="schema")]
    card_face: Annotated[tuple[Name, ...], Field(min_length=1)]
    valid_until: tuple[Name, ...]
    red_when: tuple[_Red, ...]
    reminders: tuple[Days, ...]
    renewal: _Renewal | None
    claims: dict[Slug, _Claim]
    group: Slug | None = None

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        try:
            Draft202012Validator.check_schema(self.fields)
        except SchemaError as error:
            raise ValueError(f"schema: {error.message}") from error
        by_name = {each.name: each for each in _Schema.model_validate(self.fields).fields()}
        used = {
            self.number_field,
            self.name_field,
            *self.fields["required"],
            *self.card_face,
            *self.valid_until,
            *(rule.field for rule in self.red_when),
            *(claim.field for claim in self.claims.values()),
        }
        if strange := sorted(used - by_name.keys()):
            raise ValueError(f"no such field: {', '.join(strange)}")
        if wrong := sorted(name for name in self.valid_until if by_name[name].type is not FieldType.DATE):
            raise ValueError(f"not a date: {', '.join(wrong)}")
        for name in (self.number_field, self.name_field):
            if not by_name[name].required or by_name[name].type is not FieldType.TEXT:
                raise ValueError(f"{name} has to be a required text")
        if self.reminders and (not self.valid_until or self.renewal is None):
            raise ValueError("reminders need a last day and a renewal to speak of")
        return self


class Kinds:
    """All kinds that are defined, by slug."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds = {kind.slug: kind for kind in kinds}

    @classmethod
    def load(cls, *, authority: str, type_codes: Mapping[str, str], folder: Path = _FOLDER) -> "Kinds":
        """Read every file of the folder; its name is the kind's slug.

        `authority` and `type_codes` are those of the settings. Call it while starting: it reads files.

        Raises:
            UnsafeSettings: a file or a code is not right; the message says which and why.
        """
        if not uscc_is_right(authority):
            raise UnsafeSettings("ZHIJIAN_CERTIFICATES__AUTHORITY is no unified social credit code (GB 32100).")
        kinds = [_read(path, authority, type_codes) for path in sorted(folder.glob("*.json"))]
        if strange := sorted(type_codes.keys() - {kind.slug for kind in kinds}):
            raise UnsafeSettings(f"ZHIJIAN_CERTIFICATES__TYPE_CODES names unknown kinds: {', '.join(strange)}.")
        return cls(kinds)

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def find(self, slug: str) -> Kind | None:
        """Return the kind with this slug or None."""
        return self._kinds.get(slug)

    def get(self, slug: str) -> Kind:
        """Return the kind with this slug.

        Raises:
            KindUnknown: there is none.
        """
        kind = self._kinds.get(slug)
        if kind is None:
            raise KindUnknown(kinds=sorted(self._kinds))
        return kind


def _read(path: Path, authority: str, type_codes: Mapping[str, str]) -> Kind:
    slug = path.stem
    type_code = type_codes.get(slug)
    if len(slug) > SLUG_LENGTH:
        raise UnsafeSettings(f"The kind of certificate {slug}: a name has at most {SLUG_LENGTH} characters.")
    if type_code is not None and not _is_type_code(type_code):
        raise UnsafeSettings(f"The type code of {slug} is no unified social credit code with three digits behind it.")
    try:
        told = _File.model_validate_json(path.read_bytes())
    except ValueError as error:
        raise UnsafeSettings(f"The kind of certificate {slug} is not right: {error}") from error
    return Kind(
        slug=slug,
        title=told.title,
        title_en=told.title_en,
        issuer=told.issuer,
        type_code=type_code or authority + told.type_sequence,
        number_field=told.number_field,
        name_field=told.name_field,
        fields=_Schema.model_validate(told.fields).fields(),
        schema=told.fields,
        card_face=told.card_face,
        valid_until=told.valid_until,
        red_when=tuple(
            RedRule(field=each.field, at_least=each.at_least, other_than=each.other_than, reason=each.reason.text())
            for each in told.red_when
        ),
        claims={
            name: ClaimSource(
                field=each.field,
                reads=each.reads,
                covers=dict(each.covers),
                words={operator: words.text() for operator, words in each.words.items()},
            )
            for name, each in told.claims.items()
        },
        reminders=tuple(sorted(set(told.reminders), reverse=True)),
        renewal=None if told.renewal is None else told.renewal.advice.text(),
        renewed_by=(told.renewal.matter if told.renewal is not None else None) or "",
        group=told.group or "",
    )


def _is_type_code(text: str) -> bool:
    code, sequence = text[:_USCC_LENGTH], text[_USCC_LENGTH:]
    return uscc_is_right(code) and len(text) == _TYPE_CODE_LENGTH and sequence.isdecimal() and sequence.isascii()
