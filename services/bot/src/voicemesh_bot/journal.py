"""The log's view of the backends: one warning for each change of state, however many calls fail.

The state of a backend is the code of its last failure, UNAVAILABLE if it is not ready, or nothing
if all is well. Lines hold codes and reasons, never what was said. Being back is a warning too, so
that whoever reads only warnings learns how the story ended.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from voicemesh_bot.domain import Backend, ModelStarted
from voicemesh_bot.ports import Backends
from voicemesh_chassis.errors import Code, ServiceError
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Sequence

    from voicemesh_bot.domain import (
        FinishTurn,
        HistoryTurn,
        ListeningEvent,
        ModelEvent,
        OpusPacket,
        VoiceAudio,
    )
    from voicemesh_bot.ports import LanguageModel, SpeechToText, TextToSpeech

__all__ = ("BackendJournal", "journalled")

_logger = get_logger(__name__)

T = TypeVar("T")


class BackendJournal:
    """Writes down how the backends fare; one for the whole process."""

    def __init__(self) -> None:
        self._failures: dict[Backend, ServiceError] = {}
        self._absent: set[Backend] = set()
        self._written: dict[Backend, tuple[Code, str]] = {}

    def note_ready(self, backend: Backend, ready: bool) -> None:
        """Takes in what a backend's health says."""
        if not ready:
            self._absent.add(backend)
        else:
            self._absent.discard(backend)
            failure = self._failures.get(backend)
            if failure is not None and failure.code is Code.UNAVAILABLE:
                del self._failures[backend]
        self._write(backend)

    def note_failure(self, backend: Backend, error: ServiceError) -> None:
        """Takes in that a call failed."""
        self._failures[backend] = error
        self._write(backend)

    def note_success(self, backend: Backend) -> None:
        """Takes in that a call is served."""
        if self._failures.pop(backend, None) is not None:
            self._write(backend)

    def _write(self, backend: Backend) -> None:
        failure, written = self._failures.get(backend), self._written.get(backend)
        if failure is None and backend not in self._absent:
            if self._written.pop(backend, None) is not None:
                _logger.warning("backend is back", backend=backend.value)
            return
        code = Code.UNAVAILABLE if failure is None else failure.code
        reason = "" if failure is None else failure.reason
        # Health and calls say that nobody answers in words of their own; it is one state.
        if written is not None and (
            written == (code, reason) or written[0] is code is Code.UNAVAILABLE
        ):
            return
        self._written[backend] = (code, reason)
        error_id = None if failure is None else failure.metadata.get("error_id")
        facts = {"reason": reason, "error_id": error_id}
        _logger.warning(
            "backend fails",
            backend=backend.value,
            code=code.value,
            **{name: fact for name, fact in facts.items() if fact},
        )

    async def watched(
        self, backend: Backend, events: AsyncGenerator[T, None]
    ) -> AsyncGenerator[T, None]:
        """The events of one call as they come, its success and its failure noted."""
        try:
            async with aclosing(events):
                async for event in events:
                    # An answer is announced before the model's provider is even asked.
                    if not isinstance(event, ModelStarted):
                        self.note_success(backend)
                    yield event
            self.note_success(backend)
        except ServiceError as error:
            self.note_failure(backend, error)
            raise


def journalled(backends: Backends, journal: BackendJournal) -> Backends:
    """The same backends, whose calls are noted in `journal`."""
    return Backends(
        stt=_JournalledSpeechToText(backends.stt, journal),
        tts=_JournalledTextToSpeech(backends.tts, journal),
        model=_JournalledLanguageModel(backends.model, journal),
    )


class _JournalledSpeechToText:
    def __init__(self, stt: SpeechToText, journal: BackendJournal) -> None:
        self._stt = stt
        self._journal = journal

    def listen(
        self,
        audio: AsyncIterable[bytes | OpusPacket | FinishTurn],
        *,
        sample_rate_hertz: int | None,
        held: bool = False,
        language_code: str = "",
    ) -> AsyncGenerator[ListeningEvent, None]:
        turns = self._stt.listen(
            audio, sample_rate_hertz=sample_rate_hertz, held=held, language_code=language_code
        )
        return self._journal.watched(Backend.STT, turns)


class _JournalledTextToSpeech:
    def __init__(self, tts: TextToSpeech, journal: BackendJournal) -> None:
        self._tts = tts
        self._journal = journal

    def speak(
        self,
        text: AsyncIterable[str],
        *,
        tenant: str = "",
        voice: str = "",
        language_code: str = "",
    ) -> AsyncGenerator[VoiceAudio, None]:
        speech = self._tts.speak(text, tenant=tenant, voice=voice, language_code=language_code)
        return self._journal.watched(Backend.TTS, speech)


class _JournalledLanguageModel:
    def __init__(self, model: LanguageModel, journal: BackendJournal) -> None:
        self._model = model
        self._journal = journal

    def generate(
        self, history: Sequence[HistoryTurn], *, tenant: str
    ) -> AsyncGenerator[ModelEvent, None]:
        answer = self._model.generate(history, tenant=tenant)
        return self._journal.watched(Backend.TRAINER, answer)
