"""What may be in a log line, and what is hidden."""

from __future__ import annotations

from typing import Any

import pytest

from voicemesh_chassis.redaction import HIDDEN, redact, redacted

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "key",
    [
        "text",
        "final_text",
        "transcript",
        "prompt",
        "token",
        "bot-token",
        "Authorization",
        "x-api-key",
        "author",
        "speaker",
        "user_name",
        "display_name",
        "name",
        "password",
        "answer",
    ],
)
def test_words_tokens_and_names_are_hidden(key: str) -> None:
    assert redacted(key, "what nobody may read") == HIDDEN


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("token_count", 12),
        ("text_length", 80),
        ("transcript", None),
        ("speaker", True),
        ("model_name", "whisper-tiny.en"),
        ("voice", "en_US-joe-medium"),
        ("context_ms", 20.5),
    ],
)
def test_facts_are_not(key: str, value: object) -> None:
    assert redacted(key, value) == value


def test_groups_are_walked() -> None:
    event: dict[str, Any] = {
        "event": "done",
        "turn": {"text": "hello", "words_heard": 1, "inner": {"author": "Ann"}},
        "items": [{"transcript": "hello", "duration_ms": 5}],
    }

    assert redact(None, "info", event) == {
        "event": "done",
        "turn": {"text": HIDDEN, "words_heard": 1, "inner": {"author": HIDDEN}},
        "items": [{"transcript": HIDDEN, "duration_ms": 5}],
    }


@pytest.mark.parametrize(
    "secret",
    [
        "Bearer abcdef123456",
        "bearer  abcdef123456",
        "sk-proj-abcdef123456",
        "MTEwMDAwMDAwMDAwMDAwMDAwMA.GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789ABCD",
    ],
)
def test_credentials_are_hidden_wherever_they_are(secret: str) -> None:
    event: dict[str, Any] = {"event": f"sent {secret} to", "exception": f"Error: {secret}"}

    cleaned = redact(None, "info", event)

    assert secret.split()[-1] not in str(cleaned)
    assert cleaned["event"].startswith("sent ")
