"""The genders that the speakers of published Piper voices sound like; their files do not say."""

from __future__ import annotations

import re

from voicemesh_tts.domain import Gender

__all__ = ("gender_of",)

_FEMALE = """
alba amy anna berta cori eva_k gosia huayan irina jenny_dioco jessica kathleen kerstin kristin
lada lessac lili lisette ljspeech marylux maya meera nathalie natia padmavathi paola poppy
priyamvada prudence ramona rapunzelina salka siwis ugla upc_ona f
"""
_MALE = """
aivars alan amir arjun artur bryce cadu carlfm chitwan danny darkman davefx denis dmitri
faber fahrettin fettah ganji gilles gwryw_gogleddol gyro harri imre jeff jirka joe john kareem
karlsson kusal mc_speech mihai norman obadiah pavoque pierre pim pratham rdh reza_ibrahim
riccardo rohan ronnie ruslan ryan spike steinn thorsten tom tugão upc_pau venkatesh m
"""
_WOMEN, _MEN = frozenset(_FEMALE.split()), frozenset(_MALE.split())


def gender_of(speaker: str) -> Gender:
    """The gender of a speaker by the name that a voice's file or config gives them."""
    name = speaker.lower()
    words = frozenset(re.split(r"[_\W]+", name))
    if name in _WOMEN or "female" in words:
        return Gender.FEMALE
    return Gender.MALE if name in _MEN or "male" in words else Gender.UNKNOWN
