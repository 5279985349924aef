"""What is in memory, by whom it is in use, and what must go: models, voices and the like.

- `shelf`: loads on demand, lends to calls, unloads what is idle.
- `life`: what is loaded and what goes (pure).
- `threads`: blocking work that may hang, in threads that nothing waits for.

A service puts its own words and numbers around it: which names there are, its errors, its metrics.
"""

from voicemesh_chassis.shelf.life import ShelfLimits
from voicemesh_chassis.shelf.shelf import (
    HangingError,
    NoRoomError,
    NotLoadedError,
    Shelf,
    ShelfObserver,
    StillLoadingError,
)

__all__ = (
    "HangingError",
    "NoRoomError",
    "NotLoadedError",
    "Shelf",
    "ShelfLimits",
    "ShelfObserver",
    "StillLoadingError",
)
