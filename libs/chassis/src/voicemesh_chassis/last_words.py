"""The one sentence with which a service ends that cannot go on.

Plain text for people; an event like the rest of the log where that is JSON, so that a collector
can read every line.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.variables import prefix_of

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

__all__ = ("tell_reason", "wants_json")

_logger = get_logger(__name__)


def tell_reason(sentence: str, *, as_json: bool) -> None:
    """Puts the sentence on standard error.

    Args:
        sentence: what is wrong, where, and how to mend it.
        as_json: whether it goes through the log, which must have been configured.
    """
    if as_json:
        _logger.error("the service cannot start", reason=sentence)
    else:
        print(sentence, file=sys.stderr)  # noqa: T201 - for the person at the terminal


def wants_json(cls: type[BaseSettings]) -> bool:
    """Whether the environment asks for JSON logs, for when the settings cannot be had."""
    prefix = prefix_of(cls)
    given = {name.upper(): value for name, value in os.environ.items()}
    form = given.get(f"{prefix}LOG__FORMAT")
    if not form:  # an empty variable is an unset one
        try:
            group = json.loads(given.get(f"{prefix}LOG", ""))
        except ValueError:  # not set, or broken, which is told in another place
            return False
        form = group.get("format") if isinstance(group, dict) else None
    return form == "json"
