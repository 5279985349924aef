"""What stands between callers and a model provider that may fail.

- `circuit`: whether a provider that failed may be asked (pure).
- `rate`: how long a provider asks to be left alone (pure).
- `guarded`: a model behind a circuit.
- `fallback`: a model, and another one that stands in for it.
"""
