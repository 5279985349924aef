"""What a person's words are to the bot: a question, a wish to be quiet, or none of its business.

Rules, in this order:

| words | they are |
| --- | --- |
| none, or only a noise in brackets | nothing |
| the bot's own, said while it spoke | its echo |
| a wish to be quiet, while there is an answer | a stop, by whoever may interrupt it |
| with a name of the bot | a request |
| short signs of listening, while there is an answer or right after it | a backchannel |
| any, by the only person there | a request |
| with another person's name | an aside |
| any, by who is being answered, was answered just now, or was asked | a request |
| any other | an aside |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from voicemesh_bot.conversation.addressing import is_question, letters_of, without_name
from voicemesh_bot.conversation.phrases import phrases_for
from voicemesh_bot.conversation.words import contains_words, words_of
from voicemesh_bot.domain import Address

if TYPE_CHECKING:
    from voicemesh_bot.conversation.addressing import Attention
    from voicemesh_bot.conversation.options import ConversationOptions
    from voicemesh_bot.conversation.people import People

__all__ = ("Judgement", "Meaning", "Scene", "Understanding")


class Meaning(StrEnum):
    """What words are to the bot."""

    NOTHING = "nothing"
    """There were none."""
    ECHO = "echo"
    """They are its own, heard again through somebody's microphone."""
    STOP = "stop"
    """It is to be quiet."""
    BACKCHANNEL = "backchannel"
    """Somebody listens."""
    ASIDE = "aside"
    """They are for somebody else: context."""
    REQUEST = "request"
    """They are for the bot: to be answered."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A meaning and the reason for it."""

    meaning: Meaning
    """What the words are."""

    address: Address | None = None
    """Why a request is one."""

    @property
    def is_harmless(self) -> bool:
        """Whether the bot goes on with whatever it does."""
        return self.meaning not in {Meaning.REQUEST, Meaning.STOP}


@dataclass(frozen=True, slots=True)
class Scene:
    """What the bot is doing while somebody speaks."""

    speakers: frozenset[str] = frozenset()
    """Who is being answered; nobody if there is no answer in the making or in the air."""

    asked_at_s: float = 0.0
    """When the last of what is being answered was asked."""

    heard: bool = False
    """Whether the beginning of the answer was heard."""

    text: str = ""
    """The answer, as far as it is written."""

    ends_soon: bool = False
    """Whether hardly anything of it is left to be heard."""


class Understanding:
    """Judges what is heard in one room."""

    def __init__(self, options: ConversationOptions, people: People, attention: Attention) -> None:
        self._options = options
        self._people = people
        self._attention = attention
        self._phrases = phrases_for(options.language_code)
        self._names = letters_of(options.names)

    def judge(self, text: str, speaker: str, began_s: float, scene: Scene) -> Judgement:
        """What a turn means.

        Args:
            text: all its words, final or not.
            speaker: who spoke.
            began_s: when they began.
            scene: what the bot is doing now.
        """
        words = words_of(text)
        if not words:
            return Judgement(Meaning.NOTHING)
        if self._is_echo(words, began_s, scene):
            return Judgement(Meaning.ECHO)
        besides_name = without_name(words, self._names, self._phrases)
        if self._phrases.is_stop(besides_name or words):
            stops = bool(scene.speakers) and self._may_stop(speaker, scene)
            return Judgement(Meaning.STOP if stops else Meaning.ASIDE)
        if besides_name is not None:
            return Judgement(Meaning.REQUEST, Address.NAMED)
        if self._is_backchannel(words, speaker, began_s, scene):
            return Judgement(Meaning.BACKCHANNEL)
        address = self._address(words, speaker, began_s, scene)
        return Judgement(Meaning.ASIDE if address is None else Meaning.REQUEST, address)

    def calls(self, text: str, speaker: str, scene: Scene) -> bool:
        """Whether a turn, as far as it is known, calls the bot or asks for quiet.

        Args:
            text: its first words; more may follow.
            speaker: who speaks.
            scene: what the bot is doing now.
        """
        if not self._may_stop(speaker, scene):
            return False
        words = words_of(text)
        called = without_name(words, self._names, self._phrases, whole=False)
        return called is not None or self._phrases.is_stop(words)

    def _may_stop(self, speaker: str, scene: Scene) -> bool:
        return speaker in scene.speakers or self._people.may_interrupt(speaker)

    def _is_echo(self, words: tuple[str, ...], began_s: float, scene: Scene) -> bool:
        least = self._options.echo_words
        own = scene.text if scene.heard else self._attention.overlapped(began_s)
        return 0 < least <= len(words) and contains_words(own, words)

    def _is_backchannel(
        self, words: tuple[str, ...], speaker: str, began_s: float, scene: Scene
    ) -> bool:
        if not self._phrases.is_backchannel(words, most=self._options.backchannel_words):
            return False
        if scene.speakers:
            # "Shall I go on?" is answered before its last sound is over.
            return not (scene.ends_soon and is_question(scene.text))
        if over := self._attention.overlapped(began_s):
            return not is_question(over)
        if self._people.count <= 1:
            return False
        reason = self._attention.reason(speaker, began_s, self._options)
        return reason is not Address.ANSWER

    def _address(
        self, words: tuple[str, ...], speaker: str, began_s: float, scene: Scene
    ) -> Address | None:
        if self._people.count <= 1:
            return Address.ALONE
        others = self._people.names_of_others(speaker)
        if without_name(words, others, self._phrases) is not None:
            return None
        if not scene.speakers:
            return self._attention.reason(speaker, began_s, self._options)
        if speaker not in scene.speakers:
            return None
        if scene.heard:
            return Address.FOLLOW_UP
        is_open = began_s - scene.asked_at_s <= self._options.reopen_s
        return Address.CONTINUED if is_open else None
