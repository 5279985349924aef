"""Live streams: from what a caller sends, as it is spoken, to the events of its turns.

- `stream`: one stream, and what all of them share; it puts together what follows.
- `items`, `patience`: what a caller sends, and how long to wait for more of it.
- `hearing`, `packets`: from that to frames with voice probabilities; lost packets filled in.
- `audio`: what is kept of the frames for a turn.
- `turns`: when a turn begins, pauses, goes on and is over (pure), with `soft_stop` (how soon a
  silence counts), `end_of_turn` and `sound` (whether the speaker has finished).
- `words`: the words of one turn, with `prefix` (what is settled) and `agreement` (what is stable).
- `outbox`: the events on their way to the caller.
"""
