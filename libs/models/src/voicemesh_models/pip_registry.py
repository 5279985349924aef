"""The Python package registry, asked through the user's own `pip`.

pip knows the index, the mirrors, find-links, proxy and certificates that this machine is meant to
use; nothing here names a registry. pip only resolves: a dry run with a report gives each wheel's
address and hash without fetching it, and `transfer` fetches it with resume, which pip has not
across processes. Where an index wants credentials, which pip keeps out of its report, `download`
lets pip fetch after all. Nothing is installed and no code of a wheel runs.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicemesh_models.errors import FetchError
from voicemesh_models.ports import Download, Network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ("PipRegistry",)

_RESOLVE_DEADLINE_S = 300.0
_DOWNLOAD_DEADLINE_S = 3600.0
_CONFIG_DEADLINE_S = 60.0
# Wheels are only read, so neither this Python's version nor an enclosing system Python matters.
_ONLY_THESE = ("--no-deps", "--only-binary", ":all:", "--ignore-requires-python", "--no-input")
# An index without separate metadata files would make pip fetch whole wheels to resolve them. With
# range requests it reads only their ends. A pip that lacks this feature is asked again without.
_LAZY = ("--use-feature", "fast-deps")
# What a user set for installing packages does not apply, because nothing is installed; what pip
# says is read here; and offline must be said in seconds (`transfer` has retries of its own).
_SETTINGS = {
    "PIP_CONSTRAINT": "",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_QUIET": "0",
    "PIP_REQUIRE_HASHES": "0",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_RETRIES": "2",
    "PIP_USER": "0",
    "PIP_VERBOSE": "0",
}
# Where pip looks for an option, the strongest first; it lists them in another order.
_SECTIONS = (":env:", "install", "download", "global")
_UNREACHABLE = (
    "NewConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "NameResolutionError",
    "Failed to establish a new connection",
    "Failed to resolve",
    "ProxyError",
    "Could not fetch URL",
    "Max retries exceeded",
    "connection broken",
    "ConnectionResetError",
    "Connection refused",
)


class PipRegistry:
    """Resolves pinned wheels by running `python -m pip`. Safe to use from several threads."""

    def resolve(self, requirements: Sequence[str]) -> Mapping[str, Download]:
        """Return where the wheel of each `name==version` lies, in one run of pip."""
        wanted = list(dict.fromkeys(requirements))
        with tempfile.TemporaryDirectory(prefix="voicemesh-pip-") as directory:
            report = Path(directory) / "report.json"
            arguments = ["install", "--dry-run", "--ignore-installed", "--report", str(report)]
            _pip([*arguments, *_ONLY_THESE], wanted, _RESOLVE_DEADLINE_S)
            installs = json.loads(report.read_text(encoding="utf-8"))["install"]
        found = {_normal(item["metadata"]["name"]): _located(item) for item in installs}
        if absent := [each for each in wanted if _normal(each) not in found]:
            raise FetchError(f"pip did not say where {', '.join(absent)} lies")
        return {each: found[_normal(each)] for each in wanted}

    def network(self) -> Network:
        """Return the certificate and proxy that pip's configuration sets, if pip can be asked."""
        try:
            lines = _run(["config", "list"], _CONFIG_DEADLINE_S).stdout.splitlines()
        except (OSError, subprocess.TimeoutExpired):
            # Only a refinement: without it the usual environment variables still hold.
            return Network()
        values: dict[str, str] = {}
        for line in lines:
            key, _, literal = line.partition("=")
            values[key] = _unquoted(literal)
        return Network(cert=_effective(values, "cert"), proxy=_effective(values, "proxy"))

    def download(self, requirement: str, directory: Path) -> Path:
        """Let pip fetch one wheel into an empty `directory` and return its path."""
        _pip(
            ["download", "--dest", str(directory), *_ONLY_THESE],
            [requirement],
            _DOWNLOAD_DEADLINE_S,
        )
        wheels = sorted(directory.glob("*.whl"))
        if not wheels:
            raise FetchError(f"pip fetched no wheel for {requirement}")
        return wheels[0]


def _effective(values: Mapping[str, str], option: str) -> str | None:
    found = (values.get(f"{section}.{option}") for section in _SECTIONS)
    return next((value for value in found if value), None)


def _unquoted(literal: str) -> str:
    try:
        return str(ast.literal_eval(literal))
    except (SyntaxError, ValueError):
        # pip prints Python literals today; should that change, the text itself is the value.
        return literal


def _located(item: Mapping[str, Any]) -> Download:
    info = item["download_info"]
    hashes = info.get("archive_info", {}).get("hashes", {})
    return Download(url=info["url"], sha256=hashes.get("sha256"))


def _pip(arguments: list[str], requirements: list[str], deadline_s: float) -> None:
    what = ", ".join(requirements)
    try:
        done = _run([*arguments, *_LAZY, "--", *requirements], deadline_s)
        if done.returncode == 2 and "fast-deps" in done.stderr:
            done = _run([*arguments, "--", *requirements], deadline_s)
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"pip did not answer for {what} within {deadline_s:.0f} s") from error
    except OSError as error:
        raise FetchError(f"pip cannot be run ({error})") from error
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise FetchError(f"this Python ({sys.executable}) has no pip")
    if any(sign in done.stderr for sign in _UNREACHABLE):
        raise FetchError(f"the package registry cannot be reached for {what} (offline?)")
    if "No matching distribution" in done.stderr:
        raise FetchError(f"the package registry that pip is configured for does not have {what}")
    raise FetchError(f"pip failed for {what}: {_last_error(done.stderr)}")


def _run(arguments: list[str], deadline_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter, arguments from a checked catalogue
        [sys.executable, "-m", "pip", *arguments],
        env=os.environ | _SETTINGS,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=deadline_s,
        check=False,
    )


def _normal(requirement: str) -> str:
    """The package's name alone, in the one spelling that all its spellings share."""
    return re.sub(r"[-_.]+", "-", requirement.partition("==")[0]).lower()


def _last_error(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["no reason given"])[-1][:300]
