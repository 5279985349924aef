"""Reads a document of the subset of SSML into a list of what is to be said, in order.

By expat, which sees no document type and so expands no entity of the author's. Whatever is not of
the subset is refused with its line and column.

| element | attributes |
| --- | --- |
| `speak`, the root | `version`, `xml:lang`, name spaces |
| `p`, `s` | `xml:lang` |
| `break`, empty | `time` to 10s, `strength` |
| `prosody` | `rate`, `pitch`, `volume` |
| `emphasis` | `level` |
| `say-as`, of text only | `interpret-as`, `format`, `detail` (ignored) |
| `phoneme`, of text only | `alphabet` ("ipa"), `ph` |
| `sub`, of text only | `alias` |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_tts.domain import Prosody
from voicemesh_tts.text.speakable import PRIVATE_USE
from voicemesh_tts.text.ssml.attributes import combined, emphasis, pause_s, prosody
from voicemesh_tts.text.traced import Traced

__all__ = ("Item", "Mark", "MarkedText", "Pause", "Style", "parse")

MAX_CHARS = 100_000
"""Longest document in characters, whatever the server takes."""

MAX_DEPTH = 16
"""Most elements within one another."""

MAX_ELEMENTS = 2_000
"""Most elements."""

MAX_MARKED_CHARS = 200
"""Longest text of `say-as`, `phoneme` and `sub`, and longest attribute, in characters."""

MAX_PAUSES_S = 60.0
"""Longest silence of all breaks together, in seconds."""

PARAGRAPH_S = 0.5
"""Silence between paragraphs, in seconds."""

_NAME_SHOWN = 40
_BLANK = re.compile(rf"[\s{PRIVATE_USE}]")
_LANGUAGE = frozenset({"xml:lang"})
_ATTRIBUTES = {
    "speak": frozenset({"version", "xml:lang"}),
    "p": _LANGUAGE,
    "s": _LANGUAGE,
    "break": frozenset({"time", "strength"}),
    "prosody": frozenset({"rate", "pitch", "volume"}),
    "emphasis": frozenset({"level"}),
    "say-as": frozenset({"interpret-as", "format", "detail"}),
    "phoneme": frozenset({"alphabet", "ph"}),
    "sub": frozenset({"alias"}),
}
_MARKING = frozenset({"say-as", "phoneme", "sub"})
_NEEDED = {"say-as": "interpret-as", "phoneme": "ph", "sub": "alias"}


_PLAIN = Prosody()


@dataclass(frozen=True)
class Style:
    """How a stretch of text is to sound."""

    prosody: Prosody = _PLAIN
    """How it differs from the rest."""

    language_code: str = ""
    """BCP-47 code of its language; empty for that of the document."""


@dataclass(frozen=True)
class Mark:
    """A `say-as`, `phoneme` or `sub`."""

    element: str
    """Its name."""

    attributes: dict[str, str]
    """Its attributes, checked by name."""

    place: str
    """Where it stands, for people."""


@dataclass(frozen=True)
class MarkedText:
    """Text, with the mark around it if it has one."""

    text: Traced
    """The text, which knows where in the document it stands."""

    style: Style
    """How it is to sound."""

    mark: Mark | None = None
    """How it is to be read."""


@dataclass(frozen=True)
class Pause:
    """The end of a sentence or paragraph, or a break."""

    seconds: float
    """Silence, in seconds."""

    added: bool
    """Whether it adds to others (a break) or is the least there is to be (a paragraph)."""


Item = MarkedText | Pause
"""What a document consists of."""


def parse(document: str) -> tuple[Item, ...]:
    """What the document says, in order.

    Raises:
        InvalidArgumentError: if it is not of the subset; names line and column.
    """
    if len(document) > MAX_CHARS:
        msg = f"the document has {len(document)} characters; at most {MAX_CHARS} are taken"
        raise InvalidArgumentError(msg, field="ssml")
    return _Reader(document).read()


@dataclass
class _Open:
    """An element that has begun and not ended."""

    name: str
    style: Style
    mark: Mark | None = None


class _Reader:
    def __init__(self, document: str) -> None:
        self._bytes = document.encode("utf-8", "surrogatepass")
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = False
        self._parser.ordered_attributes = False
        self._open: list[_Open] = []
        self._items: list[Item] = []
        self._elements = 0
        self._pauses_s = 0.0
        self._text: list[str] = []  # of the stretch being read, with its places
        self._spans: list[tuple[int, int]] = []
        self._byte = self._char = 0

    def read(self) -> tuple[Item, ...]:
        parser = self._parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._doctype
        parser.ProcessingInstructionHandler = self._instruction
        parser.ExternalEntityRefHandler = self._doctype
        try:
            parser.Parse(self._bytes, True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            where = f"line {error.lineno}, column {error.offset + 1}"
            msg = f"the document is not well-formed at {where}: {reason}"
            raise InvalidArgumentError(msg, field="ssml") from error
        return tuple(self._items)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            self._refuse(f"has more than {MAX_ELEMENTS} elements")
        if len(self._open) >= MAX_DEPTH:
            self._refuse(f"has more than {MAX_DEPTH} elements within one another")
        self._check(name, attributes)
        self._flush()
        style = self._open[-1].style if self._open else Style()
        mark = Mark(name, attributes, self._place()) if name in _MARKING else None
        try:
            if name == "prosody":
                style = Style(combined(style.prosody, prosody(attributes)), style.language_code)
            elif name == "emphasis":
                style = Style(combined(style.prosody, emphasis(attributes)), style.language_code)
            elif name == "break":
                self._pause(pause_s(attributes))
        except ValueError as error:
            self._refuse(f"has {error}")
        if name in ("p", "s"):
            self._items.append(Pause(PARAGRAPH_S if name == "p" else 0.0, added=False))
        if "xml:lang" in attributes:
            style = Style(style.prosody, attributes["xml:lang"])
        self._open.append(_Open(name, style, mark))

    def _check(self, name: str, attributes: dict[str, str]) -> None:
        shown = name[:_NAME_SHOWN]
        if name not in _ATTRIBUTES:
            known = ", ".join(_ATTRIBUTES)
            self._refuse(f"has an element <{shown}>, which is not served; there are {known}")
        if (name == "speak") != (not self._open):
            self._refuse("must be one <speak> element, with all others in it")
        parent = self._open[-1].name if self._open else ""
        if parent in _MARKING or parent == "break":
            self._refuse(f"has <{shown}> in <{parent}>, which takes no elements")
        for attribute, value in attributes.items():
            spaced = name == "speak" and attribute.startswith(("xmlns", "xsi:"))
            if attribute not in _ATTRIBUTES[name] and not spaced:
                self._refuse(f"has {attribute[:_NAME_SHOWN]!r} on <{shown}>, which is not served")
            if len(value) > MAX_MARKED_CHARS:
                self._refuse(f"has an attribute of more than {MAX_MARKED_CHARS} characters")
        needed = _NEEDED.get(name)
        if needed and not attributes.get(needed, "").strip():
            self._refuse(f"has <{name}> without {needed!r}")

    def _end(self, name: str) -> None:
        opened = self._open[-1]
        if opened.mark is not None and not "".join(self._text).strip():
            self._refuse(f"has <{name}> without text")
        self._flush()
        self._open.pop()
        if name in ("p", "s"):
            self._items.append(Pause(PARAGRAPH_S if name == "p" else 0.0, added=False))

    def _characters(self, text: str) -> None:
        start = self._here()
        if self._open and self._open[-1].name == "break" and text.strip():
            self._refuse("has text in <break>, which is empty")
        source = self._bytes[self._byte : self._byte + 1]
        if source == b"&":
            # One character, written as "&amp;" or "&#38;".
            end = self._bytes.index(b";", self._byte) + 1 - self._byte + start
            spans = [(start, end)] * len(text)
        else:
            spans = [(start + number, start + number + 1) for number in range(len(text))]
        # A new line in a document is a blank like any other.
        self._text.append(_BLANK.sub(" ", text))
        self._spans += spans
        if self._open and self._open[-1].mark and len(self._spans) > MAX_MARKED_CHARS:
            name = self._open[-1].name
            self._refuse(f"has <{name}> with more than {MAX_MARKED_CHARS} characters")

    def _flush(self) -> None:
        """Ends a stretch of text."""
        text = "".join(self._text)
        if text and self._open:
            opened = self._open[-1]
            self._items.append(MarkedText(Traced(text, self._spans), opened.style, opened.mark))
        self._text, self._spans = [], []

    def _pause(self, seconds: float) -> None:
        self._pauses_s += seconds
        if self._pauses_s > MAX_PAUSES_S:
            self._refuse(f"has breaks of more than {MAX_PAUSES_S:g} s together")
        self._items.append(Pause(seconds, added=True))

    def _here(self) -> int:
        """The character that is being read; expat counts bytes."""
        byte = self._parser.CurrentByteIndex
        self._char += len(self._bytes[self._byte : byte].decode("utf-8", "surrogatepass"))
        self._byte = byte
        return self._char

    def _place(self) -> str:
        parser = self._parser
        return f"line {parser.CurrentLineNumber}, column {parser.CurrentColumnNumber + 1}"

    def _refuse(self, what: str) -> NoReturn:
        msg = f"the document {what} (at {self._place()})"
        raise InvalidArgumentError(msg, field="ssml")

    def _doctype(self, *_: object) -> NoReturn:
        self._refuse("has a document type or an entity, which are not served")

    def _instruction(self, *_: object) -> NoReturn:
        self._refuse("has a processing instruction, which is not served")
