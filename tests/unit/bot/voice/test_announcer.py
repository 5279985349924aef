"""What is said beside answers: clips that are kept, and any text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable

import pytest
import pytest_asyncio

from voicemesh_bot.domain import VoiceAudio
from voicemesh_bot.voice.announcer import Announcer
from voicemesh_bot.voice.clips import Clip, ClipLibrary, Wording
from voicemesh_bot.voice.ducking import Ducker
from voicemesh_bot.voice.errors import QueueFullError
from voicemesh_bot.voice.frames import SILENCE, PassageState
from voicemesh_bot.voice.loudspeaker import Loudspeaker
from voicemesh_bot.voice.player import Player, PlayerOptions
from voicemesh_chassis.errors import UnavailableError

pytestmark = pytest.mark.unit

HELLO = Wording("Hi!")


class PacketVoice:
    """Makes a packet of each character, one piece a word; may be away, or wait between words."""

    def __init__(self) -> None:
        self.away = False
        self.asked: list[tuple[str, str, str, str]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.fails_after: int | None = None

    async def speak(
        self,
        text: AsyncIterable[str],
        *,
        tenant: str = "",
        voice: str = "",
        language_code: str = "",
    ) -> AsyncGenerator[VoiceAudio, None]:
        if self.away:
            msg = "no service answers"
            raise UnavailableError(msg)
        whole = "".join([piece async for piece in text])
        self.asked.append((whole, tenant, voice, language_code))
        for index, word in enumerate(whole.split(" ")):
            if index == self.fails_after:
                msg = "the service went away"
                raise UnavailableError(msg)
            packets = tuple(letter.encode() for letter in word)
            yield VoiceAudio(b"", 48_000, 0.02 * len(packets), (0, 1), True, packets)
            await self.go_on.wait()


class OpenLine:
    """A line whose packets the test takes."""

    def __init__(self) -> None:
        self.read: Callable[[], bytes] | None = None
        self.closed: Callable[[], None] | None = None

    def open(self, read: Callable[[], bytes], closed: Callable[[], None]) -> bool:
        self.read, self.closed = read, closed
        return True

    def hear(self) -> str:
        """What is said until there is silence, or nothing."""
        said = ""
        while self.read is not None:
            packet = self.read()
            if packet == b"":
                assert self.closed is not None
                self.read = None
                self.closed()
            elif packet != SILENCE:
                said += packet.decode()
            elif said:
                break
        return said


@pytest.fixture
def voice() -> PacketVoice:
    return PacketVoice()


@pytest.fixture
def clips(voice: PacketVoice) -> ClipLibrary:
    return ClipLibrary(voice)


@pytest.fixture
def line() -> OpenLine:
    return OpenLine()


@pytest_asyncio.fixture
async def announcer(
    voice: PacketVoice, clips: ClipLibrary, line: OpenLine
) -> AsyncIterator[Announcer]:
    options = PlayerOptions(preroll_s=0.0, most_announcements=2)
    speaker = Loudspeaker(Player(options), Ducker(None))
    speaker.attach(line)
    yield Announcer(speaker, voice, clips)
    await speaker.aclose()


async def test_an_announcement_is_heard_and_its_end_is_told(
    announcer: Announcer, line: OpenLine
) -> None:
    end = await announcer.announce(HELLO)
    assert line.hear() == "Hi!"
    line.hear()
    progress = await end
    assert (progress.frames, progress.state) == (3, PassageState.DONE)


async def test_an_announcement_said_before_needs_no_voice(
    announcer: Announcer, voice: PacketVoice, line: OpenLine
) -> None:
    await announcer.announce(HELLO)
    line.hear()
    voice.away = True
    await announcer.announce(HELLO)
    assert line.hear() == "Hi!"
    assert len(voice.asked) == 1
    with pytest.raises(UnavailableError):
        await announcer.announce(Wording("Bye!"))
    assert line.hear() == ""


async def test_a_text_is_heard_from_its_first_words_on(
    announcer: Announcer, voice: PacketVoice, line: OpenLine
) -> None:
    voice.go_on.clear()
    saying = asyncio.create_task(announcer.say(Wording("Good day to you")))
    while line.read is None:
        await asyncio.sleep(0)
    assert line.hear() == "Goo"
    voice.go_on.set()
    await saying
    assert line.hear() == "ddaytoyou"


async def test_a_text_whose_voice_fails_is_heard_as_far_as_it_was_made(
    announcer: Announcer, voice: PacketVoice, line: OpenLine
) -> None:
    voice.fails_after = 2
    with pytest.raises(UnavailableError):
        await announcer.say(Wording("Good day to you"))
    assert line.hear() == "Goodday"


async def test_a_text_that_is_cancelled_falls_silent(
    announcer: Announcer, voice: PacketVoice, line: OpenLine
) -> None:
    voice.go_on.clear()
    saying = asyncio.create_task(announcer.say(Wording("Goodness me")))
    while line.read is None:
        await asyncio.sleep(0)
    assert line.read() == b"G"
    saying.cancel()
    await asyncio.wait({saying})
    assert line.hear() == ""


async def test_what_is_refused_or_fails_leaves_its_place_to_others(
    announcer: Announcer, voice: PacketVoice, line: OpenLine
) -> None:
    voice.away = True
    for _ in range(5):
        with pytest.raises(UnavailableError):
            await announcer.announce(HELLO)
    voice.away = False
    await announcer.announce(HELLO)
    await announcer.say(Wording("You"))
    with pytest.raises(QueueFullError):
        await announcer.say(Wording("Me"))
    assert line.hear() + line.hear() == "Hi!You"


async def test_the_voice_is_asked_as_the_wording_says(
    announcer: Announcer, voice: PacketVoice
) -> None:
    wording = Wording("Hi", tenant="guild", voice="piper:x", language_code="en-GB")
    await announcer.announce(wording)
    await announcer.say(wording)
    assert voice.asked == [("Hi", "guild", "piper:x", "en-GB")] * 2


class TestClips:
    async def test_differ_by_everything_that_sounds_different(
        self, clips: ClipLibrary, voice: PacketVoice
    ) -> None:
        wordings = [
            Wording("Hi"),
            Wording("Ho"),
            Wording("Hi", tenant="guild"),
            Wording("Hi", voice="piper:x"),
            Wording("Hi", language_code="de"),
        ]
        for _ in range(2):
            for wording in wordings:
                await clips.clip(wording)
        assert len(voice.asked) == len(wordings)

    async def test_that_were_unused_for_longest_go_first(self, voice: PacketVoice) -> None:
        clips = ClipLibrary(voice, most_bytes=9)
        for text in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"):
            await clips.clip(Wording(text))
        assert [asked[0] for asked in voice.asked] == ["aaaa", "bbbb", "cccc", "bbbb"]

    async def test_that_are_too_large_are_made_and_not_kept(self, voice: PacketVoice) -> None:
        clips = ClipLibrary(voice, most_bytes=3)
        for _ in range(2):
            assert await clips.clip(Wording("abcd")) == Clip((b"a", b"b", b"c", b"d"))
        assert len(voice.asked) == 2

    async def test_asked_for_twice_at_once_are_kept_once(self, voice: PacketVoice) -> None:
        clips = ClipLibrary(voice, most_bytes=9)
        await asyncio.gather(clips.clip(Wording("aaaa")), clips.clip(Wording("aaaa")))
        await clips.clip(Wording("bbbb"))
        asked = len(voice.asked)
        await clips.clip(Wording("aaaa"))
        await clips.clip(Wording("bbbb"))
        assert len(voice.asked) == asked
