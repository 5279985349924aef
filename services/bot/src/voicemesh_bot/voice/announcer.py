"""Says what is no answer: news about the bot, and what people asked it to say.

It waits its turn behind whatever is being said.
"""

from __future__ import annotations

import itertools
from contextlib import aclosing
from typing import TYPE_CHECKING

from voicemesh_bot.voice.clips import spoken_once
from voicemesh_bot.voice.frames import PassageId, PassageKind

if TYPE_CHECKING:
    import asyncio

    from voicemesh_bot.ports import TextToSpeech
    from voicemesh_bot.voice.clips import ClipLibrary, Wording
    from voicemesh_bot.voice.frames import Progress
    from voicemesh_bot.voice.loudspeaker import Loudspeaker

__all__ = ("Announcer",)


class Announcer:
    """One guild's announcements.

    Args:
        loudspeaker: of the guild.
        tts: a voice that makes packets.
        clips: of the same voice.
    """

    def __init__(self, loudspeaker: Loudspeaker, tts: TextToSpeech, clips: ClipLibrary) -> None:
        self._loudspeaker = loudspeaker
        self._tts = tts
        self._clips = clips
        self._numbers = itertools.count(1)

    async def announce(self, wording: Wording) -> asyncio.Future[Progress]:
        """Says one of the sentences that are said again and again; returns once it can be played.

        Returns:
            How much of it was heard, once it is over.

        Raises:
            QueueFullError: too much waits to be said.
            ServiceError: as the voice says; nothing will be heard.
        """
        passage, end = self._begin()
        try:
            clip = await self._clips.clip(wording)
            self._loudspeaker.play(passage, clip.packets)
        except BaseException:  # Also when it is cancelled: its place in the queue is given up.
            self._loudspeaker.cut(passage)
            raise
        self._loudspeaker.end(passage)
        return end

    async def say(self, wording: Wording) -> asyncio.Future[Progress]:
        """Says any text, from its first clause on; returns once all of it can be played.

        Cancelled, it falls silent at once.

        Returns:
            How much of it was heard, once it is over.

        Raises:
            QueueFullError: too much waits to be said.
            ServiceError: as the voice says; what was made before will still be heard.
        """
        passage, end = self._begin()
        speech = self._tts.speak(
            spoken_once(wording.text),
            tenant=wording.tenant,
            voice=wording.voice,
            language_code=wording.language_code,
        )
        try:
            async with aclosing(speech) as sounds:
                async for sound in sounds:
                    self._loudspeaker.play(passage, sound.packets)
        except Exception:
            self._loudspeaker.end(passage)
            raise
        except BaseException:
            self._loudspeaker.cut(passage)
            raise
        self._loudspeaker.end(passage)
        return end

    def _begin(self) -> tuple[PassageId, asyncio.Future[Progress]]:
        passage = PassageId(PassageKind.ANNOUNCEMENT, next(self._numbers))
        return passage, self._loudspeaker.begin(passage)
