"""How many answers a model writes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_trainer.slots import Slots

if TYPE_CHECKING:
    from voicemesh_trainer.settings import TrainerSettings

__all__ = ("slots_of",)


def slots_of(settings: TrainerSettings, count: int) -> Slots:
    """So many slots, with the bounds on those who wait for one."""
    limits = settings.limits
    return Slots(count, max_waiting=limits.waiting, max_wait_s=limits.wait_s)
