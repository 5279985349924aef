"""Transcripts as files: SubRip (`srt`), WebVTT (`vtt`), JSON and plain text.

`to_srt`, `to_vtt`, `to_json` and `to_text` take the segments of `SpeechToText.transcribe`, those
of `transcribe_file`, or those of the `Final` events of `listen`. For hours of speech take a
`renderer` and write what it returns as each segment comes:

    rendering = renderer(SubtitleFormat.SRT)
    async for event in stt.transcribe_file("talk.mp3"):
        if isinstance(event, Segment):
            file.write(rendering.segment(event))
    file.write(rendering.finish())

Speakers are named `Channel 1`, `Channel 2` and so on if channels were separated. Times have
milliseconds, and as many digits of hours as they need. SubRip: https://wiki.videolan.org/SubRip;
WebVTT: https://www.w3.org/TR/webvtt1.

The JSON is one object, with segments first because the rest is known only at the end:

    {"segments": [{"text", "start_s", "end_s", "confidence", "channel",
                   "words": [{"text", "start_s", "end_s", "confidence"}]}],
     "text":      all segments' texts with a space between them,
     "language":  {"code", "probability"}, or null if nobody said,
     "audio_s":   length of the recording in seconds, or null,
     "model":     name of the model, or null}
"""

from __future__ import annotations

import heapq
import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from voicemesh_client.cues import Cue, CueTrack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from voicemesh_client.files import FileSummary
    from voicemesh_client.transcripts import Segment, Transcript

__all__ = ("Renderer", "SubtitleFormat", "renderer", "to_json", "to_srt", "to_text", "to_vtt")

_VTT_HEADER = "WEBVTT\n\n"


class SubtitleFormat(StrEnum):
    """A form in which a transcript is written."""

    TEXT = "text"
    """One line for each segment."""

    SRT = "srt"
    """SubRip subtitles."""

    VTT = "vtt"
    """WebVTT subtitles."""

    JSON = "json"
    """Segments, words and times; the schema is in this module's description."""


class Renderer(Protocol):
    """Writes one transcript. Everything that it returns, in order, is the file."""

    def segment(self, segment: Segment) -> str:
        """What is to be written when this segment has come; may be empty."""

    def finish(self, about: FileSummary | Transcript | None = None) -> str:
        """What is to be written at the end.

        Args:
            about: where the language, the length and the model are from, which only JSON has; None
                also if the transcription broke off.
        """


def renderer(format: SubtitleFormat, *, channels: bool = False) -> Renderer:
    """A renderer for one transcript.

    Args:
        format: the form to write.
        channels: whether channels were separated, and speakers are to be named.
    """
    match format:
        case SubtitleFormat.SRT:
            return _SrtRenderer(channels=channels)
        case SubtitleFormat.VTT:
            return _VttRenderer(channels=channels)
        case SubtitleFormat.JSON:
            return _JsonRenderer()
        case SubtitleFormat.TEXT:
            return _TextRenderer(channels=channels)


def to_srt(segments: Iterable[Segment], *, channels: bool | None = None) -> str:
    """The segments, in order of time, as SubRip subtitles.

    Args:
        segments: what was said.
        channels: whether to name the speakers; None does so if there is more than one channel.
    """
    return _rendered(SubtitleFormat.SRT, segments, channels)


def to_vtt(segments: Iterable[Segment], *, channels: bool | None = None) -> str:
    """The segments, in order of time, as WebVTT subtitles.

    Args:
        segments: what was said.
        channels: whether to name the speakers; None does so if there is more than one channel.
    """
    return _rendered(SubtitleFormat.VTT, segments, channels)


def to_text(segments: Iterable[Segment], *, channels: bool | None = None) -> str:
    """The segments as plain text, one line for each; empty if nobody spoke.

    Args:
        segments: what was said.
        channels: whether to name the speakers; None does so if there is more than one channel.
    """
    return _rendered(SubtitleFormat.TEXT, segments, channels)


def to_json(segments: Iterable[Segment], about: FileSummary | Transcript | None = None) -> str:
    """The segments as a JSON object; the schema is in this module's description.

    Args:
        segments: what was said.
        about: where the language, the length and the model are from.
    """
    return _rendered(SubtitleFormat.JSON, segments, channels=False, about=about)


def _rendered(
    format: SubtitleFormat,
    segments: Iterable[Segment],
    channels: bool | None,
    about: FileSummary | Transcript | None = None,
) -> str:
    said = tuple(segments)
    if channels is None:
        channels = any(segment.channel > 0 for segment in said)
    rendering = renderer(format, channels=channels)
    return "".join([*map(rendering.segment, said), rendering.finish(about)])


class _CueOrder:
    """Cues in order of their start.

    Of one channel that is the order in which they come. Of several, the next segment may begin
    before the end of this one, so its later cues wait for that.
    """

    def __init__(self, *, channels: bool) -> None:
        self._channels = channels
        self._track = CueTrack()
        self._waiting: list[tuple[int, int, Cue]] = []
        self._count = 0

    def segment(self, segment: Segment) -> Iterator[Cue]:
        """The cues that can be written now."""
        begins_ms = round(segment.start_s * 1000)
        for cue in self._track.cues(segment):
            self._count += 1
            heapq.heappush(self._waiting, (cue.start_ms, self._count, cue))
        while self._waiting and (not self._channels or self._waiting[0][0] <= begins_ms):
            yield heapq.heappop(self._waiting)[-1]

    def finish(self) -> Iterator[Cue]:
        """The rest."""
        while self._waiting:
            yield heapq.heappop(self._waiting)[-1]


class _SrtRenderer:
    def __init__(self, *, channels: bool) -> None:
        self._channels = channels
        self._order = _CueOrder(channels=channels)
        self._number = 0

    def segment(self, segment: Segment) -> str:
        return "".join(map(self._block, self._order.segment(segment)))

    def finish(self, about: FileSummary | Transcript | None = None) -> str:
        return "".join(map(self._block, self._order.finish()))

    def _block(self, cue: Cue) -> str:
        self._number += 1
        # SubRip has no escapes: the arrow alone would be taken for times.
        text = "\n".join(cue.lines).replace("-->", "→")
        speaker = f"{_speaker(cue.channel)}: " if self._channels else ""
        times = f"{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}"
        return f"{self._number}\n{times}\n{speaker}{text}\n\n"


class _VttRenderer:
    def __init__(self, *, channels: bool) -> None:
        self._channels = channels
        self._order = _CueOrder(channels=channels)
        self._header = _VTT_HEADER

    def segment(self, segment: Segment) -> str:
        return self._headed("".join(map(self._block, self._order.segment(segment))))

    def finish(self, about: FileSummary | Transcript | None = None) -> str:
        return self._headed("".join(map(self._block, self._order.finish())))

    def _headed(self, blocks: str) -> str:
        header, self._header = self._header, ""
        return header + blocks

    def _block(self, cue: Cue) -> str:
        text = "\n".join(cue.lines)
        for letter, escape in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = text.replace(letter, escape)
        speaker = f"<v {_speaker(cue.channel)}>" if self._channels else ""
        times = f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}"
        return f"{times}\n{speaker}{text}\n\n"


class _TextRenderer:
    def __init__(self, *, channels: bool) -> None:
        self._channels = channels

    def segment(self, segment: Segment) -> str:
        text = " ".join(segment.text.split())
        if not text:
            return ""
        speaker = f"{_speaker(segment.channel)}: " if self._channels else ""
        return f"{speaker}{text}\n"

    def finish(self, about: FileSummary | Transcript | None = None) -> str:
        return ""


class _JsonRenderer:
    def __init__(self) -> None:
        self._texts: list[str] = []

    def segment(self, segment: Segment) -> str:
        before = ",\n    " if self._texts else '{\n  "segments": [\n    '
        self._texts.append(segment.text)
        return before + _json(asdict(segment))

    def finish(self, about: FileSummary | Transcript | None = None) -> str:
        opened = "\n  ],\n" if self._texts else '{\n  "segments": [],\n'
        rest = {
            "text": " ".join(text for text in self._texts if text),
            "language": None if about is None else asdict(about.language),
            "audio_s": None if about is None else about.audio_s,
            "model": None if about is None else about.model,
        }
        lines = ",\n".join(f"  {_json(name)}: {_json(value)}" for name, value in rest.items())
        return f"{opened}{lines}\n}}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _speaker(channel: int) -> str:
    return f"Channel {channel + 1}"


def _clock(milliseconds: int, point: str) -> str:
    """Hours, minutes, seconds and thousandths; hours have two digits or more."""
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{thousandths:03}"
