"""One spoken turn over gRPC, as a good client does it: everything streams, nothing waits.

The answer is begun at the soft final and thrown away if the person goes on; see decision 3 of the
design: speculative work becomes visible only when the turn is over.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_client import (
    AudioEncoding,
    AudioFormat,
    Final,
    GenerationDelta,
    GenerationOptions,
    Role,
    SoftFinal,
    SpeechAudio,
    SpeechToText,
    SynthesisStarted,
    TextToSpeech,
    Trainer,
    Turn,
    TurnResumed,
)
from voicemesh_launcher.demo.recording import Recording, wav_bytes
from voicemesh_launcher.demo.timeline import Moments, Timeline

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ("Conversation", "DemoError", "hold_conversation")

_FRAME_MS = 20
_LONGEST_S = 60.0
_TENANT = "voicemesh-demo"


class DemoError(Exception):
    """The conversation did not come about; the message is one sentence."""


@dataclass(frozen=True)
class Conversation:
    """What was said and when."""

    heard: str
    """What stt understood of the question."""

    answer: str
    """What the trainer wrote."""

    wav: bytes
    """What tts said, as a WAV file."""

    heard_back: str
    """What stt understood of that."""

    timeline: Timeline
    """Where the time went."""


class _Reply:
    """An answer being written and spoken."""

    def __init__(self, question: str, trainer: Trainer, tts: TextToSpeech) -> None:
        self.question = question
        self.moments = Moments(asked=time.monotonic())
        self.text = ""
        self.pcm = bytearray()
        self.format = AudioFormat(AudioEncoding.PCM_S16LE)
        self._trainer = trainer
        self._tts = tts
        self.task = asyncio.create_task(self._speak(), name="reply")

    async def _speak(self) -> None:
        async with aclosing(self._tts.speak(self._words())) as events:
            async for event in events:
                match event:
                    case SynthesisStarted():
                        self.format = event.format
                    case SpeechAudio():
                        self.moments.last_audio = time.monotonic()
                        self.moments.first_audio = (
                            self.moments.first_audio or self.moments.last_audio
                        )
                        self.pcm += event.audio
                    case _:
                        pass

    async def _words(self) -> AsyncGenerator[str, None]:
        options = GenerationOptions(temperature=0.0, memory_disabled=True)
        history = [Turn(Role.USER, self.question)]
        answer = self._trainer.generate(history, tenant=_TENANT, options=options)
        async with aclosing(answer) as events:
            async for event in events:
                if isinstance(event, GenerationDelta):
                    self.moments.last_token = time.monotonic()
                    self.moments.first_token = self.moments.first_token or self.moments.last_token
                    self.text += event.text
                    yield event.text

    async def drop(self) -> None:
        """Forgets the answer."""
        self.task.cancel()
        # A failure of an answer that nobody wants is of no interest either.
        await asyncio.gather(self.task, return_exceptions=True)

    @property
    def wav(self) -> bytes:
        """The voice as a WAV file."""
        return wav_bytes(bytes(self.pcm), self.format.sample_rate_hertz, self.format.channel_count)

    @property
    def duration_s(self) -> float:
        """Length of the voice."""
        samples = len(self.pcm) / 2 / self.format.channel_count
        return samples / self.format.sample_rate_hertz


class _Listener:
    """Plays the recording to stt and follows the turn, with an answer begun at each soft final."""

    def __init__(self, recording: Recording, trainer: Trainer, tts: TextToSpeech) -> None:
        self.finals: list[Final] = []
        self.moments = Moments()
        self.reply: _Reply | None = None
        self._recording = recording
        self._trainer = trainer
        self._tts = tts
        self._everything_was_said = False

    async def listen(self, stt: SpeechToText) -> _Reply:
        """Returns when the turn is over, with the answer under way."""
        audio_format = AudioFormat(AudioEncoding.PCM_S16LE, self._recording.sample_rate_hertz)
        async with aclosing(stt.listen(self._voice(), format=audio_format)) as events:
            async for event in events:
                match event:
                    case SoftFinal():
                        self.moments.soft_final = time.monotonic()
                        await self._answer(event.text)
                    case TurnResumed():
                        await self.forget()
                    case Final():
                        self.finals.append(event)
                        self.moments.final = time.monotonic()
                        # A long pause can end a turn before the whole question is asked.
                        if self._everything_was_said:
                            break
                    case _:
                        pass
        if not self.finals:
            msg = "stt heard nobody speak"
            raise DemoError(msg)
        return await self._answer("")

    @property
    def heard(self) -> str:
        """All that was understood."""
        return " ".join(final.text for final in self.finals if final.text)

    async def forget(self) -> None:
        """Drops the answer that was begun."""
        reply, self.reply = self.reply, None
        if reply is not None:
            await reply.drop()

    async def _answer(self, unfinished: str) -> _Reply:
        """The answer to all that was said, begun anew if the words are others than before."""
        question = f"{self.heard} {unfinished}".strip()
        if self.reply is None or self.reply.question != question:
            await self.forget()
            self.reply = _Reply(question, self._trainer, self._tts)
        return self.reply

    async def _voice(self) -> AsyncGenerator[bytes, None]:
        """The recording in real time, and then silence, as a microphone gives it."""
        frames = self._recording.frames(_FRAME_MS)
        silence = bytes(len(frames[0]))
        self.moments.listening = start = time.monotonic()
        count = 0
        while True:
            self._everything_was_said = count >= len(frames)
            yield silence if self._everything_was_said else frames[count]
            count += 1
            await asyncio.sleep(max(0.0, start + count * _FRAME_MS / 1000 - time.monotonic()))


async def hold_conversation(
    recording: Recording, stt: SpeechToText, trainer: Trainer, tts: TextToSpeech
) -> Conversation:
    """Asks the recorded question and returns what came of it.

    Raises:
        DemoError: if nobody was heard, nothing was answered or it took more than a minute.
        ServiceError: as the services answer.
    """
    listener = _Listener(recording, trainer, tts)
    try:
        async with asyncio.timeout(_LONGEST_S), AsyncExitStack() as stack:
            stack.push_async_callback(listener.forget)
            reply = await listener.listen(stt)
            await reply.task
            if not reply.text.strip() or not reply.pcm:
                msg = "the question was heard, but no answer was spoken"
                raise DemoError(msg)
            heard_back = await stt.transcribe(reply.wav)
    except TimeoutError as error:
        msg = f"the conversation was not over after {_LONGEST_S:.0f} s"
        raise DemoError(msg) from error
    return Conversation(
        heard=listener.heard,
        answer=reply.text.strip(),
        wav=reply.wav,
        heard_back=heard_back.text,
        timeline=_timeline(listener, reply),
    )


def _timeline(listener: _Listener, reply: _Reply) -> Timeline:
    moments = reply.moments
    moments.listening = listener.moments.listening
    moments.soft_final = listener.moments.soft_final
    moments.final = listener.moments.final
    speech = (listener.finals[0].speech_start_s, listener.finals[-1].speech_end_s)
    return Timeline.of(moments, speech, reply.duration_s)
