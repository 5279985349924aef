"""The request id that ties the log lines of all services for one call together.

The server sets it around each call, `logs` puts it on each line and `channel` passes it on.
"""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextvars import Token

__all__ = (
    "REQUEST_ID_KEY",
    "accepted_request_id",
    "bind_request_id",
    "current_request_id",
    "new_request_id",
    "reset_request_id",
)

REQUEST_ID_KEY = "x-request-id"
"""The metadata key, in both directions."""

# A caller's id lands in logs, so it must not be able to forge lines or flood them.
_ACCEPTED = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")

_request_id: ContextVar[str | None] = ContextVar("voicemesh_request_id", default=None)


def current_request_id() -> str | None:
    """The id of the call being served, or None outside of one."""
    return _request_id.get()


def new_request_id() -> str:
    """A fresh id, 32 hexadecimal digits."""
    return uuid.uuid4().hex


def accepted_request_id(offered: str | None) -> str:
    """The caller's id if it is one short printable word, else a fresh one."""
    return offered if offered is not None and _ACCEPTED.fullmatch(offered) else new_request_id()


def bind_request_id(request_id: str) -> Token[str | None]:
    """Makes `request_id` current in this context; hand the token to `reset_request_id`."""
    return _request_id.set(request_id)


def reset_request_id(token: Token[str | None]) -> None:
    """Restores the id that was current before the `bind_request_id` that gave `token`."""
    _request_id.reset(token)
