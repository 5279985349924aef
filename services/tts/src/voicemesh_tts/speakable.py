"""What of a written clause can be said: text without Markdown, emoji, mentions and addresses.

Numbers, dates and abbreviations are left to the engine, which knows how its language reads them.

| written | spoken |
| --- | --- |
| emphasis, headings, quotes, bullets, table bars, code marks, HTML tags | the words alone |
| `[text](address)`, `![text](address)` | text |
| `https://www.example.org/a?b=c` | example.org |
| `<@1>`, `<#1>`, `<t:1>`, `<:name:1>`, `:name:`, emoji | nothing |
| `@everyone`, `</ask:1>` | everyone, ask |
| control characters, stacks of the same mark | nothing, one mark |

Blocks of code do not get here: the planner drops them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

__all__ = ("speakable",)

_Replacement = str | Callable[[re.Match[str]], str]

_EMOJI = (
    "\U0001f000-\U0001faff"  # pictures, flags, skin tones
    "\u2600-\u27bf\u2b00-\u2bff\u2190-\u21ff\u2300-\u23ff"  # signs, dingbats, stars, arrows
    "\u20e3\ufe0e\ufe0f\U000e0020-\U000e007f"  # key caps, variation selectors, tags
)


def _host(match: re.Match[str]) -> str:
    # A full stop at the end is the sentence's, not the address's.
    tail = re.search(r"[.,;:!?)\]]*$", match["rest"])
    return match["host"].removeprefix("www.") + (tail.group() if tail else "")


_RULES: tuple[tuple[re.Pattern[str], _Replacement], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        # Discord's own marks, before anything takes their brackets away.
        (r"<a?:\w+:\d+>|<@[!&]?\d+>|<#\d+>|<t:-?\d+(?::\w)?>", " "),
        (r"</([\w -]+):\d+>", r"\1"),
        (r"(?<![\w/])@(?=\w)", ""),
        # Links and addresses.
        (r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)", r"\1"),
        (r"<?https?://(?P<host>[^\s/?#:<>()]+)(?P<rest>[^\s<>]*)>?", _host),
        # Lines: rules and table rulers away, marks at the start away, numbers kept.
        (r"^[ \t]*(?:[-*_=][ \t]*){3,}$", " "),
        (r"^[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*(?::?-+:?)?[ \t]*$", " "),
        (r"^[ \t]*(?:>[ \t]*)+", ""),
        (r"^[ \t]*#{1,6}[ \t]+", ""),
        (r"^[ \t]*[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?", ""),
        (r"^[ \t]*(\d{1,3})[.)][ \t]+", r"\1, "),
        # Tags and marks within a line.
        (r"</?[A-Za-z][^<>\n]*>|<!--.*?-->", " "),
        (r"\|\||~~|`+|(?<!\d)\*+(?!\s|\d)|(?<=\S)\*+(?!\d)|\*{2,}", ""),
        (r"(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)", ""),
        (r"[ \t]*\|[ \t]*", ", "),
        # Pictures and characters that are not there to be read.
        (rf"[{_EMOJI}](?:\u200d?[{_EMOJI}])*", " "),
        (r"(?<![\w:]):[a-z0-9_+-]{2,32}:(?![\w:])", " "),
        (r"[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffc\ufffd]", ""),
        (r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", " "),
        # Layout: a line that ends without a mark gets one, so that the voice pauses.
        (r"(?<=[^\s.,;:!?…。！？،؟])[ \t]*\n\s*", ", "),
        (r"\.{4,}", "..."),
        (r"([^\w\s.])\1{2,}", r"\1"),
        (r"\s+", " "),
        (r"(?:, )+(?=[,.;:!?])|^[, ]+|[, ]+(?=, )", ""),
        (r" (?=[,.;:!?](?:\s|$))", ""),
    )
)


def speakable(text: str) -> str:
    """The words to be said for a piece of written text; empty if there are none."""
    text = html.unescape(text.replace("\r\n", "\n"))
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = text.strip()
    return text if any(map(str.isalnum, text)) else ""
