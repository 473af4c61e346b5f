"""The texts that residents are asked to agree to, for everybody to read."""

from api.access import public
from api.operation import Answer, Out, Page, Request, Routes
from auth.texts.consents import TEXTS, ConsentText

routes = Routes(prefix="/v1/public", tag="consents")


class ConsentTextOut(Out):
    """One text in force. `id` is what a client sends to agree; `withdrawal` says what follows from taking it back."""

    id: str
    purpose: str
    version: int
    title: str
    title_en: str
    text: str
    text_en: str
    plain: str
    sha256: str
    may_be_withdrawn: bool
    withdrawal: str
    withdrawal_en: str
    instead: str | None

    @classmethod
    def of(cls, text: ConsentText) -> "ConsentTextOut":
        """Return the answer for a text."""
        return cls(
            id=text.code,
            purpose=text.purpose,
            version=text.version,
            title=text.title.zh,
            title_en=text.title.en,
            text=text.text.zh,
            text_en=text.text.en,
            plain=text.plain,
            sha256=text.sha256,
            may_be_withdrawn=text.may_be_withdrawn,
            withdrawal=text.follows.zh,
            withdrawal_en=text.follows.en,
            instead=text.instead,
        )


@routes.get("/consents", access=public(), answer=Page[ConsentTextOut])
async def list_texts(_request: Request) -> Answer:
    """List the texts in force; there is one for each purpose, and all come on one page."""
    items = [ConsentTextOut.of(text) for text in TEXTS if text.in_force]
    return Answer(Page[ConsentTextOut](items=items), headers={"Cache-Control": "public, max-age=300"})
