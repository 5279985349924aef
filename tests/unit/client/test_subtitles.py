"""Subtitles are in order, readable by others, and lose no word."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from html import unescape
from itertools import pairwise
from typing import TypeAlias

import av
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voicemesh_client import (
    DetectedLanguage,
    FileSummary,
    RecognitionTimings,
    Segment,
    SubtitleFormat,
    Word,
    renderer,
    to_json,
    to_srt,
    to_text,
    to_vtt,
)

pytestmark = pytest.mark.unit

Parsed: TypeAlias = list[tuple[int, int, str]]

BLOCK = {
    "srt": re.compile(
        r"\d+\n(\d+):(\d\d):(\d\d),(\d{3}) --> (\d+):(\d\d):(\d\d),(\d{3})\n(.*)", re.S
    ),
    "vtt": re.compile(r"(\d+):(\d\d):(\d\d)\.(\d{3}) --> (\d+):(\d\d):(\d\d)\.(\d{3})\n(.*)", re.S),
}
LONG = (
    "We choose to go to the moon in this decade, and do the other things, not because they are "
    "easy, but because they are hard. That goal will serve to organise and measure the best of us."
)


def segment(
    text: str,
    start_s: float = 0.0,
    end_s: float = 2.0,
    channel: int = 0,
    words: tuple[Word, ...] = (),
) -> Segment:
    return Segment(text, start_s, end_s, 0.9, words, channel)


def parsed(form: str, file: str) -> Parsed:
    """Start and end in milliseconds and text of each cue, by the letter of the formats."""
    blocks = file.removeprefix("WEBVTT\n\n").split("\n\n")
    assert blocks.pop() == ""
    cues = []
    for block in blocks:
        found = BLOCK[form].fullmatch(block)
        assert found is not None, block
        *times, text = found.groups()
        hours, minutes, seconds, ms, *end = map(int, times)
        assert max(minutes, seconds, end[1], end[2]) < 60
        start_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms
        end_ms = ((end[0] * 60 + end[1]) * 60 + end[2]) * 1000 + end[3]
        cues.append((start_ms, end_ms, text))
    return cues


def demuxed(form: str, file: str) -> Parsed:
    """The same as ffmpeg reads it."""
    names = {"srt": "srt", "vtt": "webvtt"}
    with av.open(io.BytesIO(file.encode()), "r", format=names[form]) as container:
        cues = []
        for packet in container.demux():
            if packet.size:
                assert packet.pts is not None
                assert packet.duration is not None
                assert packet.time_base is not None
                scale = float(packet.time_base) * 1000
                start_ms = round(packet.pts * scale)
                text = bytes(packet).decode()
                cues.append((start_ms, start_ms + round(packet.duration * scale), text))
        return cues


def bare(text: str) -> str:
    """The letters alone: lines may be broken anywhere."""
    return "".join(text.split())


texts = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=300),
    st.lists(st.text("abcdefgh,.?!'-é<>&", min_size=1, max_size=12), max_size=60).map(" ".join),
    st.text("今日は世界。、「」abc ", max_size=200),
)
times = st.floats(min_value=0, max_value=500_000)


@st.composite
def worded(draw: st.DrawFn) -> Segment:
    """A segment, perhaps with words, whose times need not make sense."""
    text, start_s = draw(texts), draw(times)
    end_s = start_s + draw(st.floats(min_value=-1, max_value=40))
    words = [
        Word(each, draw(times), draw(times), 0.5)
        for each in text.split()[:20]
        if draw(st.booleans())
    ]
    return Segment(text, start_s, end_s, 0.5, tuple(words))


@st.composite
def conversations(draw: st.DrawFn) -> list[Segment]:
    """Segments in order of time, as the service sends them."""
    said = draw(st.lists(worded(), max_size=6))
    return sorted(said, key=lambda each: each.start_s)


@pytest.mark.parametrize("form", ["srt", "vtt"])
@given(conversations())
@example([segment("--> & <b> ", 1, 1)])
@example([segment("a" * 200, 0, 0), segment("b", 0, 0)])
def test_whatever_is_said_makes_cues_that_are_in_order_and_lose_no_word(
    form: str, said: list[Segment]
) -> None:
    cues = parsed(form, {"srt": to_srt, "vtt": to_vtt}[form](said))

    assert all(start_ms < end_ms for start_ms, end_ms, _ in cues)
    assert all(before[1] <= after[0] for before, after in pairwise(cues))
    shown = "".join(unescape(text) if form == "vtt" else text for _, _, text in cues)
    spoken = "".join(each.text for each in said).replace("\0", "\ufffd")
    if form == "srt":
        spoken = spoken.replace("-->", "→")
    assert bare(shown).replace("→", "-->") == bare(spoken).replace("→", "-->")


@given(conversations())
def test_no_cue_has_more_than_two_lines_or_a_line_of_more_than_42_columns(
    said: list[Segment],
) -> None:
    for _, _, text in parsed("vtt", to_vtt(said)):
        lines = unescape(text).split("\n")
        assert 1 <= len(lines) <= 2
        assert all(line.strip() for line in lines)
        for line in lines:
            wide = sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in line)
            marks = sum(unicodedata.category(each) in {"Mn", "Me", "Cf"} for each in line)
            assert wide - 2 * marks <= 42


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_ffmpeg_reads_the_same_cues(form: str) -> None:
    said = [
        segment(LONG, 0.5, 11.25),
        segment("Ben & Jerry said <i>no</i> --> maybe.", 3_599.999, 3_602),
        segment("5\n6", 360_000, 360_001),  # hours with three digits, and a line of digits
        segment("", 360_002, 360_003),
        segment("Свобода. 自由。", 360_004, 360_005),
    ]
    file = {"srt": to_srt, "vtt": to_vtt}[form](said)

    cues = parsed(form, file)

    assert demuxed(form, file) == cues
    assert len(cues) == 6
    assert cues[4][:2] == (360_000_000, 360_001_000)


def test_srt_has_numbers_and_commas() -> None:
    said = [segment("Good evening.", 0.25, 1.5), segment("Good night.", 360_000, 360_001.0006)]

    assert to_srt(said) == (
        "1\n00:00:00,250 --> 00:00:01,500\nGood evening.\n\n"
        "2\n100:00:00,000 --> 100:00:01,001\nGood night.\n\n"
    )


def test_vtt_has_a_header_points_and_escapes() -> None:
    said = [segment("Q&A: 1 < 2 --> true", 3_600, 3_601)]

    assert to_vtt(said) == (
        "WEBVTT\n\n01:00:00.000 --> 01:00:01.000\nQ&amp;A: 1 &lt; 2 --&gt; true\n\n"
    )
    assert to_vtt([]) == "WEBVTT\n\n"
    assert (to_srt([]), to_text([])) == ("", "")


def test_a_long_segment_is_cut_at_the_end_of_a_sentence_and_in_proportion_to_its_letters() -> None:
    cues = parsed("srt", to_srt([segment(LONG, 10, 20)]))

    assert [text for _, _, text in cues] == [
        "We choose to go to the moon in this\ndecade, and do the other things,",
        "not because they are easy,\nbut because they are hard.",
        "That goal will serve to organise\nand measure the best of us.",
    ]
    assert (cues[0][0], cues[-1][1]) == (10_000, 20_000)
    share = LONG.index("That goal") / len(LONG)
    assert cues[2][0] == pytest.approx(10_000 + 10_000 * share, abs=100)


def test_words_say_when_a_cue_begins_and_ends() -> None:
    tokens = LONG.split()
    words = tuple(
        Word(each, 10 + number * 0.2, 10.15 + number * 0.2, 0.9)
        for number, each in enumerate(tokens)
    )
    cues = parsed("srt", to_srt([segment(LONG, 10, 30, words=words)]))

    first = tokens.index("That")
    assert cues[-1][0] == round((10 + first * 0.2) * 1000)
    assert cues[-2][1] == round((10.15 + (first - 1) * 0.2) * 1000)
    assert cues[-1][1] == round((10.15 + (len(tokens) - 1) * 0.2) * 1000)


def test_a_long_pause_inside_of_a_segment_ends_a_cue() -> None:
    words = (Word("Wait.", 1, 1.5, 0.9), Word("Stop.", 5, 5.5, 0.9))

    cues = parsed("srt", to_srt([segment("Wait. Stop.", 1, 5.5, words=words)]))

    assert cues == [(1_000, 1_500, "Wait."), (5_000, 5_500, "Stop.")]


def test_no_cue_of_several_words_stays_longer_than_seven_seconds() -> None:
    cues = parsed("srt", to_srt([segment("one two three four", 0, 30)]))

    assert len(cues) == 4
    assert all(end - start <= 9_000 for start, end, _ in cues)


def test_chinese_is_cut_though_it_has_no_spaces() -> None:
    cues = parsed("srt", to_srt([segment("今天天气很好，我们去公园散步。" * 5, 0, 12)]))

    assert len(cues) == 3
    assert all(text.endswith("。") for _, _, text in cues)


def test_speakers_are_named_if_channels_were_separated() -> None:
    said = [segment("Hello?", 0, 1), segment("Hi.", 1.5, 2, channel=1)]

    assert to_text(said) == "Channel 1: Hello?\nChannel 2: Hi.\n"
    assert "\nChannel 2: Hi.\n" in to_srt(said)
    assert "\n<v Channel 2>Hi.\n" in to_vtt(said)
    assert to_text(said, channels=False) == "Hello?\nHi.\n"
    assert to_text(said[:1]) == "Hello?\n"
    assert to_text(said[:1], channels=True) == "Channel 1: Hello?\n"


def test_cues_of_people_who_talk_at_once_come_in_order_of_time() -> None:
    said = [segment(LONG, 0, 12), segment("Indeed.", 1, 2, channel=1), segment("Yes.", 13, 14)]
    cues = parsed("vtt", to_vtt(said))

    assert [start for start, _, _ in cues] == sorted(start for start, _, _ in cues)
    assert [text.endswith("Indeed.") for _, _, text in cues] == [False, True, False, False, False]


def test_each_cue_is_written_as_its_segment_comes() -> None:
    rendering = renderer(SubtitleFormat.VTT)

    written = [
        rendering.segment(segment("One.", 0, 1)),
        rendering.segment(segment("Two.", 1, 2)),
        rendering.finish(),
    ]

    assert written == [
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nOne.\n\n",
        "00:00:01.000 --> 00:00:02.000\nTwo.\n\n",
        "",
    ]


@given(conversations())
def test_json_holds_everything(said: list[Segment]) -> None:
    about = FileSummary(9.5, DetectedLanguage("en", 0.5), "whisper-tiny", RecognitionTimings())
    read = json.loads(to_json(said, about))

    assert list(read) == ["segments", "text", "language", "audio_s", "model"]
    assert read["text"] == " ".join(each.text for each in said if each.text)
    assert read["language"] == {"code": "en", "probability": 0.5}
    assert (read["audio_s"], read["model"]) == (9.5, "whisper-tiny")
    for there, each in zip(read["segments"], said, strict=True):
        words = tuple(Word(**word) for word in there.pop("words"))
        assert Segment(**there, words=words) == each


@pytest.mark.parametrize("said", [[], [segment("One.")], [segment("One."), segment("Two.")]])
def test_json_that_breaks_off_is_whole_json(said: list[Segment]) -> None:
    rendering = renderer(SubtitleFormat.JSON)
    read = json.loads("".join([*map(rendering.segment, said), rendering.finish()]))

    assert len(read["segments"]) == len(said)
    assert (read["language"], read["audio_s"], read["model"]) == (None, None, None)
