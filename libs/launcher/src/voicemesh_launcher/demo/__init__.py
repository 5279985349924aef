"""One spoken turn, end to end: a recorded question in, a spoken answer out, and its timing.

- `command`: `voicemesh-demo`.
- `recording`: the question. `dialogue`: the turn, over gRPC with the SDK.
- `timeline`: what happened when. `report`, `chart`: the same for people.
- `words`: how far two texts are apart.
"""
