"""Log lines as they leave the process, in both forms, ours and those of libraries."""

from __future__ import annotations

import json
import logging
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.http_exceptions import BadStatusLine

from voicemesh_chassis.logs import configure_logging, get_logger
from voicemesh_chassis.requests import bind_request_id, reset_request_id
from voicemesh_chassis.settings import LogSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.unit


class Stderr:
    """What was written to standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def text(self) -> str:
        return self._capsys.readouterr().err

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Stderr]:
    """Standard error; logging is as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Stderr(capsys)
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_json_line_has_time_level_logger_service_and_request(stderr: Stderr) -> None:
    configure_logging(LogSettings(format="json"), "stt")
    token = bind_request_id("the-request")

    get_logger("voicemesh_stt.engine").info("model loaded", seconds=1.5)
    reset_request_id(token)

    (line,) = stderr.lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "model loaded",
        "level": "info",
        "logger": "voicemesh_stt.engine",
        "service": "stt",
        "request_id": "the-request",
        "seconds": 1.5,
    }


def test_libraries_are_heard_from_warning_on_and_redacted(stderr: Stderr) -> None:
    configure_logging(LogSettings(format="json"), "stt")
    library = logging.getLogger("some_library")

    library.info("fetching %s", "something")
    library.warning("sent %s", "Bearer abcdef123456", extra={"transcript": "hello"})

    (line,) = stderr.lines()
    assert (line["logger"], line["level"]) == ("some_library", "warning")
    assert line["event"] == "sent [redacted]"
    assert line["transcript"] == "[redacted]"
    assert line["service"] == "stt"


def test_a_strangers_broken_request_is_not_quoted(stderr: Stderr) -> None:
    configure_logging(LogSettings(format="json"), "bot")
    server = logging.getLogger("aiohttp.server")

    for error in (BadStatusLine("what the stranger sent"), RuntimeError("our own fault")):
        try:
            raise error
        except Exception as caught:
            server.error("Error handling request", exc_info=caught)

    (line,) = stderr.lines()
    assert "our own fault" in line["exception"]


def test_at_debug_libraries_are_heard_too(stderr: Stderr) -> None:
    configure_logging(LogSettings(format="json", level="debug"), "stt")

    logging.getLogger("some_library").debug("a detail")

    assert [line["event"] for line in stderr.lines()] == ["a detail"]


def test_lines_below_the_level_are_not_written(stderr: Stderr) -> None:
    configure_logging(LogSettings(format="json", level="warning"), "stt")
    logger = get_logger("voicemesh_stt")

    logger.info("fine")
    logger.warning("not fine")

    assert [line["event"] for line in stderr.lines()] == ["not fine"]


def test_an_exception_is_one_line_with_its_traceback_and_without_credentials(
    stderr: Stderr,
) -> None:
    configure_logging(LogSettings(format="json"), "stt")
    try:
        msg = "refused Bearer abcdef123456"
        raise ValueError(msg)
    except ValueError as error:
        get_logger("voicemesh_stt").error("it failed", exc_info=error)

    (line,) = stderr.lines()
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: refused [redacted]")


def test_the_console_form_is_for_people(stderr: Stderr) -> None:
    configure_logging(LogSettings(format="console"), "stt")

    get_logger("voicemesh_stt").info("model loaded", text="hello", seconds=2)

    text = stderr.text()
    assert "model loaded" in text
    assert "seconds=2" in text
    assert "hello" not in text


def test_warnings_go_to_the_log(stderr: Stderr) -> None:
    configure_logging(LogSettings(format="json"), "stt")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old call", stacklevel=1)

    assert [line["logger"] for line in stderr.lines()] == ["py.warnings"]


def test_configuring_twice_does_not_write_twice(stderr: Stderr) -> None:
    configure_logging(LogSettings(format="json"), "stt")
    configure_logging(LogSettings(format="json"), "stt")

    get_logger("voicemesh_stt").info("once")

    assert len(stderr.lines()) == 1
