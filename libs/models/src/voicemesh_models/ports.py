"""What a pull needs from outside: where the bytes are, and someone to tell about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from voicemesh_models.catalogue import HubFile, Model

__all__ = ("Download", "Hub", "Network", "Progress", "Registry", "SilentProgress")


@dataclass(frozen=True)
class Download:
    """One file to be fetched, and what is known about it beforehand."""

    url: str
    """`https:`, `http:` or `file:` address."""
    size_bytes: int | None = None
    """Exact size, where the source says it."""
    sha256: str | None = None
    """Hash that the source itself claims, lower-case hex."""
    git_blob_sha1: str | None = None
    """Git object id that the source claims, for small files of the hub."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers to send; may hold a token, so never log them."""


@dataclass(frozen=True)
class Network:
    """How this machine reaches the registry, beyond the usual environment variables."""

    cert: str | None = None
    """Path of a certificate bundle to trust."""
    proxy: str | None = None
    """Proxy address for all requests."""


class Registry(Protocol):
    """The Python package registry, as the user's `pip` is configured for it."""

    def resolve(self, requirements: Sequence[str]) -> Mapping[str, Download]:
        """Return where the wheel of each `name==version` lies.

        Raises:
            FetchError: If the registry cannot be reached or has no such wheel.
        """
        ...

    def network(self) -> Network:
        """Return how wheels are to be fetched; falls back on the environment, never raises."""
        ...

    def download(self, requirement: str, directory: Path) -> Path:
        """Fetch one wheel by the registry client itself, with its credentials; not resumable.

        Raises:
            FetchError: If it fails.
        """
        ...


class Hub(Protocol):
    """The model hub."""

    def locate(self, file: HubFile) -> Download:
        """Return where one file lies, with the size and object id that the hub states.

        Raises:
            FetchError: If the hub cannot be reached or has no such file.
        """
        ...


class Progress(Protocol):
    """Is told how a pull goes. Called from the pulling thread only, in the order below.

    Exceptions raised here end the pull.
    """

    def stage(self, model: Model, text: str) -> None:
        """A step begins that has no byte count: waiting, resolving, unpacking."""
        ...

    def started(self, model: Model, total_bytes: int, done_bytes: int) -> None:
        """Fetching begins; `done_bytes` are here already from an earlier, broken pull."""
        ...

    def advanced(self, model: Model, count_bytes: int) -> None:
        """So many bytes more are here; negative when a broken file starts again."""
        ...

    def finished(self, model: Model, directory: Path) -> None:
        """The model is installed and verified, by this pull or by an earlier one."""
        ...


class SilentProgress:
    """A Progress that tells nobody."""

    def stage(self, model: Model, text: str) -> None:
        """Ignore it."""

    def started(self, model: Model, total_bytes: int, done_bytes: int) -> None:
        """Ignore it."""

    def advanced(self, model: Model, count_bytes: int) -> None:
        """Ignore it."""

    def finished(self, model: Model, directory: Path) -> None:
        """Ignore it."""
