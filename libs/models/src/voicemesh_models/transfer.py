"""Fetches one file, going on where an earlier attempt, or an earlier process, broke off.

Bytes are appended to `NAME.part`, which becomes `NAME` once it is complete and its hash, where the
source states one, is right. A connection that breaks or stalls is resumed with a range request;
attempts are only counted against the limit while no byte arrives.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import httpx

from voicemesh_models.digests import blocks, git_blob_sha1, sha256_file
from voicemesh_models.errors import AccessRefusedError, FetchError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from voicemesh_models.ports import Download

__all__ = ("Transfer", "part_of")

_ATTEMPTS = 5
_FIRST_PAUSE_S = 0.5
# 404 among them: some servers deny the existence of what they do not show to everybody.
_REFUSALS = frozenset({401, 403, 404, 407})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


def part_of(target: Path) -> Path:
    """Return where the bytes of an unfinished `target` are kept."""
    return target.with_name(target.name + ".part")


@dataclass(frozen=True)
class Transfer:
    """Fetches files over one HTTP client. One transfer per thread and target."""

    client: httpx.Client
    """Client for `http:` and `https:` addresses; owned by the caller."""
    pause: Callable[[float], None] = time.sleep
    """Waits that many seconds between attempts."""

    def size_bytes(self, download: Download) -> int | None:
        """Return the size of a file before it is fetched, or None where it cannot be told.

        Raises:
            FetchError: If a local file does not exist or the address makes no sense.
        """
        if download.size_bytes is not None:
            return download.size_bytes
        if (local := _local_path(download.url)) is not None:
            with _plain_errors(download.url):
                return local.stat().st_size
        try:
            with _plain_errors(download.url):
                response = self.client.head(download.url, headers=dict(download.headers))
        except (_PassingError, AccessRefusedError):
            # The fetch itself tries more than once, and says more clearly what is wrong.
            return None
        length = response.headers.get("content-length", "")
        return int(length) if response.is_success and length.isdigit() else None

    def fetch(self, download: Download, target: Path, advance: Callable[[int], None]) -> None:
        """Fetch into `target`, telling `advance` of each new byte; a finished target is kept.

        Raises:
            FetchError: If it does not come, after some attempts.
            AccessRefusedError: If the server asks for credentials.
            IntegrityError: If the bytes are not what the source states, twice.
        """
        part = part_of(target)
        # What an earlier process left may be damaged, so after it one fresh start is fair.
        chances = 2 if part.exists() else 1
        while not target.exists():
            self._complete(download, part, advance)
            if _intact(download, part):
                part.replace(target)
                return
            advance(-part.stat().st_size)
            part.unlink()
            chances -= 1
            if not chances:
                raise IntegrityError(f"{_shown(download.url)} is not the file its source states")

    def _complete(self, download: Download, part: Path, advance: Callable[[int], None]) -> None:
        pause_s, attempts = _FIRST_PAUSE_S, 0
        while True:
            before = part.stat().st_size if part.exists() else 0
            try:
                return self._attempt(download, part, advance)
            except _PassingError as error:
                moved = part.exists() and part.stat().st_size > before
                attempts = 1 if moved else attempts + 1
                if attempts >= _ATTEMPTS:
                    raise FetchError(str(error)) from error
            self.pause(pause_s)
            pause_s = _FIRST_PAUSE_S if moved else pause_s * 2

    def _attempt(self, download: Download, part: Path, advance: Callable[[int], None]) -> None:
        if (local := _local_path(download.url)) is not None:
            with _plain_errors(download.url), local.open("rb") as source:
                _append(part, 0, blocks(source), advance)
            return
        done = part.stat().st_size if part.exists() else 0
        if download.size_bytes is not None and done >= download.size_bytes:
            return
        headers = dict(download.headers) | ({"range": f"bytes={done}-"} if done else {})
        with (
            _plain_errors(download.url),
            self.client.stream("GET", download.url, headers=headers) as response,
        ):
            start, total = _accepted(response, done)
            if start is None:
                return
            # Without a chunk size, or bytes that came before a break would be dropped.
            _append(part, start, response.iter_raw(), advance)
        if total is not None and part.stat().st_size < total:
            raise _PassingError(f"{_shown(download.url)} broke off before its end")


class _PassingError(Exception):
    """Something that may go well on another attempt."""


def _accepted(response: httpx.Response, done: int) -> tuple[int | None, int | None]:
    """Return from which byte the body goes on (None: nothing is missing), and the whole size."""
    url, status = _shown(str(response.url)), response.status_code
    length = response.headers.get("content-length", "")
    if status == httpx.codes.OK:
        return 0, int(length) if length.isdigit() else None
    span, _, total = response.headers.get("content-range", "").removeprefix("bytes ").partition("/")
    whole = int(total) if total.isdigit() else None
    if status == httpx.codes.PARTIAL_CONTENT and span.partition("-")[0] == str(done):
        return done, whole
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        # Either nothing is missing or too much is here; the hash will tell which.
        return None, None
    if status in _REFUSALS:
        raise AccessRefusedError(f"{url} answers HTTP {status}")
    if status in _PASSING:
        raise _PassingError(f"{url} answers HTTP {status}")
    raise FetchError(f"{url} answers HTTP {status}")


def _append(
    part: Path, start: int, chunks: Iterator[bytes], advance: Callable[[int], None]
) -> None:
    known = part.stat().st_size if part.exists() else 0
    with part.open("r+b" if known else "wb") as out:
        if known > start:
            # The server sends from an earlier byte than we hold: what we hold is void.
            advance(start - known)
            out.truncate(start)
        out.seek(start)
        for chunk in chunks:
            out.write(chunk)
            advance(len(chunk))


def _intact(download: Download, path: Path) -> bool:
    if download.size_bytes is not None and path.stat().st_size != download.size_bytes:
        return False
    if download.sha256 is not None:
        return sha256_file(path) == download.sha256
    return download.git_blob_sha1 is None or git_blob_sha1(path) == download.git_blob_sha1


@contextmanager
def _plain_errors(url: str) -> Iterator[None]:
    """Turn what httpx and missing local files raise into our errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise FetchError(f"{_shown(url)} does not exist") from error
    except httpx.TransportError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise AccessRefusedError(
                f"{_shown(url)} has a certificate that is not trusted"
            ) from error
        raise _PassingError(
            f"{_shown(url)} cannot be reached ({error or type(error).__name__})"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FetchError(f"{_shown(url)} cannot be fetched ({error})") from error


def _local_path(url: str) -> Path | None:
    split = urlsplit(url)
    return Path(url2pathname(split.path)) if split.scheme == "file" else None


def _shown(url: str) -> str:
    """The address without credentials, query and path: enough to see who failed with what."""
    split = urlsplit(url)
    return f"{unquote(split.path.rpartition('/')[2])} from {split.hostname or 'a local directory'}"
