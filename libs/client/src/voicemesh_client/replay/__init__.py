"""Turns of conversations with the bot, read from its event log and drawn.

- `log`: the log's sessions and turns. `bars`: what is drawn of a turn, in seconds.
- `chart`: the drawing; needs the extra `charts`. `percentiles`: all turns of a log in numbers.

`docs/event-log.md` describes the log.
"""

from voicemesh_client.replay.log import EventLogError, LoggedTurn, read_turns

__all__ = ("EventLogError", "LoggedTurn", "read_turns")
