"""What is said for what is written."""

# ruff: noqa: RUF001 - letters of other scripts
from __future__ import annotations

import pytest

from voicemesh_tts.text.speakable import speakable
from voicemesh_tts.text.traced import Traced

pytestmark = pytest.mark.unit


def said(written: str) -> str:
    return speakable(Traced.of(written)).text.strip()


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Plain text, as it is.", "Plain text, as it is."),
        (
            "**Bold**, _slanted_, `code`, ~~gone~~ and ||hidden||",
            "Bold, slanted, code, gone and hidden",
        ),
        ("***very*** *nice* __indeed__", "very nice indeed"),
        ("# Title\nSome text", "Title, Some text"),
        ("> quoted\n> lines.", "quoted, lines."),
        ("- eggs\n- [x] milk", "eggs, milk"),
        ("1. First\n2) Second", "1, First, 2, Second"),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", "a, b, 1, 2,"),
        ("above\n---\nbelow", "above, below"),
        ("See [the docs](https://x.example/z_(a)) now.", "See the docs now."),
        ("![a cat](cat.png) is here", "a cat is here"),
        ("Go to https://www.example.org/a?b=c. Then", "Go to example.org. Then"),
        ("<https://example.org/x>", "example.org"),
        ("<b>bold</b> &amp; more", "bold & more"),
        ("Hi <@123>, look <:pog:456> at :smile: this!", "Hi, look at this!"),
        ("<@!1> <@&2> <#3> done", "done"),
        ("@everyone run </ask:12>", "everyone run ask"),
        ("me@example.org", "me@example.org"),
        ("I ❤️ you 👍🏽 👨‍👩‍👧 🇩🇪!", "I you!"),
        ("at 12:30:45 sharp", "at 12:30:45 sharp"),
        ("snake_case and 2*3 and 2 * 3", "snake case and 2*3 and 2 * 3"),
        ("run `tool --flag` and `--all` or `call()`", "run tool --flag and all or call"),
        ("Meet on <t:1700000000:D>!", "Meet on 2023-11-14!"),
        ("at <t:1700000000> sharp", "at 2023-11-14, 22:13 UTC sharp"),
        ("at <t:99999999999999:t> never", "at never"),
        ("go to <id:customize>", "go to customize"),
        ("-# a small line", "a small line"),
        ("Press 1️⃣ or 2️⃣", "Press 1 or 2"),
        ("first → second", "first, second"),
        ("so :-) happy :D yes <3", "so happy yes"),
        ("𝓱𝓮𝓵𝓵𝓸 𝐰𝐨𝐫𝐥𝐝 ＡＢＣ ⓐⓑ ﬁne", "hello world ABC ab fine"),
        ("z\u0334\u0322\u031b\u035a\u0347algo cafe\u0301", "zalgo café"),
        ("a\ue000b \U000f0001c", "ab c"),
        ("https://user:pass@example.org:8080/x", "example.org"),
        ("&lt;b&gt; is a tag", "<b> is a tag"),
        ("C++, C#, 20 °C, €5, 50%", "C++, C#, 20 °C, €5, 50%"),
        ("Wow!!!!!! no.......", "Wow! no..."),
        ("a\x00b\x1bc\u202ed", "a b cd"),
        ("zero\u200bwidth \u200fشمس", "zerowidth شمس"),
        ("नमस्ते क्\u200dष", "नमस्ते क्\u200dष"),
        ("line one\nline two.\nline three", "line one, line two. line three"),
    ],
)
def test_marks_are_left_out_and_words_stay(written: str, spoken: str) -> None:
    assert said(written) == spoken


@pytest.mark.parametrize(
    "written", ["", " \n", "🎉🎉", "...", "?!", "---", "**", "<@1>", "\u200b", "`"]
)
def test_text_without_words_is_empty(written: str) -> None:
    assert not any(map(str.isalnum, said(written)))


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "part", ["[", "<", "*", "_", " ", "|", ":a", "\n", "![", "[a](", "<!--", "-|", "> "]
)
def test_hostile_repetition_takes_no_time_to_speak_of(part: str) -> None:
    said(part * (1_000 // len(part)) + "x")
