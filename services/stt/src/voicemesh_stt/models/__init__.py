"""The models in memory: which they are, who holds them, and which must go.

- `shelf`: the speech models, loaded on demand and lent to calls.
- `stream_models`: the small models that streams use, whatever their speech model.
"""
