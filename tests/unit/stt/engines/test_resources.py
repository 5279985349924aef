"""How a model is spread over a machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

from voicemesh_stt.engines.resources import keep_to_own_threads, prefer_wide_vectors

pytestmark = pytest.mark.unit

VARIABLE = "CT2_FORCE_CPU_ISA"
WIDE = "flags\t\t: fpu avx2 avx512f avx512dq avx512cd avx512bw avx512vl avx512_vnni\n"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set first, so that what a test leaves behind is taken back.
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.delenv(VARIABLE)


def told(tmp_path: Path, cpuinfo: str) -> str | None:
    file = tmp_path / "cpuinfo"
    file.write_text(f"processor\t: 0\n{cpuinfo}bugs\t\t:\n", encoding="ascii")
    prefer_wide_vectors(file)
    return os.environ.get(VARIABLE)


def test_a_processor_with_avx_512_uses_it(tmp_path: Path) -> None:
    assert told(tmp_path, WIDE) == "AVX512"


@pytest.mark.parametrize(
    "cpuinfo",
    ["flags\t\t: fpu avx2\n", WIDE.replace(" avx512vl", ""), "Features\t: fp asimd\n"],
    ids=["without", "half of it", "another architecture"],
)
def test_a_processor_without_it_is_left_alone(tmp_path: Path, cpuinfo: str) -> None:
    assert told(tmp_path, cpuinfo) is None


def test_what_the_operator_chose_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "AVX2")

    assert told(tmp_path, WIDE) == "AVX2"


def test_a_system_that_says_nothing_of_its_processor_is_left_alone(tmp_path: Path) -> None:
    prefer_wide_vectors(tmp_path / "nowhere")

    assert VARIABLE not in os.environ


def test_linear_algebra_keeps_to_the_thread_that_calls_it() -> None:
    keep_to_own_threads()

    assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}
