"""Transcripts as files."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from voicemesh_bot.guilds import TranscriptLine
from voicemesh_bot.transcripts import TranscriptFormat, export, file_name

pytestmark = pytest.mark.unit

BEGAN = 1_795_456_800.25  # 2026-11-23 18:00:00.25 UTC
ANN = TranscriptLine(1, 2**62, "s", 1, 2**62 + 1, "Ann", "hello there", BEGAN, BEGAN + 1.5)
BOT = TranscriptLine(1, 2**62, "s", 2, None, "Ada", "good\nevening", BEGAN + 61.2, BEGAN + 63.0)


def test_text_has_the_date_and_a_row_for_each_line_with_its_time() -> None:
    assert export([BOT, ANN], TranscriptFormat.TXT) == (
        "2026-11-23 18:00:00 UTC\n\n[00:00:00] Ann: hello there\n[00:01:01] Ada: good evening\n"
    )


def test_subtitles_count_from_the_first_line_and_name_the_speakers() -> None:
    assert export([ANN, BOT], TranscriptFormat.SRT) == (
        "1\n00:00:00,000 --> 00:00:01,500\nAnn: hello there\n\n"
        "2\n00:01:01,200 --> 00:01:03,000\nAda: good evening\n\n"
    )


def test_long_lines_become_several_subtitles_that_can_be_read() -> None:
    words = " ".join(f"word{number}" for number in range(60))
    lines = [replace(ANN, text=words, end_time=BEGAN + 30.0)]

    blocks = export(lines, TranscriptFormat.SRT).strip().split("\n\n")

    assert len(blocks) > 4
    assert all(block.split("\n")[2].startswith("Ann: ") for block in blocks)
    text = " ".join(" ".join(block.split("\n")[2:]).removeprefix("Ann: ") for block in blocks)
    assert text == words


def test_people_who_talk_at_once_have_subtitles_in_order_of_their_beginning() -> None:
    long = replace(ANN, text="one two three " * 20, end_time=BEGAN + 20.0)
    between = replace(BOT, start_time=BEGAN + 5.0, end_time=BEGAN + 6.0)

    numbers, starts = [], []
    for block in export([between, long], TranscriptFormat.SRT).strip().split("\n\n"):
        number, times, *_ = block.split("\n")
        numbers.append(int(number))
        starts.append(times.split(" --> ")[0])

    assert numbers == list(range(1, len(numbers) + 1))
    assert starts == sorted(starts)


def test_words_cannot_break_out_of_a_subtitle() -> None:
    nasty = replace(ANN, speaker="A\n2\n", text="x 00:00:01,000 --> 00:00:02,000\n\n2\nboo")

    blocks = export([nasty], TranscriptFormat.SRT).strip().split("\n\n")

    assert len(blocks) == 1
    assert blocks[0].count("-->") == 1
    assert blocks[0].split("\n")[2].startswith("A 2: ")


def test_json_is_as_its_module_says_and_keeps_every_digit_of_ids() -> None:
    assert json.loads(export([BOT, ANN], TranscriptFormat.JSON)) == {
        "guild_id": "1",
        "channel_id": str(2**62),
        "session_id": "s",
        "start_time": "2026-11-23T18:00:00.250+00:00",
        "lines": [
            {
                "speaker_id": str(2**62 + 1),
                "speaker": "Ann",
                "start_s": 0.0,
                "end_s": 1.5,
                "text": "hello there",
            },
            {
                "speaker_id": None,
                "speaker": "Ada",
                "start_s": 61.2,
                "end_s": 63.0,
                "text": "good\nevening",
            },
        ],
    }


@pytest.mark.parametrize("format", TranscriptFormat)
def test_a_session_in_which_nobody_spoke_is_a_file_too(format: TranscriptFormat) -> None:
    text = export([], format)

    assert file_name([], format) == f"transcript.{format}"
    if format is TranscriptFormat.JSON:
        assert json.loads(text)["lines"] == []
    else:
        assert text == ""


def test_lines_that_began_together_keep_the_order_in_which_they_were_noted() -> None:
    second = replace(ANN, number=2, text="second")

    rows = export([second, ANN], TranscriptFormat.TXT).splitlines()

    assert rows[2:] == ["[00:00:00] Ann: hello there", "[00:00:00] Ann: second"]


def test_the_file_is_named_after_its_beginning() -> None:
    assert file_name([BOT, ANN], TranscriptFormat.SRT) == "transcript-2026-11-23-1800.srt"
