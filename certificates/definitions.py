"""Reading the kinds of certificates from `kinds/*.json`. A further kind is a further file, and no code."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from auth.delegation.rules import uscc_is_right
from certificates.errors import KindUnknown
from certificates.types import ClaimSource, FieldDefinition, FieldType, Kind, Reading, RedRule
from core.settings import UnsafeSettings

_FOLDER: Final = Path(__file__).with_name("kinds")
_TYPE_CODE_LENGTH: Final = 21
_USCC_LENGTH: Final = 18

Title = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,31}$")]
# The column of the audit line that names the kind has this room.
SLUG_LENGTH: Final = 32


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Field(_Part):
    name: Name
    title: Title
    title_en: Title
    type: FieldType
    required: bool = True


class _Red(_Part):
    field: Name
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
    covers: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    source: str = ""


class _File(_Part):
    """A file as it is written."""

    title: Title
    title_en: Title
    issuer: Slug
    type_sequence: Annotated[str, StringConstraints(pattern=r"^9\d\d$")]
    number_field: Name
    name_field: Name
    fields: Annotated[tuple[_Field, ...], Field(min_length=1)]
    card_face: Annotated[tuple[Name, ...], Field(min_length=1)]
    valid_until: tuple[Name, ...]
    red_when: tuple[_Red, ...]
    claims: dict[Slug, _Claim]
    group: Slug | None = None

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        by_name = {each.name: each for each in self.fields}
        if len(by_name) != len(self.fields):
            raise ValueError("a field is named twice")
        used = {
            self.number_field,
            self.name_field,
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
        fields=tuple(FieldDefinition(**each.model_dump()) for each in told.fields),
        card_face=told.card_face,
        valid_until=told.valid_until,
        red_when=tuple(RedRule(**each.model_dump()) for each in told.red_when),
        claims={
            name: ClaimSource(field=each.field, reads=each.reads, covers=dict(each.covers))
            for name, each in told.claims.items()
        },
        group=told.group or "",
    )


def _is_type_code(text: str) -> bool:
    code, sequence = text[:_USCC_LENGTH], text[_USCC_LENGTH:]
    return uscc_is_right(code) and len(text) == _TYPE_CODE_LENGTH and sequence.isdecimal() and sequence.isascii()
