"""How long to wait for more, judged by the words at a soft stop alone.

A recogniser's punctuation is weak evidence: Whisper closes almost anything with a full stop. So a
full stop is `unsure`; only a question or exclamation mark is taken for an end, and only a sign that
nobody ends with (a comma, an ellipsis, a word such as "and") for an unfinished sentence.
"""

from __future__ import annotations

import re

from voicemesh_stt.turns import Verdict

__all__ = ("judge_words",)

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
