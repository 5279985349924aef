"""pytest: the fixture `discord_sim`, and what happened in it when a test fails.

Loaded by itself where discordsim is installed. The fixture needs pytest-asyncio:
`pip install discordsim[pytest]`.

```python
async def test_the_bot_says_hello(discord_sim):
    guild = discord_sim.add_guild("Workshop")
    ...

@pytest.mark.discord_sim(bot_name="Helper", heartbeat_interval_s=5)  # arguments of Simulator
async def test_something_else(discord_sim): ...
```
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    from discordsim.simulator import Simulator
    from discordsim.transcript import Transcript

__all__ = (
    "discord_sim",
    "pytest_addoption",
    "pytest_configure",
    "pytest_runtest_makereport",
)

_TRANSCRIPTS: pytest.StashKey[list[Transcript]] = pytest.StashKey()
_LINES = "discordsim_lines"
_TITLE = "what happened on the simulated Discord"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting for how much of a transcript is shown."""
    parser.addini(_LINES, "lines of the transcript shown when a test fails", default="200")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", "discord_sim(**arguments): arguments of the Simulator of the fixture discord_sim"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the transcript to the report of a test that failed."""
    report = yield
    if report.failed:
        lines = int(item.config.getini(_LINES))
        for transcript in item.stash.get(_TRANSCRIPTS, []):
            report.sections.append((_TITLE, transcript.render(last=lines)))
    return report


async def _simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """A Discord with one bot account and nobody else, for one test."""
    # Here, so that sessions which do not use the fixture do not load codecs and cryptography.
    from discordsim.simulator import Simulator

    marker = request.node.get_closest_marker("discord_sim")
    arguments: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
    async with Simulator(**arguments) as simulator:
        request.node.stash.setdefault(_TRANSCRIPTS, []).append(simulator.transcript)
        yield simulator


if importlib.util.find_spec("pytest_asyncio") is not None:
    import pytest_asyncio

    discord_sim = pytest_asyncio.fixture(_simulator, name="discord_sim")
else:  # pragma: no cover - environments without pytest-asyncio

    @pytest.fixture
    def discord_sim() -> None:
        """Says what is missing."""
        pytest.fail("discord_sim needs pytest-asyncio: pip install discordsim[pytest]")
