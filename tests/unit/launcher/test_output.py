"""What a child writes is kept, and its complaints are passed on."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicemesh_launcher.output import Output

pytestmark = pytest.mark.unit


def test_everything_is_in_the_file_and_the_end_in_the_tail(tmp_path: Path) -> None:
    with Output(tmp_path / "stt.log", lambda _line: None) as output:
        written = "".join(f"line {number}\n" for number in range(30)).encode()
        for start in range(0, len(written), 7):
            output.feed(written[start : start + 7])

        assert output.tail == tuple(f"line {number}" for number in range(10, 30))
    assert (tmp_path / "stt.log").read_bytes() == written


@pytest.mark.parametrize(
    ("line", "is_complaint"),
    [
        ("2026-01-01 [warning  ] slow [voicemesh_stt] service=stt", True),
        ("2026-01-01 [error    ] broken", True),
        ("2026-01-01 [critical ] gone", True),
        ("2026-01-01 [info     ] serving, no [warning] meant", True),
        ("2026-01-01 [info     ] serving", False),
        ('{"event": "slow", "level": "warning"}', True),
        ('{"event": "serving", "level": "info"}', False),
    ],
)
def test_warnings_and_worse_are_passed_on(tmp_path: Path, line: str, is_complaint: bool) -> None:
    complaints: list[str] = []
    with Output(tmp_path / "stt.log", complaints.append) as output:
        output.feed(line.encode() + b"\n")

    assert complaints == ([line] if is_complaint else [])


def test_a_last_line_without_an_end_is_not_lost(tmp_path: Path) -> None:
    with Output(tmp_path / "stt.log", lambda _line: None) as output:
        output.feed(b"cannot start")
        before = output.tail
        output.end_line()

        assert (before, output.tail) == ((), ("cannot start",))


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    with Output(tmp_path / "stt.log", lambda _line: None) as output:
        for _ in range(100):
            output.feed(b"x" * 1000)

        assert all(len(line) <= 11_000 for line in output.tail)


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    with Output(tmp_path / "stt.log", lambda _line: None) as output:
        output.feed(b"\xff\xfe ok\n")

        assert output.tail[0].endswith("ok")
