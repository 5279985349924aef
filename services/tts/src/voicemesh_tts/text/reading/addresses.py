"""Addresses of hosts and people, names of files, telephone numbers: spelled out mark by mark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicemesh_tts.text.reading.languages import Language
    from voicemesh_tts.text.traced import Part, Replacement, Rule

__all__ = ("address_rules", "telephone")

_DOMAINS = (
    "com|org|net|edu|gov|int|info|biz|io|dev|app|ai|co|me|tv|gg|xyz|example|test|local|eu|de|at|ch|"
    "fr|es|it|pt|br|nl|be|uk|ie|us|ca|au|nz|pl|cz|sk|ru|ua|se|no|dk|fi|tr|in|cn|jp|kr|tw"
)
_FILES = (
    "py|js|ts|md|txt|json|toml|yaml|yml|xml|csv|html|css|sh|rs|go|cpp|java|kt|rb|php|sql|log|"
    "pdf|png|jpg|jpeg|gif|svg|webp|mp3|mp4|wav|ogg|flac|zip|tar|gz|exe|dll|docx|xlsx|onnx|bin"
)
_TELEPHONE = (
    r"(?<![\w.,+])\+\d{1,3}(?:[ .()/\u00a0-]{1,2}\d{1,5}){1,6}(?![\w-])"
    r"|(?<![\w-])\(?\d{3}\)?[-. ]\d{3}[-.]\d{4}(?![\w-])"
    r"|(?<![\w-])\d{3}-\d{4}(?![\w-])"
)
_CODE = r"(?<![\w.,/-])\d+(?:-\d+){2,}(?![\w/-])"
_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_FEWEST_DIGITS = 7
_MAIL = r"(?<![\w@])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+(?!\w)"
_HOST = rf"(?<![\w@./-])(?:[\w-]+\.)+(?:{_DOMAINS})(?:/[\w./%-]*[\w/])?(?![\w@-])"
_FILE = rf"(?<![\w@.-])[\w-]+(?:\.[\w-]+)*\.(?:{_FILES})(?![\w@-])"
_RUNS = re.compile(r"[^\W_]+|[^\w]|_")


def address_rules(language: Language) -> list[Rule]:
    """Rules that say `me@example.org`, `example.org`, `main.py` and `+1 555 010 9999`."""
    rules: list[Rule] = [
        (re.compile(_TELEPHONE), lambda match: _telephone(match, language)),
        (re.compile(_CODE), lambda match: _code(match, language)),
    ]
    if language.signs.dot:
        spelled = {"@": language.signs.at, ".": language.signs.dot, "+": language.signs.plus}
        rules += [
            (re.compile(pattern), lambda match: _spelled(match, spelled))
            for pattern in (_MAIL, _HOST, _FILE)
        ]
    return rules


def telephone(written: str, language: Language) -> str:
    """A telephone number digit by digit, with a pause between its groups."""
    groups = re.findall(r"\d+", written)
    said = ", ".join(language.digits(group) for group in groups)
    return f"{language.signs.plus} {said}" if written.lstrip().startswith("+") else said


def _telephone(match: re.Match[str], language: Language) -> str | None:
    digits = sum(map(str.isdigit, match.group()))
    return telephone(match.group(), language) if digits >= _FEWEST_DIGITS else None


def _code(match: re.Match[str], language: Language) -> str | None:
    """A code such as an ISBN, digit by digit; a date is not one."""
    return None if _DAY.fullmatch(match.group()) else telephone(match.group(), language)


def _spelled(match: re.Match[str], words: dict[str, str]) -> Replacement:
    """The address with its letters kept, words for its marks, and nothing of its path."""
    start = match.start()
    address = match.group().partition("/")[0]
    parts: list[Part] = []
    for run in _RUNS.finditer(address):
        if run.group().isalnum():
            parts.append(slice(start + run.start(), start + run.end()))
        else:
            parts.append(f" {words.get(run.group(), '')} ")
    return parts
