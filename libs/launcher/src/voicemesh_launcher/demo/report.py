"""What the person reads of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from voicemesh_launcher.demo.words import word_error_rate

if TYPE_CHECKING:
    from rich.console import Console

    from voicemesh_launcher.demo.dialogue import Conversation
    from voicemesh_launcher.demo.timeline import Timeline

__all__ = ("MOST_ERRORS", "Verdict", "judge", "show")

MOST_ERRORS = 0.2
"""Largest word error rate with which something counts as understood."""


@dataclass(frozen=True)
class Verdict:
    """Whether everybody was understood."""

    question_errors: float
    """Word error rate of what stt heard of the question."""

    answer_errors: float
    """Word error rate of what stt heard of the spoken answer, against its text."""

    @property
    def sentence(self) -> str:
        """What went wrong; empty if nothing did."""
        if self.question_errors > MOST_ERRORS:
            return f"stt did not hear the words: word error rate {self.question_errors:.2f}"
        if self.answer_errors > MOST_ERRORS:
            return f"the answer cannot be understood: word error rate {self.answer_errors:.2f}"
        return ""


def judge(conversation: Conversation, spoken: str) -> Verdict:
    """Compares what was understood with what was said."""
    return Verdict(
        question_errors=word_error_rate(spoken, conversation.heard),
        answer_errors=word_error_rate(conversation.answer, conversation.heard_back),
    )


def show(conversation: Conversation, verdict: Verdict, console: Console) -> None:
    """Prints transcript, answer and times."""
    said = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    said.add_column(style="bold", no_wrap=True)
    said.add_column()
    said.add_row("question heard", escape(conversation.heard))
    said.add_row("", _errors(verdict.question_errors))
    said.add_row("answer", escape(conversation.answer))
    said.add_row("heard back as", escape(conversation.heard_back))
    said.add_row("", _errors(verdict.answer_errors))
    console.print(said)
    console.print()
    console.print(_times(conversation.timeline))


def _errors(rate: float) -> str:
    colour = "green" if rate <= MOST_ERRORS else "red"
    return f"[{colour}]word error rate {rate:.2f}[/]"


def _times(timeline: Timeline) -> Table:
    t = timeline
    table = Table("SERVICE", "WHAT", "AFTER THE END OF SPEECH", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for service, what, seconds in (
        ("stt", "words known (soft final)", t.soft_final_s),
        ("stt", "turn over (final)", t.final_s),
        ("trainer", "answer asked for", t.asked_s),
        ("trainer", "first token", t.first_token_s),
        ("trainer", "answer complete", t.last_token_s),
        ("tts", "first sound", t.first_audio_s),
        ("tts", f"last sound (of {t.reply_s:.1f} s)", t.last_audio_s),
    ):
        table.add_row(service, what, f"{seconds * 1000:.0f} ms")
    heard = f"{t.voice_to_voice_s * 1000:.0f} ms"
    table.add_row("you", "hear the answer", heard, style="bold")
    return table
