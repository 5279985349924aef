"""SSML that means harm, or is no SSML: refused at once, and no file is read for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from voicemesh.tts.v1 import text_to_speech_service_pb2 as tts_pb

if TYPE_CHECKING:
    from tests.integration.conftest import Called

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(60),
]

ENDS_S = 20.0
AT_ONCE_S = 2.0
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))

BAD_DOCUMENTS = {
    "no markup": "Hello.",
    "unclosed": "<speak>Hello.",
    "unclosed inside": "<speak><p>Hello.</speak>",
    "closed twice": "<speak>Hello.</speak></speak>",
    "two documents": "<speak>Hello.</speak><speak>Hello.</speak>",
    "half a tag": "<speak>Hello.</spe",
    "a bare ampersand": "<speak>Salt & pepper</speak>",
    "a control character": "<speak>Hel\x01lo.</speak>",
    "billion laughs": f'<!DOCTYPE speak [<!ENTITY l0 "ha">{_LAUGHS}]><speak>&l11;</speak>',
    "quadratic": f'<!DOCTYPE speak [<!ENTITY a "{"a" * 2000}">]><speak>{"&a;" * 500}</speak>',
    "a file": '<!DOCTYPE speak [<!ENTITY f SYSTEM "file:///etc/passwd">]><speak>&f;</speak>',
    "a far file": '<!DOCTYPE speak SYSTEM "http://127.0.0.1:9/x.dtd"><speak>Hello.</speak>',
    "a parameter": '<!DOCTYPE speak [<!ENTITY % p "x"> %p;]><speak>Hello.</speak>',
    "an unknown entity": "<speak>Hello.&nbsp;</speak>",
    "a sound": '<speak><audio src="file:///etc/passwd">Hello.</audio></speak>',
    "a script": "<speak><script>Hello.</script></speak>",
    "another namespace": '<x:speak xmlns:x="urn:x">Hello.</x:speak>',
    "a pause of hours": '<speak><break time="9999s"/>Hello.</speak>',
    "a pause back in time": '<speak><break time="-1s"/>Hello.</speak>',
    "a pause of no length": '<speak><break time="soon"/>Hello.</speak>',
    "no speed": '<speak><prosody rate="0%">Hello.</prosody></speak>',
    "any speed": '<speak><prosody rate="1e9">Hello.</prosody></speak>',
    "nan": '<speak><prosody rate="nan">Hello.</prosody></speak>',
    "any pitch": '<speak><prosody pitch="+900st">Hello.</prosody></speak>',
    "deep": "<speak>" + "<p>" * 500 + "Hello." + "</p>" * 500 + "</speak>",
}


@pytest.mark.parametrize("document", BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS.keys())
async def test_a_bad_document_is_refused_at_once(tts: Called, document: str) -> None:
    begin = time.monotonic()

    error = await tts.refusal(
        tts.stub.Synthesize(tts_pb.SynthesizeRequest(ssml=document), timeout=ENDS_S)
    )

    assert (error.code, error.field) == ("INVALID_ARGUMENT", "ssml")
    assert "root:" not in error.message
    assert time.monotonic() - begin < AT_ONCE_S


@pytest.mark.parametrize(
    "document",
    [
        "<speak/>",
        "<speak> \n </speak>",
        "<speak>🎉</speak>",
        "<speak><!-- Hello. --></speak>",
    ],
    ids=["empty", "blank", "emoji", "comment"],
)
async def test_a_document_without_words_has_nothing_to_speak(tts: Called, document: str) -> None:
    error = await tts.refusal(
        tts.stub.Synthesize(tts_pb.SynthesizeRequest(ssml=document), timeout=ENDS_S)
    )

    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "NOTHING_TO_SPEAK")


async def test_markup_in_plain_text_is_not_obeyed(tts: Called) -> None:
    text = '<speak><break time="10s"/><prosody rate="x-slow">Hello.</prosody></speak>'

    spoken = await tts.stub.Synthesize(tts_pb.SynthesizeRequest(text=text), timeout=ENDS_S)

    assert spoken.audio_duration.seconds < 5
