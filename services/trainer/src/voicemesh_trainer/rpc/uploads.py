"""The messages of an upload in their one allowed order: config, then content."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_trainer.datasets.errors import UploadTimeoutError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from voicemesh.trainer.v1 import dataset_service_pb2 as pb

__all__ = ("config_of", "content_of")

_MOST_BYTES = 1 << 20


async def config_of(
    incoming: AsyncIterator[pb.ImportDatasetRequest], silence_s: float
) -> pb.ImportDatasetConfig:
    """The config that must come first.

    Raises:
        InvalidArgumentError: if something else did, or nothing.
        UploadTimeoutError: if it did not come for `silence_s` seconds.
    """
    try:
        async with asyncio.timeout(silence_s) as silence:
            first = await anext(incoming, None)
    except TimeoutError as error:
        if not silence.expired():
            raise
        msg = f"no config came for {silence_s:g} s; nothing was imported"
        raise UploadTimeoutError(msg) from error
    payload = first.WhichOneof("payload") if first is not None else None
    if first is None or payload != "config":
        msg = f"the first message must have config, not {payload or 'nothing'}"
        raise InvalidArgumentError(msg, field="config")
    return first.config


async def content_of(incoming: AsyncIterator[pb.ImportDatasetRequest]) -> AsyncGenerator[bytes]:
    """The bytes of the file, as they come after the config.

    Raises:
        InvalidArgumentError: names the field of a message that does not fit.
    """
    async for request in incoming:
        match request.WhichOneof("payload"):
            case "content":
                size = len(request.content)
                if size > _MOST_BYTES:
                    msg = f"content has {size} bytes; send pieces of at most {_MOST_BYTES}"
                    raise InvalidArgumentError(msg, field="content")
                yield request.content
            case "config":
                msg = "config was sent already; an upload has one"
                raise InvalidArgumentError(msg, field="config")
            case _:
                msg = "the message carries nothing"
                raise InvalidArgumentError(msg, field="payload")
