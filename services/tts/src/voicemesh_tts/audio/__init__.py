"""From an engine's samples to the bytes a caller wants.

`shaping` (edges, gain) → `resampling` → `raw`, `containers` or `opus` (encoding), strung together
by `chain`, which keeps the encoder's state from clause to clause. `tempo` is for engines that
cannot speak faster themselves; `pool` has the threads.
"""
