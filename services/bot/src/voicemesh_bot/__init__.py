"""The bot: where people meet the services, in a browser or on Discord.

- `conversation` is the heart: a pure state machine of events in and commands out, with `hearing`
  (who speaks), `reply` (one answer), `playback` (what was heard), `history`, `timeline` and
  `condition` (how the backends fare).
- `domain`, `events`, `commands`, `problems`: the values that go in and come out.
- `session` sets a conversation in motion with `listening`, `answering` and `feeds`.
- `ports` says what the bot needs; `clients/` has it over gRPC; `watch` sees it come and go,
  `journal` writes it to the log.
- `console/` is the web page, `discord_front/` is Discord: the two fronts.
- `bot` puts it together, `settings` and `metrics` are what they say, `__main__` starts it.
"""

from __future__ import annotations
