"""Variables that look like settings but that nothing here reads.

The services refuse what they do not know under their own prefixes; a misspelt prefix reaches none
of them.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from voicemesh_client.cli.variables import command_variables
from voicemesh_launcher.programs import PROGRAM_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("unknown_variables",)

_OURS = "VOICEMESH_"
_PREFIXES = tuple(f"{_OURS}{name.upper()}_" for name in PROGRAM_NAMES)


def unknown_variables(environ: Iterable[str]) -> list[str]:
    """A sentence for each variable that is named like a setting and is none.

    Args:
        environ: names of variables.
    """
    known = command_variables()
    strangers = (
        name
        for name in environ
        if name.startswith(_OURS) and not name.startswith(_PREFIXES) and name not in known
    )
    return [f"{name} is not a setting and is ignored: {_meant(name, known)}"
            for name in sorted(strangers)]  # fmt: skip


def _meant(name: str, known: Iterable[str]) -> str:
    # Under each service's prefix too, whose settings only the service itself knows.
    _, _, rest = name.removeprefix(_OURS).partition("_")
    candidates = {*known, *(prefix + rest for prefix in _PREFIXES if rest)}
    # Without what all have in common: it would make any two names look alike.
    short = {candidate.removeprefix(_OURS): candidate for candidate in sorted(candidates)}
    near = difflib.get_close_matches(name.removeprefix(_OURS), short, n=1, cutoff=0.7)
    return f"did you mean {short[near[0]]}?" if near else "remove it from the environment."
