"""Datasets by the names that people gave them."""

from __future__ import annotations

import re
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from voicemesh_client.errors import NotFoundError

if TYPE_CHECKING:
    from voicemesh_client.datasets import Datasets

__all__ = ("DatasetArgument", "id_of")

_ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
"""A ULID, as the service makes them."""

DatasetArgument = Annotated[str, typer.Argument(help="Dataset: its name, or its id.")]


async def id_of(datasets: Datasets, dataset: str, tenant: str) -> str:
    """The id of a dataset that is named, or is its id already.

    Raises:
        NotFoundError: if the tenant has none of that name.
    """
    if _ID.fullmatch(dataset):
        return dataset
    async with aclosing(datasets.list(tenant=tenant, include_archived=True)) as found:
        async for each in found:
            if each.name == dataset:
                return each.id
    msg = f"there is no dataset {dataset!r}; see voicemesh datasets list"
    raise NotFoundError(msg)
