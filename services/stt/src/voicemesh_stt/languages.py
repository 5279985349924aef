"""BCP-47 codes, and which of a model's languages they mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from voicemesh_stt.errors import LanguageError

if TYPE_CHECKING:
    from voicemesh_stt.domain import SpeechModel

__all__ = ("known_language",)

_CODE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_LONGEST = 35
"""Characters of a code that must be understood (RFC 5646 section 4.4.1)."""
_ALIASES = {"cmn": "zh", "fil": "tl", "in": "id", "iw": "he", "ji": "yi", "nb": "no"}
"""Primary subtags that models know by another code."""


def known_language(code: str, model: SpeechModel, *, field: str) -> str:
    """The model's code of a language; script and region are ignored.

    Raises:
        LanguageError: naming `field`, if it is no code, or the model does not know it.
    """
    if len(code) > _LONGEST or not _CODE.fullmatch(code):
        msg = f"{field} must be a BCP-47 code such as 'en' or 'pt-BR'"
        raise LanguageError(msg, field=field)
    primary = code.split("-")[0].lower()
    primary = _ALIASES.get(primary, primary)
    if primary not in model.language_codes:
        known = model.language_codes
        which = f"only {known[0]!r}" if len(known) == 1 else f"{len(known)} others"
        msg = f"{field}: model {model.name} does not know {code!r}; it knows {which}"
        raise LanguageError(msg, field=field)
    return primary
