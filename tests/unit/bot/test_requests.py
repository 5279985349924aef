"""What the page may send."""

from __future__ import annotations

import pytest

from voicemesh_bot.console.requests import (
    MOST_AUDIO_BYTES,
    MOST_JSON_CHARACTERS,
    BadRequestError,
    MessageRequest,
    PlayedRequest,
    check_audio,
    parse_request,
)

pytestmark = pytest.mark.unit


def test_good_messages_are_taken() -> None:
    assert parse_request('{"type": "message", "text": "Hi"}') == MessageRequest(
        type="message", text="Hi"
    )
    played = parse_request('{"type": "played", "reply_id": 2, "seconds": 0.5}')
    assert isinstance(played, PlayedRequest)


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("", "BAD_JSON", ""),
        ("{", "BAD_JSON", ""),
        ("[]", "BAD_MESSAGE", ""),
        ("{}", "BAD_MESSAGE", "type"),
        ('{"type": "explode"}', "BAD_MESSAGE", "type"),
        ('{"type": "message"}', "BAD_MESSAGE", "text"),
        ('{"type": "message", "text": 7}', "BAD_MESSAGE", "text"),
        ('{"type": "message", "text": ""}', "BAD_MESSAGE", "text"),
        ('{"type": "message", "text": "' + "x" * 2001 + '"}', "BAD_MESSAGE", "text"),
        ('{"type": "message", "text": "x", "to": "you"}', "BAD_MESSAGE", "to"),
        ('{"type": "listen", "sample_rate_hertz": 4000}', "BAD_MESSAGE", "sample_rate_hertz"),
        ('{"type": "played", "reply_id": 1, "seconds": NaN}', "BAD_MESSAGE", "seconds"),
        ('{"type": "played", "reply_id": 1, "seconds": -1}', "BAD_MESSAGE", "seconds"),
        (" " * (MOST_JSON_CHARACTERS + 1), "TOO_LARGE", ""),
    ],
)
def test_bad_messages_are_refused_by_field(text: str, code: str, field: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        parse_request(text)

    assert (caught.value.code, caught.value.field) == (code, field)
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize(
    ("audio", "code"),
    [(b"", "BAD_AUDIO"), (b"abc", "BAD_AUDIO"), (b"\0" * (MOST_AUDIO_BYTES + 2), "TOO_LARGE")],
)
def test_bad_sound_is_refused(audio: bytes, code: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        check_audio(audio)

    assert caught.value.code == code
