"""From an engine's samples to the bytes a caller wants.

`edges` (silence cut, fades, the voice's gain) → `pitch` → `resampling` → `shaping` (volume, soft
limit) → `raw`, `containers` or `opus` (encoding). `chain` strings all but the first together and
keeps the encoder's state from clause to clause. `levels` gives each voice its gain, by its
`loudness`; `tempo` is for the pitch and for engines that cannot speak faster themselves; `pool` has
the threads.
"""
