"""Keeps what people say, who they are and what lets them in out of the logs.

A field is hidden by its name, whatever the level: a log line holds facts about words (how many,
how long), never the words. Numbers and flags pass, so `token_count=12` and `text_length=80` stay.
Message texts are constant in our own code; for those of libraries, and for tracebacks, known
shapes of credentials are hidden too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ("HIDDEN", "redact", "redacted")

HIDDEN = "[redacted]"

# A field is hidden if one of the words of its name is here: `final_text`, `bot-token`.
_PERSONAL = """
    text texts transcript transcripts transcription prompt prompts word words sentence sentences
    utterance utterances hotword hotwords clause clauses reply replies answer answers question
    questions content contents correction history messages token tokens authorization password
    passphrase secret secrets credential credentials apikey cookie author authors speaker speakers
    username usernames nickname nick email
"""
_WORDS = frozenset(_PERSONAL.split())

# Names that are only personal in combination: `user_name` is, `model_name` is not.
_PERSONAL_NAMES = """
    name api_key x_api_key private_key user_name display_name global_name member_name guild_name
    channel_name first_name last_name full_name
"""
_NAMES = frozenset(_PERSONAL_NAMES.split())

# Keys of structlog and the standard library that are never personal.
_KEPT = frozenset({"event", "level", "logger", "timestamp", "service", "request_id", "method"})

_SPLIT = re.compile(r"[^a-z0-9]+")
_CREDENTIALS = re.compile(
    r"(?i:\b(?:bearer|bot)\s+)[A-Za-z0-9._~+/=-]{8,}"  # authorization headers
    r"|\bsk-[A-Za-z0-9_-]{8,}"  # keys of OpenAI-compatible services
    r"|\b[MNO][A-Za-z0-9_-]{23,}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"  # Discord bot tokens
)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Any:
    """A structlog processor that hides personal fields and credentials of one event."""
    for key, value in event.items():
        if key.startswith("_"):  # structlog's own bookkeeping
            continue
        event[key] = _clean(value) if key in _KEPT else redacted(key, value)
    return event


def redacted(key: str, value: object) -> object:
    """`value`, or `HIDDEN` if the name `key` says that it is personal; groups are walked."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return HIDDEN if _is_personal(key) else _clean(value)


def _clean(value: object) -> object:
    if isinstance(value, str):
        return _CREDENTIALS.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return {str(key): redacted(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    return value


def _is_personal(key: str) -> bool:
    words = [word for word in _SPLIT.split(key.lower()) if word]
    return "_".join(words) in _NAMES or not _WORDS.isdisjoint(words)
