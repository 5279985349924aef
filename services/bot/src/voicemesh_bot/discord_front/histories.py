"""What was said in each channel, as far back as an answer needs.

Pure and bounded: old turns of a channel go first, and the channel that has been silent for longest
goes when there are too many. Nothing here is written to disk.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicemesh_bot.domain import HistoryTurn

__all__ = ("Histories",)


class Histories:
    """Recent turns by channel id."""

    def __init__(self, *, turns_per_channel: int, channels: int) -> None:
        """Keep at most `turns_per_channel` turns of at most `channels` channels."""
        self._turns_per_channel = turns_per_channel
        self._channels = channels
        self._turns: OrderedDict[int, deque[HistoryTurn]] = OrderedDict()

    def turns(self, channel_id: int) -> tuple[HistoryTurn, ...]:
        """Return what was said in a channel, oldest first."""
        return tuple(self._turns.get(channel_id, ()))

    def add(self, channel_id: int, *turns: HistoryTurn) -> None:
        """Append turns to a channel's history."""
        kept = self._turns.setdefault(channel_id, deque(maxlen=self._turns_per_channel))
        kept.extend(turns)
        self._turns.move_to_end(channel_id)
        while len(self._turns) > self._channels:
            self._turns.popitem(last=False)

    def forget(self, channel_id: int) -> None:
        """Drop a channel's history."""
        self._turns.pop(channel_id, None)
