"""Whatever people, backends and the network do in whatever order, a room keeps its promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from voicemesh_bot.conversation.commands import (
    BeginReply,
    CancelReply,
    ShowMessage,
    ShowPartial,
    ShowReplyEnd,
    ShowReplyStart,
    ShowReplyText,
)
from voicemesh_bot.conversation.events import (
    BackendChanged,
    Departed,
    Heard,
    HearingLost,
    ReplyFailed,
    StopPressed,
    Typed,
    VoiceFailed,
    VoiceSwitched,
)
from voicemesh_bot.conversation.playback import LEAST_HEARD_S
from voicemesh_bot.domain import (
    Backend,
    Final,
    Partial,
    Role,
    SoftFinal,
    SpeechStarted,
    TurnResumed,
)
from voicemesh_bot.problems import down_problem

if TYPE_CHECKING:
    from tests.unit.bot.conversation.conftest import World

pytestmark = pytest.mark.unit

PEOPLE = ("ann", "bob", "carl", "dora")
TEXTS = (
    "",
    "(coughs)",
    "yeah",
    "mm-hmm right",
    "stop",
    "Max, stop!",
    "wait a minute",
    "Max, what is the time?",
    "and in Italian?",
    "Bob, come here",
    "did you see the game last night",
    "what do you say, Max?",
    "three four five six seven",
)
ANSWERS = (
    "Yes.",
    "One two three four five six seven, eight nine ten.",
    "It is noon in Rome, and in Paris too. Shall I go on?",
    "One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten. Eleven. Twelve. Thirteen.",
)
CHARACTERS_PER_S = 15.0
FRAME_S = 0.02
FRAME_CHARACTERS = 2
"""Characters that a frame or two of sound may speak: how exact anything can be."""

C = TypeVar("C")

speakers = st.sampled_from(PEOPLE)
texts = st.sampled_from(TEXTS)


class AnyRoom(RuleBasedStateMachine):
    """Random people in random trouble; the player of `World` fails on two voices at once."""

    new_world: type[World]

    @initialize(
        answer=st.sampled_from(ANSWERS),
        model_s=st.sampled_from((0.05, 0.4, 9.0)),
        speculations=st.integers(0, 3),
    )
    def open(self, answer: str, model_s: float, speculations: int) -> None:
        self.world = self.new_world(
            answer=answer,
            model_s=model_s,
            names=("Max",),
            max_speculations=speculations,
            max_history_turns=500,
        )
        self.busy_until_s: dict[str, float] = {}
        self.world.arrive("ann")
        self.world.arrive("bob")

    # People

    @rule(speaker=speakers, text=texts, soft=st.none() | texts, ms=st.integers(50, 4000))
    def somebody_speaks(self, speaker: str, text: str, soft: str | None, ms: int) -> None:
        if self.world.now_s < self.busy_until_s.get(speaker, 0.0):
            return
        words = text.split()
        partials = {ms * 0.4: words[0], ms * 0.8: " ".join(words[:3])} if words else {}
        self.world.speak(speaker, text, ms=ms, soft=soft, partials=partials)
        self.busy_until_s[speaker] = self.world.now_s + ms / 1000 + 0.5

    @rule(
        speaker=speakers,
        other=st.none() | speakers,
        text=texts,
        heard_ms=st.integers(0, 3000),
        ms=st.integers(100, 2000),
    )
    def somebody_is_answered_and_interrupted(
        self, speaker: str, other: str | None, text: str, heard_ms: int, ms: int
    ) -> None:
        if self.world.now_s >= self.busy_until_s.get(speaker, 0.0):
            self.world.speak(speaker, "Max, what is the time?", ms=600)
            self.world.run((1400 + heard_ms) / 1000)
            self.somebody_speaks(other or speaker, text, None, ms)
            self.world.run((ms + 600) / 1000)

    @rule(speaker=speakers, text=texts)
    def somebody_hesitates(self, speaker: str, text: str) -> None:
        """A turn that is taken back once: a soft final, and the voice goes on."""
        if self.world.now_s < self.busy_until_s.get(speaker, 0.0):
            return
        turn = self.world.turns[speaker] = self.world.turns.get(speaker, 0) + 1
        self.world.hear_in(0.2, speaker, SpeechStarted(turn))
        self.world.hear_in(0.9, speaker, SoftFinal(turn, 1, text))
        self.world.hear_in(1.0, speaker, TurnResumed(turn, 1))
        self.world.hear_in(2.0, speaker, SoftFinal(turn, 2, f"{text} and more"))
        self.world.hear_in(2.4, speaker, Final(turn, 2, f"{text} and more", 0.5))
        self.busy_until_s[speaker] = self.world.now_s + 2.5

    @rule(speaker=speakers)
    def somebody_speaks_and_speaks(self, speaker: str) -> None:
        """A turn that never ends by itself, until the ear is lost."""
        if self.world.now_s < self.busy_until_s.get(speaker, 0.0):
            return
        turn = self.world.turns[speaker] = self.world.turns.get(speaker, 0) + 1
        self.world.hear_in(0.2, speaker, SpeechStarted(turn))
        self.world.after(60.0, lambda: self.world.do(HearingLost(speaker)))
        self.busy_until_s[speaker] = self.world.now_s + 60.5

    @rule(speaker=speakers, text=texts)
    def somebody_writes(self, speaker: str, text: str) -> None:
        self.world.do(Typed(speaker, text))

    @rule(speaker=speakers, may_interrupt=st.booleans())
    def somebody_arrives(self, speaker: str, may_interrupt: bool) -> None:
        self.world.arrive(speaker, may_interrupt=may_interrupt)

    @rule(text=texts)
    def another_bot_speaks(self, text: str) -> None:
        self.world.arrive("robot", is_bot=True)
        self.somebody_speaks("robot", text, None, 900)

    @rule(speaker=speakers)
    def somebody_leaves(self, speaker: str) -> None:
        self.world.do(Departed(speaker))

    @rule()
    def somebody_presses_stop(self) -> None:
        self.world.do(StopPressed())

    @rule(ms=st.integers(0, 2000))
    def the_voice_is_switched_off_for_a_while(self, ms: int) -> None:
        self.world.do(VoiceSwitched(on=False))
        self.world.after(ms / 1000, lambda: self.world.do(VoiceSwitched(on=True)))

    # Trouble

    @rule(speaker=speakers)
    def an_ear_is_lost(self, speaker: str) -> None:
        self.world.do(HearingLost(speaker, down_problem(Backend.STT)))

    @rule(back=st.integers(0, 3), revision=st.integers(0, 1), text=texts)
    def a_report_comes_late(self, back: int, revision: int, text: str) -> None:
        """About a turn that is over, of somebody who has had one."""
        for speaker, turn in self.world.turns.items():
            if (
                turn - back < 1
                or speaker == "robot"
                or self.world.now_s < self.busy_until_s.get(speaker, 0.0)
            ):
                continue
            for event in (
                Partial(turn - back, revision, text, ""),
                SoftFinal(turn - back, revision, text),
                Final(turn - back, revision, text),
            ):
                shown = self.world.do(Heard(speaker, event))
                kinds = ShowPartial | ShowMessage | BeginReply
                assert not any(isinstance(command, kinds) for command in shown)

    @precondition(lambda self: self.begun())
    @rule()
    def the_model_fails(self) -> None:
        self.world.do(ReplyFailed(self.begun()[-1], down_problem(Backend.TRAINER)))

    @precondition(lambda self: self.begun())
    @rule()
    def the_voice_fails(self) -> None:
        self.world.do(VoiceFailed(self.begun()[-1], down_problem(Backend.TTS)))

    @rule(ms=st.integers(0, 2000))
    def the_voice_goes_and_comes(self, ms: int) -> None:
        self.world.do(BackendChanged(Backend.TTS, ready=False))
        back = BackendChanged(Backend.TTS, ready=True)
        self.world.after(ms / 1000, lambda: self.world.do(back))

    @rule(ms=st.sampled_from((20, 90, 200, 400, 900, 2500, 9000)))
    def time_passes(self, ms: int) -> None:
        self.world.run(ms / 1000)

    # Promises

    @invariant()
    def there_is_one_answer_at_a_time(self) -> None:
        if hasattr(self, "world"):
            started = {c.reply_id for c in self.seen(ShowReplyStart)}
            assert len(started - {c.reply_id for c in self.seen(ShowReplyEnd)}) <= 1
            assert {c.reply_id for c in self.seen(ShowReplyText)} <= started

    @invariant()
    def no_other_bot_is_heard(self) -> None:
        if hasattr(self, "world"):
            assert all(c.speaker != "robot" for c in self.seen(ShowMessage))

    @invariant()
    def the_model_is_asked_by_a_person(self) -> None:
        if hasattr(self, "world"):
            assert all(c.history[-1].role is Role.USER for c in self.seen(BeginReply))

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.run(120.0)  # Whoever still speaks comes to an end.
        self.world.settle()
        self._check_rest()
        self._check_history()
        before = len(self.seen(ShowReplyEnd))
        self.world.do(BackendChanged(Backend.TTS, ready=True))
        self.world.do(VoiceSwitched(on=True))
        self.world.arrive("ann")
        self.world.speak("ann", "Max, what is the time?")
        self.world.settle()
        assert [str(c.outcome) for c in self.seen(ShowReplyEnd)[before:]] == ["complete"]

    def _check_rest(self) -> None:
        ended = {c.reply_id for c in self.seen(ShowReplyEnd)}
        assert {c.reply_id for c in self.seen(ShowReplyStart)} == ended
        assert set(self.begun()) <= {c.reply_id for c in self.seen(CancelReply)}
        assert all(sound.is_over for sound in self.world.player.sounds.values())
        assert not self.world.player.ducked

    def _check_history(self) -> None:
        """The history holds what was heard of each answer, to the word."""
        remembered = [
            turn.text for turn in self.world.conversation.history if turn.role is Role.ASSISTANT
        ]
        for started in self.seen(ShowReplyStart):
            told = "".join(
                c.text for c in self.seen(ShowReplyText) if c.reply_id == started.reply_id
            )
            ranges = self._heard_characters(started.reply_id, told)
            if remembered and told.startswith(remembered[0]) and len(remembered[0]) in ranges:
                remembered.pop(0)
            else:
                assert 0 in ranges, (started.reply_id, told, ranges, remembered)
        assert remembered == []

    def _heard_characters(self, reply_id: int, told: str) -> range:
        """How long the remembered beginning of an answer may be."""
        if reply_id not in self.world.voiced or reply_id in self.world.unvoiced:
            return range(len(told.strip()), len(told.strip()) + 1)
        heard = self.world.player.sounds.get(reply_id)
        seconds = 0.0 if heard is None else heard.heard_s
        # The conversation reckons with sound since the last report: up to a frame more than played.
        if seconds + FRAME_S < LEAST_HEARD_S:
            return range(1)
        characters = int(seconds * CHARACTERS_PER_S)
        longest_word = max(map(len, told.split()), default=0) + 1
        least = max(0, characters - longest_word - FRAME_CHARACTERS)
        return range(least, characters + FRAME_CHARACTERS + 1)

    def seen(self, kind: type[C]) -> list[C]:
        return [command for _, command in self.world.log if isinstance(command, kind)]

    def begun(self) -> list[int]:
        return [c.reply_id for c in self.seen(BeginReply)] if hasattr(self, "world") else []


@pytest.mark.timeout(300)
def test_any_room_keeps_its_promises(make_world: type[World]) -> None:
    machine = type("AnyRoomOfThese", (AnyRoom,), {"new_world": make_world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
