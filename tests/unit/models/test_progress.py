"""What a person sees of a pull: lines in a pipe, bars on a terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from voicemesh_models import Model, Progress, load_catalogue
from voicemesh_models.progress import console_progress, megabytes

pytestmark = pytest.mark.unit


@pytest.fixture
def gemma() -> Model:
    return load_catalogue().get("gemma-3-270m")


def _pull(progress: Progress, model: Model, held_bytes: int = 0) -> None:
    progress.stage(model, "asking where its files are")
    progress.started(model, 1_000_000, held_bytes)
    for _ in range((1_000_000 - held_bytes) // 20_000):
        progress.advanced(model, 20_000)
    progress.stage(model, "unpacking and verifying")
    progress.finished(model, Path("/models/gemma-3-270m"))


def test_lines_show_the_licence_and_every_tenth(gemma: Model) -> None:
    output = io.StringIO()

    with console_progress(Console(file=output, width=40)) as progress:
        _pull(progress, gemma)

    lines = output.getvalue().splitlines()
    assert lines[0] == "gemma-3-270m: asking where its files are"
    assert "licence: Gemma Terms of Use" in lines[1]
    assert any("Gemma Prohibited Use Policy" in line for line in lines)
    assert [line for line in lines if line.endswith("%")] == [
        f"gemma-3-270m: {percent} %" for percent in range(10, 101, 10)
    ]
    assert lines[-1] == "gemma-3-270m: ready in /models/gemma-3-270m"


def test_lines_tell_what_an_earlier_pull_left(gemma: Model) -> None:
    output = io.StringIO()

    with console_progress(Console(file=output)) as progress:
        _pull(progress, gemma, held_bytes=500_000)

    assert "fetching 1.0 MB (0.5 MB are here already)" in output.getvalue()
    assert "gemma-3-270m: 40 %" not in output.getvalue()
    assert "gemma-3-270m: 100 %" in output.getvalue()


def test_unknown_size_prints_no_percentages(gemma: Model) -> None:
    output = io.StringIO()

    with console_progress(Console(file=output)) as progress:
        progress.started(gemma, 0, 0)
        progress.advanced(gemma, 10)

    assert "%" not in output.getvalue()


def test_bars_show_the_licence_and_end_full(gemma: Model) -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=120)

    with console_progress(console) as progress:
        _pull(progress, gemma)

    assert "Gemma Prohibited Use Policy" in output.getvalue()
    assert "gemma-3-270m: ready" in output.getvalue()


def test_sizes_are_in_megabytes() -> None:
    assert megabytes(75_537_502) == "75.5 MB"
