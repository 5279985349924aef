"""What the person at the terminal reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicemesh_launcher.actions import Action, AllReady, Died, Ready, Stopped, Stopping, TooSlow
from voicemesh_launcher.announcements import Announcements
from voicemesh_launcher.programs import read_programs

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("notice", "line"),
    [
        (Ready("stt", 1.24, again=False), "stt      127.0.0.1:50051       ready in 1.2 s"),
        (Ready("stt", 1.24, again=True), "stt      127.0.0.1:50051       ready again in 1.2 s"),
        (AllReady(), "The console is there."),
        (TooSlow("bot", 120), "bot      not ready after 120 s, killed"),
        (Stopping(), "stopping; Ctrl-C again ends everything at once"),
        (Stopped("tts", killed=False), "tts      stopped"),
        (Stopped("tts", killed=True), "tts      killed"),
    ],
)
def test_each_thing_is_one_line(notice: Action, line: str) -> None:
    lines: list[str] = []
    programs = read_programs({})
    announcements = Announcements(
        programs, Path("/logs"), lines.append, last_line="The console is there."
    )

    announcements.tell(notice, ())

    assert lines == [line]


@pytest.mark.parametrize(
    ("died", "first"),
    [
        (Died("stt", 78, None), "stt      ended with status 78 before everything was ready"),
        (Died("stt", -11, 2.0), "stt      was ended by SIGSEGV; starting it again in 2 s"),
        (Died("stt", -250, 2.0), "stt      was ended by signal 250; starting it again in 2 s"),
    ],
)
def test_a_death_shows_the_last_lines_and_where_the_rest_is(died: Died, first: str) -> None:
    lines: list[str] = []
    announcements = Announcements(read_programs({}), Path("/logs"), lines.append)

    announcements.tell(died, ("loading", "no such model"))

    assert lines == [
        first,
        "  stt | loading",
        "  stt | no such model",
        "  all of its log is in /logs/stt.log",
    ]


def test_complaints_stand_under_the_name_of_the_program() -> None:
    lines: list[str] = []
    Announcements(read_programs({}), Path("/logs"), lines.append).complain("bot", "[error] no")

    assert lines == ["bot      [error] no"]
