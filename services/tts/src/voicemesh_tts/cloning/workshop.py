"""Makes voices of recordings, keeps them, and tells the engine of them."""

from __future__ import annotations

import asyncio
import threading
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import StartupError
from voicemesh_tts.cloning.decoding import decoded
from voicemesh_tts.cloning.recording import LONGEST_S, check_length, check_sound
from voicemesh_tts.domain import Gender, Voice
from voicemesh_tts.errors import (
    CloningBusyError,
    CloningTimeoutError,
    CloningUnavailableError,
    LanguageNotSpokenError,
    RecordingError,
    TooManyVoicesError,
    VoiceNotFoundError,
)
from voicemesh_tts.voices.cast import speaks

if TYPE_CHECKING:
    from voicemesh_tts.cloning.store import StoredVoice, VoiceStore
    from voicemesh_tts.ports import SpeechDetector, VoiceCloner
    from voicemesh_tts.studio import Studio

__all__ = ("CloneWish", "CloningLimits", "Workshop")

_logger = get_logger(__name__)

_AGAIN_S = 10.0


@dataclass(frozen=True)
class CloneWish:
    """A voice that somebody wants."""

    tenant: str
    """Whom it shall belong to."""

    display_name: str
    """Name for people."""

    language_code: str
    """BCP-47 code of the language spoken in the recording."""

    recording: bytes
    """A file of one person speaking, who has agreed."""


@dataclass(frozen=True)
class CloningLimits:
    """Bounds of cloning."""

    timeout_s: float = 120.0
    """Longest time for one voice, in seconds."""

    voices_per_tenant: int = 20
    """Most voices of one tenant."""


class Workshop:
    """One voice is made at a time. Belongs to one event loop; `open` it there."""

    def __init__(
        self,
        cloner: VoiceCloner,
        detector: SpeechDetector,
        store: VoiceStore,
        studio: Studio,
        limits: CloningLimits,
    ) -> None:
        """Makes a workshop.

        Args:
            cloner: the engine that makes voices and speaks with them.
            detector: tells whether recordings have speech.
            store: where voices are kept.
            studio: where the voices are to speak.
            limits: bounds.
        """
        self._cloner = cloner
        self._detector = detector
        self._store = store
        self._studio = studio
        self._cast = studio.cast
        self._limits = limits
        self._cloned = studio.metrics.cloned
        self._busy = False
        self._looking = asyncio.Lock()

    async def open(self) -> None:
        """Removes what an earlier process left unfinished."""
        await asyncio.to_thread(self._store.sweep)

    async def look(self, tenant: str) -> None:
        """Makes the cast know the tenant's voices as they are now, also by other processes."""
        async with self._looking:
            known = {_name(voice): voice for voice in self._cast.cloned(tenant)}
            names = await asyncio.to_thread(self._store.names, tenant)
            for name in known.keys() - names:
                await self._leave(known[name])
            if names - known.keys():
                for stored in await asyncio.to_thread(
                    self._store.read, tenant, names - known.keys()
                ):
                    await self._enter(stored)

    async def create(self, wish: CloneWish) -> Voice:
        """The new voice, which can speak from now on.

        A caller who leaves, or comes to the end of its time, leaves nothing on disk.

        Raises:
            RecordingError: if the recording cannot be used; the message says why.
            LanguageNotSpokenError: if voices made here do not speak its language.
            TooManyVoicesError: if the tenant has as many as it may have.
            CloningBusyError: if another voice is being made.
            CloningTimeoutError: if it takes too long.
            CloningUnavailableError: if the model that clones cannot be used.
        """
        if self._busy:
            msg = "a voice is being made of another recording; try again later"
            raise CloningBusyError(msg, retry_after_s=_AGAIN_S)
        self._busy = True
        stop = threading.Event()
        work: asyncio.Future[StoredVoice] | None = None
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                await self.look(wish.tenant)
                self._check_room(wish.tenant)
                work = asyncio.get_running_loop().run_in_executor(None, self._made, wish, stop)
                work.add_done_callback(self._over)
                stored = await asyncio.shield(work)
        except TimeoutError as error:
            self._cloned.labels("failed").inc()
            msg = f"the voice was not ready within {self._limits.timeout_s:g} s"
            raise CloningTimeoutError(msg) from error
        except (RecordingError, LanguageNotSpokenError):
            self._cloned.labels("refused").inc()
            raise
        except StartupError as error:
            self._cloned.labels("failed").inc()
            _logger.error("a voice cannot be cloned", cause=str(error))
            msg = "the model that clones voices cannot be used; the server's log has the cause"
            raise CloningUnavailableError(msg) from error
        finally:
            stop.set()
            if work is None:
                self._busy = False
        await self._enter(stored)
        self._cloned.labels("made").inc()
        return stored.voice

    async def delete(self, tenant: str, voice_id: str) -> None:
        """Deletes a voice with all that is known of it.

        Raises:
            VoiceNotFoundError: if the tenant has no such voice.
        """
        await self.look(tenant)
        voice = next((each for each in self._cast.cloned(tenant) if each.id == voice_id), None)
        if voice is None:
            msg = "the tenant has no cloned voice of that id"
            raise VoiceNotFoundError(msg, field="voice")
        await asyncio.to_thread(self._store.remove, tenant, _name(voice))
        await self._leave(voice)

    def _check_room(self, tenant: str) -> None:
        most = self._limits.voices_per_tenant
        if len(self._cast.cloned(tenant)) >= most:
            msg = f"the tenant has {most} cloned voices, which is the most; delete one first"
            raise TooManyVoicesError(msg, field="tenant")

    def _over(self, work: asyncio.Future[StoredVoice]) -> None:
        # Not before: the thread may still be at work when its caller has gone.
        self._busy = False
        if not work.cancelled():
            work.exception()  # nobody may be waiting for it any more

    def _made(self, wish: CloneWish, stop: threading.Event) -> StoredVoice:
        """Does the work, in a thread.

        Args:
            wish: what is wanted.
            stop: set when nobody wants it any more.
        """
        pattern = self._cloner.pattern()
        if not speaks(pattern, wish.language_code):
            msg = f"voices made here do not speak {wish.language_code!r}"
            raise LanguageNotSpokenError(msg, field="language_code")
        samples = decoded(wish.recording, LONGEST_S + 1.0)
        check_length(samples)
        check_sound(samples, self._detector.speech(samples))
        name = uuid.uuid4().hex
        directory = self._store.begin(wish.tenant, name)
        try:
            self._cloner.create(samples, directory)
            if stop.is_set():
                msg = "nobody waits for the voice any more"
                raise CloningTimeoutError(msg)
            voice = _voice(wish, pattern, name)
            return self._store.finish(directory, name, voice)
        except BaseException:
            self._store.discard(directory)
            raise

    async def _enter(self, stored: StoredVoice) -> None:
        try:
            await asyncio.to_thread(self._cloner.add, stored.voice, stored.directory)
        except StartupError as error:
            _logger.error("a cloned voice cannot be used", cause=str(error))
            return
        self._cast.enrol(stored.voice)

    async def _leave(self, voice: Voice) -> None:
        self._cast.dismiss(voice.id)
        await self._studio.forget(voice)
        await asyncio.to_thread(self._cloner.remove, voice.id)


def _name(voice: Voice) -> str:
    """The name of a voice's directory, which is the end of its id."""
    return voice.id.rpartition("-")[2]


def _voice(wish: CloneWish, pattern: Voice, name: str) -> Voice:
    first = wish.language_code
    others = tuple(code for code in pattern.language_codes if code != first)
    return replace(
        pattern,
        id=f"{pattern.engine}:cloned-{name}",
        display_name=wish.display_name,
        # A clone speaks its own language unless it is asked for another.
        language_codes=(first, *others),
        gender=Gender.UNKNOWN,
        tenant=wish.tenant,
        create_time=datetime.now(UTC),
    )
