"""`voicemesh replay`: from the log to a picture and the numbers."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from voicemesh_client.cli import app
from voicemesh_client.replay import read_turns
from voicemesh_client.replay.percentiles import Stage, stages

pytestmark = pytest.mark.unit


def run(*arguments: str | Path) -> Result:
    """Runs the command."""
    return CliRunner().invoke(app, ["replay", *map(str, arguments)])


def width_and_height(png: Path) -> tuple[int, int]:
    """Of a PNG file, by its first chunk (RFC 2083, section 4.1.1)."""
    head = png.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:])
    return width, height


def two_turns(lines: Any) -> Any:
    """The session, and a second turn that was overheard."""
    record = {**lines[-1], "turn": 2, "outcome": None, "gate_ms": 800.0}
    record |= {"first_frame_sent_ms": None, "llm_ttft_ms": None, "t_s": 120.0}
    return [*lines, record]


def test_the_last_answered_turn_is_drawn_and_the_stages_are_told(
    lines: Any, write_log: Any, tmp_path: Path
) -> None:
    output = tmp_path / "picture without ending"

    result = run(write_log(two_turns(lines)), "--output", output)

    assert result.exit_code == 0, result.output
    assert "speaker 1, turn 1: complete" in result.stdout
    rows = {row[:17].strip(): row[17:].split() for row in result.stdout.splitlines()}
    assert rows["gate"] == ["2", "400", "800"]
    assert rows["first frame sent"] == ["1", "540", "540"]
    assert "tts leading silence" not in rows
    assert width_and_height(output)[0] == 1600


def test_a_turn_may_be_chosen_by_its_number_in_the_list(
    lines: Any, write_log: Any, tmp_path: Path
) -> None:
    log, output = write_log(two_turns(lines)), tmp_path / "turn.png"

    listed = run(log, "--list", "--output", output)
    assert listed.exit_code == 0
    assert not output.exists()
    rows = [row.split() for row in listed.stdout.splitlines()[1:3]]
    assert [(row[0], row[-1]) for row in rows] == [("1", "540"), ("2", "answered")]

    assert "turn 2: not answered" in run(log, "--turn", "2", "-o", output).stdout
    wrong = run(log, "--turn", "3", "-o", output)
    assert wrong.exit_code == 2
    assert wrong.stderr == "error: there are 2 turns; see --list\n"


def test_what_cannot_be_read_or_written_is_told_in_one_sentence(
    lines: Any, write_log: Any, tmp_path: Path
) -> None:
    missing = run(write_log(lines), "-o", tmp_path / "nowhere" / "turn.png")
    assert missing.exit_code == 1
    assert missing.stderr.startswith("error: ")
    assert missing.stderr.count("\n") == 1

    wrong = run(write_log([], tail="hello\nworld\n"))
    assert wrong.exit_code == 1
    assert "line 1 is not one of an event log" in wrong.stderr

    empty = run(write_log(lines[:3]))
    assert empty.exit_code == 1
    assert "no turn has ended in this log" in empty.stderr


def test_without_matplotlib_the_command_says_what_to_install(
    lines: Any, write_log: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    result = run(write_log(lines), "-o", tmp_path / "turn.png")

    assert result.exit_code == 1
    assert "voicemesh-client[charts]" in result.stderr


def test_percentiles_are_values_that_were_measured(lines: Any, write_log: Any) -> None:
    record = lines[-1]
    rows = [{**record, "gate_ms": float(value)} for value in (900, *range(100, 119))]

    found = {stage.name: stage for stage in stages(read_turns(write_log(rows)))}

    assert found["gate"] == Stage("gate", 20, 109.0, 118.0)
    assert "tts_leading_silence" not in found
