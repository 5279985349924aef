"""Parts a dataset in two at random, but always the same for the same seed.

What belongs together, the examples of one prompt, has one key, and so one place in the order of
hashes by which the first part is told from the second.
"""

from __future__ import annotations

import asyncio
import hashlib
from array import array
from typing import TYPE_CHECKING

from voicemesh_trainer.datasets.errors import DatasetTooSmallError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voicemesh_trainer.domain.datasets import Dataset, DatasetLimits, SplitRequest
    from voicemesh_trainer.ports.datasets import DatasetCatalogue, ExampleStore

__all__ = ("border_between", "place_of", "split")

_LONGEST_NAME = 100


async def split(
    catalogue: DatasetCatalogue,
    examples: ExampleStore,
    request: SplitRequest,
    limits: DatasetLimits,
) -> tuple[Dataset, Dataset]:
    """Copies a dataset's examples into two new ones.

    Raises:
        DatasetTooSmallError: if it has fewer than two prompts.
        ServiceError: what `ExampleStore.split` raises.
    """
    dataset = await catalogue.find(request.tenant, request.dataset_id)
    places = array("Q")
    async for keys in examples.keys(request.tenant, request.dataset_id):
        places.extend(await asyncio.to_thread(_places, request.seed, keys))
    border = await asyncio.to_thread(border_between, places, request.first_share)
    if border is None:
        msg = "the dataset has fewer than two prompts, which is too little to part it"
        raise DatasetTooSmallError(msg)
    names = (
        request.first_name or _name(dataset.name, " (1)"),
        request.second_name or _name(dataset.name, " (2)"),
    )
    return await examples.split(
        request.tenant,
        request.dataset_id,
        names,
        lambda key: place_of(request.seed, key) < border,
        limits,
    )


def place_of(seed: int, key: str) -> int:
    """Where a key stands in the random order of a seed: 64 bits."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8])


def border_between(places: Iterable[int], first_share: float) -> int | None:
    """The place from which on examples go to the second part.

    Args:
        places: of each example.
        first_share: share of the first part, which is met as nearly as keeping together what has
            one place allows; both parts have something.

    Returns:
        None if all have one place.
    """
    ordered = sorted(places)
    starts = [at for at in range(1, len(ordered)) if ordered[at] != ordered[at - 1]]
    if not starts:
        return None
    wanted = len(ordered) * first_share
    return ordered[min(starts, key=lambda at: abs(at - wanted))]


def _places(seed: int, keys: Iterable[str]) -> array[int]:
    return array("Q", (place_of(seed, key) for key in keys))


def _name(name: str, ending: str) -> str:
    return name[: _LONGEST_NAME - len(ending)].rstrip() + ending
