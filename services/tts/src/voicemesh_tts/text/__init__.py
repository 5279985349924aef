"""Text: cut into clauses as it is written, and read as words that can be said. Pure.

`ClausePlanner` cuts, `words_of` reads one clause, `ssml.plan_ssml` does both for a document.
"""

from voicemesh_tts.text.clauses import ClauseLimits, ClausePlanner, plan
from voicemesh_tts.text.pronunciations import Pronunciation, Pronunciations
from voicemesh_tts.text.reading import prepare
from voicemesh_tts.text.words import words_of

__all__ = (
    "ClauseLimits",
    "ClausePlanner",
    "Pronunciation",
    "Pronunciations",
    "plan",
    "prepare",
    "words_of",
)
