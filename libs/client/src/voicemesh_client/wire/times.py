"""Points in time."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from google.protobuf.message import Message

__all__ = ("time_from_wire",)


def time_from_wire(message: Message, field: str) -> datetime | None:
    """The time in a field of a message, in UTC; None if it is unset."""
    if not message.HasField(field):
        return None
    time: datetime = getattr(message, field).ToDatetime(tzinfo=UTC)
    return time
