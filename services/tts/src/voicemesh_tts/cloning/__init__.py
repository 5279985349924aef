"""Cloned voices: the recording (`decoding`, `recording`), what is kept (`store`), who makes them.

The recording itself is never kept, only what the engine worked out of it.
"""
