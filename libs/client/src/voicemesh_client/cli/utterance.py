"""What `voicemesh say` does: a text goes to tts, its audio into a file or a pipe."""

from __future__ import annotations

import codecs
import os
import sys
import wave
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from voicemesh_client.audio import AudioEncoding, AudioFormat
from voicemesh_client.file_pieces import opened
from voicemesh_client.speech import SpeechAudio, SynthesisFinished, SynthesisStarted
from voicemesh_client.tts import TextToSpeech

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from io import BufferedReader

    from voicemesh_client.connection import Connection
    from voicemesh_client.speech import SynthesisOptions, WordTiming

__all__ = ("STANDARD_STREAM", "Saying", "Spoken", "said")

STANDARD_STREAM = Path("-")
"""Standard input or output, where a file is expected."""

_MOST_CHARACTERS = 5_000
"""Of a text that is spoken whole; a longer one is sent as if it were still being written."""


@dataclass(frozen=True)
class Saying:
    """One text and what is wanted of it."""

    text: str | None
    """What to speak; None for what comes on standard input."""

    output: Path
    """Where the audio goes; `-` is standard output."""

    options: SynthesisOptions
    """How it is spoken; with a format."""

    ssml: bool
    """Whether the text is a document."""


@dataclass(frozen=True)
class Spoken:
    """What came of it."""

    duration_s: float
    """Length of the audio, in seconds."""

    voice: str
    """Id of the voice."""

    words: tuple[WordTiming, ...]
    """The words with their times, if known."""


async def said(saying: Saying, service: Connection) -> Spoken:
    """Speaks a text and writes its audio, piece by piece if it is long or standard output waits.

    Raises:
        OSError: if the audio cannot be written.
        ServiceError: as the service answers; what was spoken before has been written.
    """
    text, to_pipe = saying.text, saying.output == STANDARD_STREAM
    async with TextToSpeech(service) as tts:
        if text is None or not (saying.ssml or (len(text) <= _MOST_CHARACTERS and not to_pipe)):
            return await _said_in_pieces(saying, tts)
        speech = await tts.synthesize(text, ssml=saying.ssml, options=saying.options)
    with _opened(saying.output) as write:
        write(speech.audio)
    return Spoken(speech.duration_s, speech.voice, speech.words)


async def _said_in_pieces(saying: Saying, tts: TextToSpeech) -> Spoken:
    options = saying.options
    # A WAV file begins with its length, which the service cannot know yet.
    is_wav_file = saying.output != STANDARD_STREAM and _encoding(options) is AudioEncoding.WAV
    if is_wav_file:
        options = replace(options, format=AudioFormat(AudioEncoding.PCM_S16LE))
    voice, duration_s = "", 0.0
    words: list[WordTiming] = []
    with ExitStack() as open_files:
        write: Callable[[bytes], object] | None = None
        async with aclosing(tts.speak(_text(saying.text), options=options)) as events:
            async for event in events:
                match event:
                    case SynthesisStarted():
                        voice, form = event.voice, event.format if is_wav_file else None
                        write = open_files.enter_context(_opened(saying.output, form))
                    case SpeechAudio() if write is not None:
                        write(event.audio)
                        words += event.words
                    case SynthesisFinished():
                        duration_s = event.duration_s
                    case _:
                        pass
    return Spoken(duration_s, voice, tuple(words))


async def _text(given: str | None) -> AsyncGenerator[str, None]:
    """The text, or what comes on standard input, as it comes."""
    if given is not None:
        yield given
        return
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    # Past Python's buffer, so that a read gives what there is, and does not wait for more.
    source = cast("BinaryIO", cast("BufferedReader", sys.stdin.buffer).raw)
    async with opened(source) as pieces:
        async for piece in pieces:
            if written := decoder.decode(piece):
                yield written
    if rest := decoder.decode(b"", final=True):
        yield rest


def _encoding(options: SynthesisOptions) -> AudioEncoding:
    return AudioEncoding.UNSPECIFIED if options.format is None else options.format.encoding


@contextmanager
def _opened(
    output: Path, samples: AudioFormat | None = None
) -> Iterator[Callable[[bytes], object]]:
    """What writes audio to the output: bytes as they are, or samples of a format as a WAV file."""
    if output == STANDARD_STREAM:
        yield _write_to_standard_output
    elif samples is None:
        with output.open("wb") as file:
            yield file.write
    else:
        with wave.open(str(output), "wb") as frames:
            frames.setnchannels(samples.channel_count)
            frames.setsampwidth(2)
            frames.setframerate(samples.sample_rate_hertz)
            yield frames.writeframesraw


def _write_to_standard_output(data: bytes) -> None:
    # Past Python's buffer, so that it is heard at once, and nothing is left if nobody reads on.
    left = memoryview(data)
    while left:
        left = left[os.write(sys.stdout.fileno(), left) :]
