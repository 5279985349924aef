"""The record of each turn: where its milliseconds went and what came of it.

- `turns`: the record. `recorder`: makes it from what happens in a conversation.
- `metrics`: records for Prometheus.
- `lines`, `event_log`: all that happens as JSON lines, for `voicemesh replay`.
- `sessions`: gives each session its observer.
"""

from voicemesh_bot.record.turns import Speculation, TurnRecord

__all__ = ("Speculation", "TurnRecord")
