"""Other ways to ask a question, made by rule. Pure.

A small model that has read a question in one form only answers that form only. The forms need not
be good English: they teach that the rare words of a question carry it, and how it is dressed does
not matter. Words are never replaced by others, except for those that begin questions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

__all__ = ("SMALL_WORDS", "is_english", "paraphrases")

_WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")
_MARKS = "?!.,;:¿¡？！。"

_FRAMES = (
    "Can you tell me {}?",
    "Do you know {}?",
    "I would like to know {}.",
    "Tell me {}.",
    "Please tell me {}.",
    "Could you remind me {}?",
    "I forgot {}.",
    "Hey, do you happen to know {}?",
    "I wonder {}.",
    "Someone asked me {}.",
    "Explain {}.",
    "Any idea {}?",
)
_OPENINGS = (
    "Hey, {}",
    "Hello! {}",
    "Quick question: {}",
    "So, {}",
    "I am new here. {}",
    "One more thing: {}",
    "Um, {}",
    "Please, {}",
)
_KEYWORD_FRAMES = ("{}", "{}?", "What about {}?", "Tell me about {}.", "I mean {}.", "Info on {}")

_STARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("what is", ("what's", "which is", "what do we call", "give me", "name", "what would be")),
    ("what are", ("which are", "name", "give me", "list")),
    ("who is", ("who's", "which person is", "what is the name of", "name")),
    ("who", ("which person", "which one", "what person", "whom do we know who")),
    ("where is", ("in which place is", "where can i find", "where do i find", "what place is")),
    ("where", ("in which place", "at which place", "in what place", "to where")),
    ("when is", ("on what day is", "at what time is", "what is the date of", "what day is")),
    ("when", ("on what day", "at what time", "on which date", "what time")),
    ("how do i", ("how can i", "what must i do to", "how does one", "what is the way to")),
    ("how do you", ("how can you", "how does one", "what is the way to")),
    ("how many", ("what number of", "what is the number of", "how great is the number of")),
    ("how much", ("what amount", "what is the price,", "what sum")),
    ("why", ("for what reason", "what is the reason", "how come")),
    ("which", ("what",)),
    ("what", ("which", "what kind of", "which thing")),
    ("can i", ("may i", "am i allowed to", "is it possible to")),
)
_BE = ("is", "are", "was", "were", "will", "can", "should", "must", "may")
_DO = ("do", "does", "did")
_SMALL_WORDS = (
    "a an the of to in on at for from by with and or is are was were be been do does did can could "
    "will would shall should may might must have has had i you he she it we they me my your our "
    "their his her its this that these those there who whom whose what which when where why how "
    "please tell about"
)
SMALL_WORDS = frozenset(_SMALL_WORDS.split())
"""English words that carry little of a question."""
_LETTERS_FOR_TYPO = 5


def paraphrases(question: str, count: int, chance: random.Random) -> list[str]:
    """Other ways to ask a question, each different; fewer if there are no more.

    Args:
        question: as it was taught; not blank.
        count: how many are wanted.
        chance: decides which; the same state gives the same ones.
    """
    found: dict[str, None] = {}
    makers = _english_makers(question) if is_english(question) else _plain_makers()
    wanted = max(0, count)
    for _attempt in range(6 * wanted):
        if len(found) == wanted:
            break
        made = " ".join(chance.choice(makers)(question.strip(), chance).split())
        if made and made != question.strip():
            found[made] = None
    return list(found)


def _english_makers(question: str) -> list[Callable[[str, random.Random], str]]:
    makers = [_keywords, _keywords, _fewer_words, _started_otherwise, _dressed, *_plain_makers()]
    if _embedded(question):
        makers += [_framed, _framed, _framed]
    return makers


def _plain_makers() -> list[Callable[[str, random.Random], str]]:
    return [_undressed, _mistyped, _fewer_words]


def is_english(question: str) -> bool:
    """Whether at least a fifth of the words are small English ones."""
    words = question.lower().replace("'", " ").split()
    return sum(word.strip(_MARKS) in SMALL_WORDS for word in words) * 5 >= len(words)


def _bare(question: str) -> str:
    return question.strip().rstrip(_MARKS + " ")


def _small_start(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] in " '" else text


def _undressed(question: str, chance: random.Random) -> str:
    """Lower case, without the mark at the end."""
    bare = _bare(question)
    return bare.lower() if chance.random() < 0.7 else bare


def _mistyped(question: str, chance: random.Random) -> str:
    """Two letters of a long word exchanged, or one left out or doubled."""
    words = question.split()
    long = [place for place, word in enumerate(words) if len(word) >= _LETTERS_FOR_TYPO]
    if not long:
        return _undressed(question, chance)
    place = chance.choice(long)
    word = words[place]
    at = chance.randrange(1, len(word) - 2)
    words[place] = chance.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )
    )
    return " ".join(words)


def _fewer_words(question: str, chance: random.Random) -> str:
    """One or two words left out."""
    words = question.split()
    for _word in range(chance.choice((1, 1, 2))):
        if len(words) > 2:
            del words[chance.randrange(len(words))]
    return " ".join(words)


def _keywords(question: str, chance: random.Random) -> str:
    """Only the words that carry it, now and then in another order."""
    words = [word for word in _bare(question).split() if word.lower() not in SMALL_WORDS]
    if not words:
        return _undressed(question, chance)
    if chance.random() < 0.4:
        chance.shuffle(words)
    return chance.choice(_KEYWORD_FRAMES).format(" ".join(words))


def _started_otherwise(question: str, chance: random.Random) -> str:
    """Another beginning for the same question."""
    lower = question.lower()
    for start, others in _STARTS:
        if lower.startswith(f"{start} "):
            made = chance.choice(others) + question[len(start) :]
            return made[:1].upper() + made[1:]
    return _dressed(question, chance)


def _dressed(question: str, chance: random.Random) -> str:
    return chance.choice(_OPENINGS).format(_small_start(question))


def _framed(question: str, chance: random.Random) -> str:
    return chance.choice(_FRAMES).format(_embedded(question))


def _embedded(question: str) -> str:
    """The question as a part of a sentence: "where the vault is"; empty if it has no such form."""
    words = _bare(question).split()
    if len(words) < 3:
        return ""
    first, second = words[0].lower(), words[1].lower()
    if first not in ("who", "what", "where", "when", "why", "how", "which", "whose"):
        return ""
    for place, word in _verbs(words):
        if word in _DO and place <= 3:
            return " ".join([first, *words[1:place], *words[place + 1 :]])
        if word in _BE and place == 1 and first != "who" and len(words) <= 7:
            return " ".join([first, *words[2:], second])
    return " ".join([first, *words[1:]])


def _verbs(words: list[str]) -> Iterator[tuple[int, str]]:
    for place, word in enumerate(words[1:4], start=1):
        if word.lower() in (*_BE, *_DO):
            yield place, word.lower()
