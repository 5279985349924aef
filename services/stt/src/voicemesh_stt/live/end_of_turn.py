"""How long to wait for more, judged by the sound and the words at a soft stop.

The sound (`ports.EndOfTurnModel`) tells how a sentence falls or hangs, whatever the language. A
recogniser's punctuation is weak evidence: Whisper closes almost anything with a full stop. So a
full stop is `unsure`; only a question or exclamation mark is taken for an end, and only a sign that
nobody ends with (a comma, an ellipsis, a word such as "and") for an unfinished sentence.
"""

from __future__ import annotations

import re

from voicemesh_stt.live.turns import Verdict

__all__ = ("judge", "judge_sound", "judge_words")

_LIKELY = 0.5
_UNLIKELY = 0.2
"""Bounds of the probability; they part the verdicts as `voice-turns` 5.3 has it."""

_COMPLETE = ("?", "!", "？", "！", "؟")
_INCOMPLETE = (",", ";", ":", "-", "–", "—", "...", "…", "、", "，", "；", "：", "،")

# English words that do not end a sentence: conjunctions, articles, determiners, most prepositions
# (not those that often do, as in "come in" or "what is it for") and hesitations.
_UNFINISHED_WORDS = """
a an the and but or nor because if unless although though while whereas than that which whose
my your his its our their of from with into onto between is are was were am
i'm you're he's she's it's we're they're um uh er erm hmm like
"""
_UNFINISHED = frozenset(_UNFINISHED_WORDS.split())
_LAST_WORD = re.compile(r"[\w'’]+(?=\W*$)")


def judge_words(text: str) -> Verdict:
    """Whether somebody who said `text` and fell silent has finished.

    Args:
        text: the words of the turn so far, with punctuation, in any language; the rule for last
            words knows only English ones.
    """
    words = text.strip()
    if words.endswith(_COMPLETE):
        return Verdict.COMPLETE
    if words.endswith(_INCOMPLETE):
        return Verdict.INCOMPLETE
    last = _LAST_WORD.search(words)
    if last is not None and not words.endswith(".") and last[0].lower() in _UNFINISHED:
        return Verdict.INCOMPLETE
    return Verdict.UNSURE


def judge_sound(probability: float) -> Verdict:
    """Whether somebody has finished whom an `EndOfTurnModel` believes so with that probability."""
    if probability >= _LIKELY:
        return Verdict.COMPLETE
    return Verdict.UNSURE if probability >= _UNLIKELY else Verdict.INCOMPLETE


def judge(probability: float | None, text: str | None) -> Verdict | None:
    """What sound and words say together, or the one of them that is known; None if neither is.

    The sound decides, but words that nobody ends with are believed whatever it says: of sentences
    with a pause inside, `benchmarks/stt/turns.py`, that cuts a fifth less and ends none later.
    A question or an exclamation that hangs in the air is `unsure`: it waits half as long.
    """
    words = None if text is None else judge_words(text)
    if probability is None:
        return words
    if words is Verdict.INCOMPLETE:
        return words
    sound = judge_sound(probability)
    if words is Verdict.COMPLETE and sound is Verdict.INCOMPLETE:
        return Verdict.UNSURE
    return sound
