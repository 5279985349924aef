"""The models that tenants trained: which there are, which answers, and which are in memory.

- `names`: what a new model is called (pure).
- `rules`: what may be promoted, and what a roll-back returns to (pure).
- `registry`: lists, promotes, rolls back and deletes.
- `shelf`: adapters in memory, loaded on demand.
"""
