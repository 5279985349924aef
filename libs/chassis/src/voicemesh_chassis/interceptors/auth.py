"""Lets in callers who know one of the tokens."""

from __future__ import annotations

import hmac
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import UnauthenticatedError
from voicemesh_chassis.interceptors.call import HEALTH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from pydantic import SecretStr

    from voicemesh_chassis.interceptors.call import Call

__all__ = ("Auth",)

_BEARER = "bearer "


class Auth:
    """Asks for `authorization: Bearer TOKEN` or `x-api-key: TOKEN` if there are tokens.

    Health stays open, since probes carry no token. Reflection does not: it describes the API.
    """

    def __init__(self, tokens: Iterable[SecretStr]) -> None:
        self._tokens = tuple(token.get_secret_value().encode() for token in tokens)

    @asynccontextmanager
    async def __call__(self, call: Call) -> AsyncIterator[None]:
        """Around one call."""
        if self._tokens and call.method.service != HEALTH:
            self._check(call)
        yield

    def _check(self, call: Call) -> None:
        offered = _offered(call)
        if offered is None:
            msg = "the call carries no token; send `authorization: Bearer TOKEN` or `x-api-key`"
            raise UnauthenticatedError(msg)
        # Every token is compared, in constant time each, so that timing tells nothing.
        matches = [hmac.compare_digest(offered, token) for token in self._tokens]
        if not any(matches):
            msg = "the token is not one that this service knows"
            raise UnauthenticatedError(msg)


def _offered(call: Call) -> bytes | None:
    authorization = call.metadata.get("authorization", "")
    if authorization[: len(_BEARER)].lower() == _BEARER:
        return authorization[len(_BEARER) :].strip().encode()
    api_key = call.metadata.get("x-api-key")
    return None if api_key is None else api_key.encode()
