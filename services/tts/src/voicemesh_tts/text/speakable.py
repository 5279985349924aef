"""What of a written clause can be said: text without Markdown, emoji, mentions and marks.

| written | spoken |
| --- | --- |
| emphasis, headings, quotes, bullets, table bars, code marks, HTML tags | the words alone |
| `[text](address)`, `![text](address)` | text |
| `https://www.example.org/a?b=c` | example.org |
| `<@1>`, `<#1>`, `<:name:1>`, `:name:` | nothing: the names are not in the text |
| `<t:1700000000:D>` | the day, with the time in UTC if the mark shows one |
| `@everyone`, `</ask:1>` | everyone, ask |
| emoji, `:-)` | nothing; a digit in a key cap stays |
| letters of mathematical alphabets, full width or in circles | the plain letters |
| control characters, stacks of the same mark | nothing, one mark |

Emoji are pictures beside the words: read out ("face with tears of joy") they break the sentence
they stand in, so no assistant says them. Blocks of code do not get here: the planner drops them.
"""

from __future__ import annotations

import html
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from voicemesh_tts.text.traced import Replacement, Rewriting, Rule, Said

if TYPE_CHECKING:
    from voicemesh_tts.text.traced import Traced

__all__ = ("PRIVATE_USE", "speakable", "tidy")

PRIVATE_USE = "\ue000-\uf8ff\U000f0000-\U0010fffd"
"""Characters without a meaning of their own, as a range of a regular expression."""

_EMOJI = (
    "\U0001f000-\U0001faff"  # pictures, flags, skin tones
    "\u2600-\u27bf\u2b00-\u2bff\u2190-\u21ff\u2300-\u23ff"  # signs, dingbats, stars, arrows
    "\u20e3\ufe0e\ufe0f\U000e0020-\U000e007f"  # key caps, variation selectors, tags
)
_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20dc\u20e4-\u20f0"
_FANCY = (
    "\U0001d400-\U0001d7ff"  # mathematical alphabets
    "\uff05\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"  # full width
    "\u24b6-\u24e9\ufb00-\ufb06"  # letters in circles, ligatures
)
_MOST_ACCENTS = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _accented(match: re.Match[str]) -> Replacement | None:
    """Letters and accents as one character; no letter has as many as "zalgo" piles up."""
    composed = unicodedata.normalize("NFC", match.group())
    letter = composed.rstrip("".join(chr(c) for c in range(0x300, 0x370)))
    if composed == match.group() and len(composed) - 1 <= _MOST_ACCENTS:
        return None
    return [Said(composed if len(composed) <= len(letter) + _MOST_ACCENTS else letter, 0)]


def _moment(match: re.Match[str]) -> Replacement:
    try:
        moment = _EPOCH + timedelta(seconds=int(match["seconds"]))
    except OverflowError:
        return " "
    style = match["style"] or "f"
    day, time = f"{moment:%Y-%m-%d}", f"{moment:%H:%M} UTC"
    said = {"d": day, "D": day, "t": time, "T": time}.get(style, f"{day}, {time}")
    return f" {said} "


def _host(match: re.Match[str]) -> Replacement:
    host, rest = match.span("host"), match["rest"]
    start = host[0] + len("www.") * match["host"].startswith("www.")
    # A full stop at the end is the sentence's, not the address's.
    tail = re.search(r"[.,;:!?)\]]*$", rest)
    mark = match.end("rest") - (len(tail.group()) if tail else 0)
    return (slice(start, host[1]), slice(mark, match.end("rest")))


def _rules(*rules: tuple[str, Rewriting]) -> tuple[Rule, ...]:
    return tuple((re.compile(pattern, re.MULTILINE), to) for pattern, to in rules)


_FOREIGN = _rules((rf"[{PRIVATE_USE}]", ""), (r"\r\n?", "\n"))
_LETTERS = _rules(
    (rf"[^\s{_MARKS}][{_MARKS}]+", _accented),
    (rf"[{_FANCY}]+", lambda match: [Said(unicodedata.normalize("NFKC", match.group()), 0)]),
)

_MARKUP = _rules(
    # Discord's own marks, before anything takes their brackets away.
    (r"<t:(?P<seconds>-?\d{1,14})(?::(?P<style>[tTdDfFR]))?>", _moment),
    (r"<a?:\w+:\d+>|<@[!&]?\d+>|<#\d+>", " "),
    (r"<id:(\w+)>", (1,)),
    (r"</([\w -]+):\d+>", (1,)),
    (r"(?<![\w/.])@(?=\w)", ""),
    # Links and addresses.
    (r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)", (1,)),
    (r"<?https?://(?:[^\s/?#<>()@]*@)?(?P<host>[^\s/?#:<>()]+)(?P<rest>[^\s<>]*)>?", _host),
    # Lines: rules and table rulers away, marks at the start away, numbers kept.
    (r"^[ \t]*(?:[-*_=][ \t]*){3,}$", " "),
    (r"^[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*(?::?-+:?)?[ \t]*$", " "),
    (r"^[ \t]*(?:>[ \t]*)+", ""),
    (r"^[ \t]*(?:#{1,6}|-#)[ \t]+", ""),
    (r"^[ \t]*[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?", ""),
    (r"^[ \t]*(\d{1,3})[.)][ \t]+", (1, ", ")),
    # Tags and marks within a line.
    (r"</?[A-Za-z][^<>\n]*>|<!--.*?-->", " "),
    (
        r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});",
        lambda match: html.unescape(match.group()),
    ),
    (r"(?<=\w)\(\)(?!\w)|(?<=`)--?(?=[A-Za-z])", ""),
    (r"\|\||~~|`+|(?<!\d)\*+(?!\s|\d)|(?<=\S)\*+(?!\d)|\*{2,}", ""),
    (r"(?<![^\W_])_+(?=\w)|(?<=\w)_+(?![^\W_])", ""),
    (r"(?<=\w)_+(?=\w)", " "),
    (r"[ \t]*\|[ \t]*", ", "),
)

_TIDY = _rules(
    # Pictures and characters that are not there to be read.
    (r"(\d)\ufe0f?\u20e3", (1,)),
    (r"(?<=\S) ?[→⇒⟶➜➡]\ufe0f? ?(?=\S)", ", "),
    (rf"[{_EMOJI}](?:\u200d?[{_EMOJI}])*", " "),
    (r"(?<![\w:]):[a-z0-9_+-]{2,32}:(?![\w:])", " "),
    (r"(?<!\S)(?:[:;=]['’]?-?[)(\[\]DPpOo3/\\|*]{1,8}|<3+|\^_*\^|[xX]D+)(?=$|[\s.,!?])", ""),
    (r"¯\\?_?\(?ツ\)?_?/?¯", " "),
    (r"[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\u00ad\ufeff\ufffc\ufffd]", ""),
    (r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", " "),
    # Layout: a line that ends without a mark gets one, so that the voice pauses.
    (r"(?<=[^\s.,;:!?…。！？،؟])[ \t]*\n\s*", ", "),
    (r"\.{4,}", "..."),
    (rf"([^\w\s.{PRIVATE_USE}])\1{{2,}}", (1,)),
    (r"\s+", " "),
    (r"(?:, )+(?=[,.;:!?])|^[, ]+|[, ]+(?=, )", ""),
    (r" (?=[,.;:!?](?:\s|$))", ""),
)


def speakable(written: Traced) -> Traced:
    """The text that is to be said, without markup; it may be blank."""
    return tidy(written.rewritten(_FOREIGN).rewritten(_MARKUP))


def tidy(written: Traced) -> Traced:
    """The text that is to be said of text without markup: plain letters, no pictures, one line."""
    return written.rewritten(_LETTERS).rewritten(_TIDY)
