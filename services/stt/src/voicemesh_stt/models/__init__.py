"""The models in memory: which they are, who holds them, and which must go.

- `shelf`: the speech models, loaded on demand and lent to calls.
- `life`: which of them are loaded, and which must go (pure).
- `stream_models`: the small models that streams use, whatever their speech model.
"""
