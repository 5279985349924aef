"""Voice rooms: the bot's stays in voice channels, one for each guild at most.

- `rooms`: all rooms of a login; joins, leaves, and hands on what changes. `steering`: where the bot
  goes by itself.
- `room`: one stay, with all its tasks. `parts`: what all rooms share.
- `roll_call`: who is there and heard, by `attendance` and by `wishes`, what they decided.
- `audience`: what people hear and read of the conversation. `herald`: what is said and written
  beside it, a `greeting` first. `captioning`: captions, on and off. `sign`: what Discord's own
  interface shows. `packet_counts`: what became of packets, to Prometheus.
"""

from __future__ import annotations
