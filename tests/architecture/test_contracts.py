"""The generated code is fresh, and the check on breaking changes can fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it printed."""
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_generated_code_is_what_the_protos_say() -> None:
    result = run(sys.executable, "tools/generate_protos.py", "--check")

    assert result.returncode == 0, result.stderr


def test_a_removed_field_breaks_the_contract_of_a_release(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("buf.yaml", "protos", "third_party", "tools"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, clone / name)
    identity = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org"}
    identity |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org"}
    for command in ("init -q", "add .", "commit -qm release", "tag v0.1.0"):
        subprocess.run(["git", *command.split()], cwd=clone, check=True, env=os.environ | identity)

    unchanged = run(sys.executable, "tools/check_breaking.py", cwd=clone)
    audio = clone / "protos" / "voicemesh" / "common" / "v1" / "audio.proto"
    kept = audio.read_text(encoding="utf-8").replace("int32 channel_count = 3;", "")
    audio.write_text(kept, encoding="utf-8")
    broken = run(sys.executable, "tools/check_breaking.py", cwd=clone)

    assert unchanged.returncode == 0, unchanged.stderr
    assert broken.returncode != 0
    assert "channel_count" in broken.stdout
