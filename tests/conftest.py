"""Fixtures that every test may use, and the rule that every module names its category."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

from voicemesh_models import ModelStore, default_models_dir, load_catalogue

# The same examples on every machine, and no timing on machines that are shared.
hypothesis.settings.register_profile("voicemesh", deadline=None, derandomize=True)
hypothesis.settings.load_profile("voicemesh")

CATEGORIES = {"unit", "contract", "integration", "e2e", "architecture"}
DATA = Path(__file__).parent / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that has not exactly one category, so that none escapes a selection."""
    for item in items:
        found = CATEGORIES & {mark.name for mark in item.iter_markers()}
        if len(found) != 1:
            wanted = ", ".join(sorted(CATEGORIES))
            raise pytest.UsageError(f"{item.nodeid}: needs exactly one marker of: {wanted}")


@pytest.fixture(scope="session")
def speech() -> Path:
    """Directory of recorded human speech with `transcripts.tsv`."""
    return DATA / "speech"


@pytest.fixture(scope="session")
def transcripts(speech: Path) -> dict[str, str]:
    """The words spoken in each recording, by file name."""
    rows = (speech / "transcripts.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return dict(row.split("\t", 1) for row in rows)


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Directory in which `make models` has put the default models.

    Fails, rather than skips, if one is missing: every test on a real engine depends on them.
    """
    root = default_models_dir()
    store = ModelStore(root, load_catalogue())
    for name in ("whisper-tiny.en", "silero-vad", "piper-en_US-joe-medium", "gemma-3-270m"):
        store.require(name)
    return root
