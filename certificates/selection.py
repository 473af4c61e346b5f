"""What a holder lets out of a certificate: fields and claims, chosen before anything is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from auth.registers.types import VerifierTerms
from certificates import rules
from certificates.errors import ClaimUnknown, FieldUnknown, NothingChosen, PurposeRequired, VerifierUnknown
from certificates.types import Kind, Value
from core.errors import FieldError


@dataclass(frozen=True, slots=True)
class Selection:
    """The names of fields and the claims that leave, and nothing beside them."""

    names: tuple[str, ...]
    claims: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Everything that leaves, by name."""
        return (*self.names, *self.claims)

    @classmethod
    def choose(cls, kind: Kind, fields: Sequence[str] | None, claims: Sequence[str]) -> "Selection":
        """Return what was chosen, each once, the fields in the order of the card.

        No `fields` means the card face, or nothing when there are claims.

        Raises:
            NothingChosen: `fields` is empty, and there is no claim either.
            FieldUnknown: a name is not of this kind.
            ClaimUnknown: a claim is not written like one, or this kind cannot support it.
        """
        if fields is not None and not fields and not claims:
            wrong = FieldError("/fields", "too-few", "请至少选择一项", "Choose at least one")
            raise NothingChosen(errors=[wrong])
        return cls(_fields(kind, fields, has_claims=bool(claims)), _claims(kind, claims))

    @classmethod
    def of(cls, kind: Kind, names: Sequence[str]) -> "Selection":
        """Return what was chosen before, by name."""
        fields = tuple(name for name in names if name in kind.field_names)
        return cls(fields, tuple(name for name in names if name not in fields))

    def read(self, kind: Kind, held: Mapping[str, Value], today: date) -> dict[str, Value | bool]:
        """Return the values of the fields, and for each claim whether it holds on a day."""
        told: dict[str, Value | bool] = {name: held.get(name) for name in self.names}
        for text in self.claims:
            claim = rules.find_claim(kind, text)
            if claim is not None:
                told[text] = rules.holds(kind.claims[claim.name], claim, held, today)
        return told


def _fields(kind: Kind, fields: Sequence[str] | None, *, has_claims: bool) -> tuple[str, ...]:
    if fields is None:
        return () if has_claims else kind.card_face
    strange = [index for index, name in enumerate(fields) if name not in kind.field_names]
    if strange:
        raise FieldUnknown(
            errors=[
                FieldError(f"/fields/{index}", "unknown", "这种证照没有这一项", "This kind has no such field")
                for index in strange
            ]
        )
    return tuple(name for name in kind.field_names if name in fields)


def _claims(kind: Kind, claims: Sequence[str]) -> tuple[str, ...]:
    strange = [index for index, text in enumerate(claims) if rules.find_claim(kind, text) is None]
    if strange:
        raise ClaimUnknown(
            errors=[
                FieldError(
                    f"/claims/{index}", "unknown", "这种证照不能证明这一点", "This kind cannot support this claim"
                )
                for index in strange
            ]
        )
    return tuple(dict.fromkeys(claims))


def require_allowed(terms: VerifierTerms | None, purpose: str, chosen: Selection) -> None:
    """See that a verifier may read for a purpose what a holder wants to let it read.

    Raises:
        VerifierUnknown: no such verifier is registered.
        PurposeRequired: it is not registered for this purpose.
        FieldUnknown: it may not read one of the fields or claims for it.
    """
    if terms is None:
        raise VerifierUnknown(
            errors=[FieldError("/verifier", "unknown", "没有这个用证单位", "There is no such verifier")]
        )
    if purpose not in terms.purposes:
        wrong = FieldError("/purpose", "unknown", "请选择该单位已登记的用途", "Choose a purpose it is registered for")
        raise PurposeRequired(errors=[wrong])
    beyond = [
        FieldError(f"/{of}", "not-allowed", "该单位不能读取其中的项目", "It may not read all of these")
        for of, names in (("fields", chosen.names), ("claims", chosen.claims))
        if any(not terms.may_read(name, purpose) for name in names)
    ]
    if beyond:
        raise FieldUnknown(errors=beyond)
