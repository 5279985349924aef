"""Transcripts as files: plain text, SubRip and JSON.

Times in a file count from the beginning of its first line. The JSON is one object:

    {"guild_id", "channel_id",     Discord's ids, as strings: too many digits for JavaScript
     "session_id",
     "start_time",                 of the first line, ISO 8601, UTC; null if there are no lines
     "lines": [{"speaker_id",      as a string; null is the bot
                "speaker", "start_s", "end_s", "text"}]}
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from voicemesh_client.cues import CueTrack
from voicemesh_client.transcripts import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from voicemesh_bot.guilds.transcripts import TranscriptLine
    from voicemesh_client.cues import Cue

__all__ = ("TranscriptFormat", "export", "file_name")


class TranscriptFormat(StrEnum):
    """A form in which a transcript is written."""

    TXT = "txt"
    """A line for each turn, with its time and speaker."""

    SRT = "srt"
    """SubRip subtitles, to go with a recording."""

    JSON = "json"
    """For programs; the schema is in this module's description."""


def export(lines: Iterable[TranscriptLine], format: TranscriptFormat) -> str:
    """A transcript as the text of a file.

    Args:
        lines: of one session, in any order.
        format: the form to write.
    """
    said = sorted(lines, key=lambda line: (line.start_time, line.number))
    match format:
        case TranscriptFormat.TXT:
            return _text(said)
        case TranscriptFormat.SRT:
            return _subtitles(said)
        case TranscriptFormat.JSON:
            return _json(said)


def file_name(lines: Sequence[TranscriptLine], format: TranscriptFormat) -> str:
    """A name for the file, by the time of the first line: `transcript-2026-11-23-1804.txt`."""
    if not lines:
        return f"transcript.{format}"
    start = _utc(min(line.start_time for line in lines))
    return f"transcript-{start:%Y-%m-%d-%H%M}.{format}"


def _text(lines: Sequence[TranscriptLine]) -> str:
    if not lines:
        return ""
    began = lines[0].start_time
    rows = [
        f"[{_clock(line.start_time - began)}] {_one_line(line.speaker)}: {_one_line(line.text)}"
        for line in lines
    ]
    return "\n".join([f"{_utc(began):%Y-%m-%d %H:%M:%S} UTC", "", *rows, ""])


def _subtitles(lines: Sequence[TranscriptLine]) -> str:
    """Cues of all speakers in order; those of people who talk at once overlap."""
    cues = sorted(_cues(lines), key=lambda named: named[1].start_ms)
    blocks = [
        f"{number}\n{_clock(cue.start_ms / 1000, ',')} --> {_clock(cue.end_ms / 1000, ',')}\n"
        # SubRip has no escapes: the arrow alone would be taken for times.
        + f"{name}: {chr(10).join(cue.lines)}".replace("-->", "→")
        + "\n\n"
        for number, (name, cue) in enumerate(cues, start=1)
    ]
    return "".join(blocks)


def _cues(lines: Sequence[TranscriptLine]) -> Iterator[tuple[str, Cue]]:
    track, channels = CueTrack(), dict[int | None, int]()
    for line in lines:
        began = lines[0].start_time
        # Cues of one speaker never overlap; a channel of the track is a speaker.
        channel = channels.setdefault(line.speaker_id, len(channels))
        start_s, end_s = line.start_time - began, line.end_time - began
        for cue in track.cues(Segment(line.text, start_s, end_s, 1.0, channel=channel)):
            yield _one_line(line.speaker), cue


def _json(lines: Sequence[TranscriptLine]) -> str:
    began = lines[0].start_time if lines else 0.0
    rows: list[dict[str, Any]] = [
        {
            "speaker_id": None if line.speaker_id is None else str(line.speaker_id),
            "speaker": line.speaker,
            "start_s": round(line.start_time - began, 3),
            "end_s": round(line.end_time - began, 3),
            "text": line.text,
        }
        for line in lines
    ]
    whole = {
        "guild_id": str(lines[0].guild_id) if lines else None,
        "channel_id": str(lines[0].channel_id) if lines else None,
        "session_id": lines[0].session_id if lines else None,
        "start_time": _utc(began).isoformat(timespec="milliseconds") if lines else None,
        "lines": rows,
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _utc(time_s: float) -> datetime:
    return datetime.fromtimestamp(time_s, UTC)


def _clock(seconds: float, point: str = "") -> str:
    """Hours, minutes and seconds; with a point, thousandths as well. Hours may have more digits."""
    thousandths = max(0, round(seconds * 1000)) if point else int(max(0.0, seconds)) * 1000
    whole, rest = divmod(thousandths, 1000)
    minutes, s = divmod(whole, 60)
    hours, m = divmod(minutes, 60)
    return f"{hours:02}:{m:02}:{s:02}" + (f"{point}{rest:03}" if point else "")
