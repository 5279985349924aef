"""Where a sentence may be cut though no mark divides it: between phrases, not within one.

A voice reads each piece as if it were whole, so "in the | town" sounds wrong and "the tower is
visible | from every street" does not. Words that begin a phrase (conjunctions, prepositions) are
good to cut before; words that lean on the next one (articles, possessives, auxiliaries), numbers
with what they count, and names of several capitalised words are not to be torn.
"""

# ruff: noqa: RUF001 - marks of other languages
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("Joint", "best_joint")

_CONJUNCTION, _PREPOSITION, _A_WORD, _TORN = 3.0, 2.0, 0.2, -10.0
"""What a place is worth: before a conjunction, before a preposition, for each word that the clause
is longer, and where a phrase would be torn."""

_EDGES = "\"'“”‘’«»()[]*_~.,;:!?…"
_CURRENCIES = "$€£¥"
_WITHIN_NAMES = "van von der den de da di del della du la le el al bin ibn"
_PARTICLES = frozenset(_WITHIN_NAMES.split())


@dataclass(frozen=True)
class _Words:
    """Words of a language, in small letters."""

    conjunctions: frozenset[str]
    """They begin a clause or the rest of a list."""

    prepositions: frozenset[str]
    """They begin a phrase, and lean on what follows."""

    leaning: frozenset[str]
    """They belong to what follows."""


def _words(conjunctions: str, prepositions: str, leaning: str) -> _Words:
    return _Words(*(frozenset(words.split()) for words in (conjunctions, prepositions, leaning)))


_NONE = _words("", "", "")
_LANGUAGES = {
    "en": _words(
        "and but or nor because while although though if unless until since whether when where who "
        "which that before after so than whereas",
        "in on at by for from with without into onto over under through during about between among "
        "against across along around behind below beside beyond near towards upon like despite",
        "a an the my your his her its our their this these those each every no some any both all "
        "such i you he she we they of to as not very too quite so more most less is are was were "
        "am be been being has have had do does did will would shall should can could may might "
        "must mr mrs ms dr one two three four five six seven eight nine ten twelve twenty thirty "
        "forty fifty hundred thousand million what how why i'm it's don't didn't can't won't",
    ),
    # Other languages follow.
    "de": _words(
        "und oder aber denn weil dass ob wenn als während obwohl damit sondern bevor nachdem bis "
        "der die das wo wie sowie",
        "in im an am auf aus bei beim mit nach von vom vor zu zum zur über unter durch für gegen "
        "ohne um zwischen hinter neben seit wegen trotz ins ans",
        "ein eine einen einem einer eines dem den des mein meine dein deine sein seine ihr ihre "
        "unser unsere kein keine keinen dieser diese dieses jeder jede jedes ich du er sie es wir "
        "nicht sehr so zu ist sind war waren hat haben hatte wird werden kann will soll muss herr "
        "frau zwei drei vier fünf sechs sieben acht neun zehn hundert tausend",
    ),
    "fr": _words(
        "et ou mais car que qui dont quand lorsque parce si comme puisque où tandis",
        "dans sur sous avec sans pour par chez entre vers depuis pendant avant après contre",
        "le la les l un une des du de d au aux à mon ma mes ton ta tes son sa ses notre nos votre "
        "vos leur leurs ce cet cette ces je tu il elle on nous vous ils elles ne pas très plus est "
        "sont était a ont avait sera m mme deux trois quatre cinq six sept huit neuf dix cent "
        "mille en",
    ),
    "es": _words(
        "y e o u pero sino que porque cuando mientras si aunque como donde quien",
        "en con sin por para sobre bajo entre hacia hasta desde contra según durante ante tras",
        "el la los las un una unos unas de del a al mi mis tu tus su sus nuestro nuestra este esta "
        "estos estas ese esa yo él ella no muy más es son era fue está están ha han había se lo le "
        "me te nos dos tres cuatro cinco seis siete ocho nueve diez cien mil",
    ),
    "it": _words(
        "e ed o ma che perché quando mentre se anche come dove chi",
        "in con su per tra fra da sul sulla nel nella nei nelle dal dalla senza verso durante",
        "il lo la i gli le un uno una di del della dei delle a al alla mio mia tuo tua suo sua "
        "nostro nostra questo questa non molto più è sono era ha hanno aveva si mi ti ci vi due "
        "tre quattro cinque sei sette otto nove dieci cento mille",
    ),
    "pt": _words(
        "e ou mas que porque quando enquanto se embora como onde quem",
        "em no na nos nas com sem por para sobre entre até desde contra durante pelo pela",
        "o a os as um uma uns umas de do da dos das ao à meu minha seu sua nosso nossa este esta "
        "esse essa eu ele ela não muito mais é são era foi está estão tem têm tinha dois duas três "
        "quatro cinco seis sete oito nove dez cem mil",
    ),
    "nl": _words(
        "en of maar want dat omdat als terwijl hoewel toen wanneer zodat die waar",
        "in op aan bij met naar uit voor door over onder tussen tegen zonder om tijdens sinds",
        "de het een van te mijn jouw zijn haar ons onze hun deze dit elke geen ik jij je hij zij "
        "ze wij we niet heel zeer zo meer is was waren heeft hebben had zal wordt kan wil moet "
        "twee drie vier vijf zes zeven acht negen tien honderd duizend",
    ),
    # English again.
}


@dataclass(frozen=True)
class Joint:
    """A blank between two words."""

    place: int
    """Where it is in the text."""

    words: int
    """How many words stand before it."""


def best_joint(text: str, joints: Sequence[Joint], language_code: str) -> tuple[Joint, bool]:
    """The joint to cut at, and whether that tears nothing; of equal ones, the last.

    Args:
        text: what has arrived; the word at its end may be cut short.
        joints: in order, at least one.
        language_code: BCP-47 code of the text's language; empty or unknown ones have numbers and
            names only.
    """
    words = _LANGUAGES.get(language_code.replace("_", "-").partition("-")[0].lower(), _NONE)
    worth, _, joint = max(
        (_worth(text, joint, words) + _A_WORD * joint.words, joint.place, joint) for joint in joints
    )
    return joint, worth > _TORN / 2


def _worth(text: str, joint: Joint, words: _Words) -> float:
    before, behind = text[: joint.place].split(), text[joint.place :].split(maxsplit=1)
    left, right = before[-1], behind[0] if behind else ""
    said, follows = _said(left), _said(right)
    if said in words.leaning or said in words.prepositions or said in words.conjunctions:
        return _TORN
    if _is_name(left, right, first=len(before) == 1) or _is_counted(left, right):
        return _TORN
    if text.endswith(right):
        return 0.0  # it may be only the beginning of a word
    if follows in words.conjunctions:
        return _CONJUNCTION
    return _PREPOSITION if follows in words.prepositions else 0.0


def _said(word: str) -> str:
    return word.strip(_EDGES).replace("’", "'").lower()


def _is_name(left: str, right: str, *, first: bool) -> bool:
    """Whether both words are of one name, "van Gogh", as far as can be seen."""
    left, right = left.strip(_EDGES), right.strip(_EDGES)
    capital, follows = left[:1].isupper() and left != "I", right[:1].isupper() and right != "I"
    if not right or (capital and right in _PARTICLES):
        return capital and not first
    return (capital or left in _PARTICLES) and follows


def _is_counted(left: str, right: str) -> bool:
    """Whether one is a number and the other what it counts or is the number of."""
    return left[-1:].isdigit() or left[-1:] in _CURRENCIES or right[:1].isdigit()
