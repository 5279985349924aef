"""What the tests of whole programs share."""

from __future__ import annotations

import re
from collections.abc import Callable

import jiwer
import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin where discordsim is on the path and not installed."""
    if not config.pluginmanager.has_plugin("discordsim.pytest_plugin"):
        config.pluginmanager.import_plugin("discordsim.pytest_plugin")


@pytest.fixture(scope="session")
def word_error_rate() -> Callable[[str, str], float]:
    """Share of words wrong, without regard to case and marks."""

    def plain(text: str) -> str:
        return " ".join(re.sub(r"[^\w\s']", " ", text.lower()).split())

    return lambda said, heard: float(jiwer.wer(plain(said), plain(heard)))
