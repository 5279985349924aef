"""Sentences that are said again and again, spoken once and kept.

A clip that is kept can be said although the voice cannot be reached, which is when some of them are
needed.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from voicemesh_bot.ports import TextToSpeech

__all__ = ("Clip", "ClipLibrary", "Wording", "spoken_once")


@dataclass(frozen=True, slots=True)
class Wording:
    """What is to be said, and by whom."""

    text: str
    """The words."""

    tenant: str = ""
    """Whose voices and pronunciations to use; empty for the shared ones."""

    voice: str = ""
    """Id of the voice; empty for the one that is set up."""

    language_code: str = ""
    """BCP-47 code of the text's language; empty for the voice's own."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A sentence as sound."""

    packets: tuple[bytes, ...]
    """Opus packets of 20 ms at 48 kHz."""

    @property
    def size_bytes(self) -> int:
        """Memory of the packets."""
        return sum(map(len, self.packets))


class ClipLibrary:
    """Keeps the clips that were used last; shared by all guilds.

    Args:
        tts: a voice that makes packets.
        most_bytes: of all clips together; the one that was unused for longest goes first.
    """

    def __init__(self, tts: TextToSpeech, *, most_bytes: int = 4 << 20) -> None:
        self._tts = tts
        self._most_bytes = most_bytes
        self._bytes = 0
        self._clips: OrderedDict[Wording, Clip] = OrderedDict()

    async def clip(self, wording: Wording) -> Clip:
        """The clip, from memory or newly spoken.

        Raises:
            ServiceError: as the voice says, if it is not kept.
        """
        if (kept := self._clips.get(wording)) is not None:
            self._clips.move_to_end(wording)
            return kept
        packets: list[bytes] = []
        speech = self._tts.speak(
            spoken_once(wording.text),
            tenant=wording.tenant,
            voice=wording.voice,
            language_code=wording.language_code,
        )
        async with aclosing(speech) as sounds:
            async for sound in sounds:
                packets.extend(sound.packets)
        clip = Clip(tuple(packets))
        self._keep(wording, clip)
        return clip

    def _keep(self, wording: Wording, clip: Clip) -> None:
        # Two may have asked for it at the same time.
        if wording in self._clips or clip.size_bytes > self._most_bytes:
            return
        self._clips[wording] = clip
        self._bytes += clip.size_bytes
        while self._bytes > self._most_bytes:
            _, oldest = self._clips.popitem(last=False)
            self._bytes -= oldest.size_bytes


async def spoken_once(text: str) -> AsyncGenerator[str, None]:
    """A text that is complete, as the voice takes it."""
    yield text
