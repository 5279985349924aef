"""A guild's voice: what is heard of its members, and what they hear of the bot.

Nothing here imports discord or davey; `discord_front` connects it with them.

What members say comes in by `receive`. What the bot says:

- `player`: which packet is sent next, of answers and announcements, and how much was sent. Pure.
- `ducking`: makes packets softer without a click; `celt` looks into packets for it.
- `loudspeaker`: carries packets and progress between the event loop and the thread that sends.
- `announcer`, `clips`: what is said beside answers, and the sentences that are said often.
"""
