"""What is said: read once from the published files, and checked in full before anybody is told anything."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from core.settings import UnsafeSettings
from notices.errors import EventUnknown
from notices.rules import CHINA, PLAIN_LIMIT, SMS_LIMIT, fit_field
from notices.types import Card, Event, Said, Template, Text, Topic, Urgency

_FOLDER: Final = Path(__file__).parent / "published"
_WORD: Final = re.compile(r"\{(\w+)\}")
# What can stand in any text beside the words of its event.
_GIVEN: Final = frozenset({"at", "object_id"})


class Texts:
    """All events and templates. A text has a place for a word as `{word}`; short messages have none."""

    def __init__(self, events: Mapping[str, Event], templates: Mapping[str, Template]) -> None:
        self._events = dict(events)
        self.templates = dict(templates)
        for event in self.all:
            for trouble in _troubles(event, self.templates):
                raise UnsafeSettings(f"The notice {event.name}: {trouble}")

    @classmethod
    def load(cls, folder: Path = _FOLDER) -> "Texts":
        """Read the published files.

        Raises:
            UnsafeSettings: they are not in order; the message says where.
        """
        try:
            events = {name: _event(name, told) for name, told in _read(folder / "events.json").items()}
            templates = {
                key: Template(key, tuple(told["fields"]), bool(told["long_term"]))
                for key, told in _read(folder / "templates.json").items()
            }
        except (KeyError, TypeError, ValueError) as error:
            raise UnsafeSettings(f"The notices' texts cannot be read: {error!r}") from error
        return cls(events, templates)

    @property
    def all(self) -> tuple[Event, ...]:
        """Every event, by name."""
        return tuple(self._events[name] for name in sorted(self._events))

    def find(self, name: str, words: Mapping[str, str]) -> Event:
        """Return an event that is told with these words.

        Raises:
            EventUnknown: there is none of that name, or a word is missing.
        """
        event = self._events.get(name)
        if event is None or words_of(event) - words.keys():
            raise EventUnknown(event=name)
        return event

    def find_known(self, name: str) -> Event | None:
        """Return the event of a notice that was written, None if its text was taken away since."""
        return self._events.get(name)


def words_of(event: Event) -> frozenset[str]:
    """Return the words that an event's texts have places for."""
    texts = [text for said in _saids(event) for text in (said.title.zh, said.title.en, said.text.zh, said.text.en)]
    found = {word for text in [*texts, *event.card.values.values(), event.page] for word in _WORD.findall(text)}
    return frozenset(found - _GIVEN)


def render(text: str, words: Mapping[str, str]) -> str:
    """Return a text with its words in place. A word is put in as it is: what looks like a place in it is none."""
    return _WORD.sub(lambda found: words.get(found[1], ""), text)


def render_text(text: Text, words: Mapping[str, str]) -> Text:
    """Return a text of both languages with its words in place."""
    return Text(render(text.zh, words), render(text.en, words))


def card_for(event: Event, words: Mapping[str, str], *, at: datetime, object_id: UUID | None) -> tuple[Card, str]:
    """Return what WeChat shows of an event, each field within its limits, and the page that it opens."""
    given = {
        **words,
        "at": at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"),
        "object_id": "" if object_id is None else str(object_id),
    }
    values = {field: fit_field(field, render(value, given)) for field, value in event.card.values.items()}
    return Card(event.card.template, values), render(event.page, given)


def _saids(event: Event) -> Iterator[Said]:
    yield event.said
    if event.copy is not None:
        yield event.copy


def _troubles(event: Event, templates: Mapping[str, Template]) -> Iterator[str]:
    for said in _saids(event):
        if not all((said.title.zh, said.title.en, said.text.zh, said.text.en, said.plain, said.sms)):
            yield "a text is missing"
        if len(said.sms) > SMS_LIMIT:
            yield f"the short message is longer than {SMS_LIMIT} characters"
        if len(said.plain) > PLAIN_LIMIT:
            yield f"the spoken sentence is longer than {PLAIN_LIMIT} characters"
        if _WORD.search(said.sms) or _WORD.search(said.plain):
            yield "a short message and a spoken sentence say no words of the case"
    if event.copy is not None and _WORD.search(event.copy.text.zh + event.copy.text.en + event.copy.title.zh):
        yield "what the family is told says no words of the case"
    yield from _card_troubles(event, templates.get(event.card.template))


def _card_troubles(event: Event, template: Template | None) -> Iterator[str]:
    if template is None:
        yield "its template is not registered"
    elif set(template.fields) != set(event.card.values):
        yield "its fields are not those of the template"
    for field, value in event.card.values.items():
        try:
            # A word may be of any length: only fields that may be cut can hold one.
            fit_field(field, _WORD.sub("…" if "{at}" in value else "某" * 100, value))
        except ValueError:
            yield f"the field {field} does not hold {value!r}"


def _read(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


def _event(name: str, told: Mapping[str, Any]) -> Event:
    return Event(
        name=name,
        topic=Topic(told["topic"]),
        urgency=Urgency(told["urgency"]),
        said=_said(told),
        card=Card(told["card"]["template"], dict(told["card"]["values"])),
        page=told["page"],
        pause_minutes=int(told.get("pause_minutes", 0)),
        copy=_said(told["copy"]) if "copy" in told else None,
    )


def _said(told: Mapping[str, Any]) -> Said:
    return Said(
        title=Text(told["title"]["zh"], told["title"]["en"]),
        text=Text(told["text"]["zh"], told["text"]["en"]),
        plain=told["plain"],
        sms=told["sms"],
    )
