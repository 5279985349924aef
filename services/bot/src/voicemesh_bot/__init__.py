"""The bot: where people meet the services, in a browser or on Discord.

- `conversation/` is the heart: a pure state machine of events in and commands out, for a room of
  any number of people.
- `domain`, `problems`: the values that go in and come out. `guilds/`: what guilds and people
  decided; `stores/` keeps it.
- `voice/` is what a voice channel needs: receiving, and playing packet by packet. `transcripts/`:
  captions and files. `record/`: what is measured of each turn.
- `session` sets a conversation in motion with `listening`, `answering` and `feeds`.
- `ports` says what the bot needs; `clients/` has it over gRPC; `watch` sees it come and go,
  `journal` writes it to the log.
- `console/` is the web page, `discord_front/` is Discord: the two fronts.
- `bot` puts it together, `settings` and `metrics` are what they say, `__main__` starts it.
"""

from __future__ import annotations
