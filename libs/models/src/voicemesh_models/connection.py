"""The HTTP client that fetches model files, trusting what this machine and its pip trust."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import certifi
import httpx

from voicemesh_models.errors import FetchError

if TYPE_CHECKING:
    from voicemesh_models.ports import Network

__all__ = ("open_client",)

# A read this long without a byte is a stalled connection: it is dropped and resumed.
_STALL_S = 30.0
_CONNECT_S = 15.0


def open_client(network: Network) -> httpx.Client:
    """Return a client for `network`; the caller closes it.

    Raises:
        FetchError: If the configured certificate bundle cannot be read.
    """
    # The system's store may carry a company's own authority; certifi serves systems without one.
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(certifi.where())
        if network.cert:
            context.load_verify_locations(network.cert)
    except OSError as error:
        raise FetchError(f"the certificates that pip names cannot be read ({error})") from error
    return httpx.Client(
        verify=context,
        proxy=network.proxy,
        follow_redirects=True,
        timeout=httpx.Timeout(_STALL_S, connect=_CONNECT_S),
        # Range requests count the bytes as stored, so nothing may be compressed on the way.
        headers={"accept-encoding": "identity", "user-agent": "voicemesh-models"},
    )
