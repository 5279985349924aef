"""Structured logs on standard error, for people (`console`) or machines (`json`).

Our own code logs through `get_logger`; libraries log through the standard library. Both end in
one handler, so every line has a time, a level, a logger, the service, the request id of the call
being served, and passes through `redaction`.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp.http_exceptions import HttpProcessingError

from voicemesh_chassis.redaction import redact
from voicemesh_chassis.requests import current_request_id

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from structlog.typing import FilteringBoundLogger, Processor

    from voicemesh_chassis.settings import LogSettings

__all__ = ("configure_logging", "get_logger")

_OWN = "voicemesh"


def _add_request_id(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Any:
    request_id = current_request_id()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


# Shared by our lines and by those of libraries.
_COMMON: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _add_request_id,
)


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger whose methods take a constant event and facts by keyword.

    It writes nothing below WARNING until `configure_logging` has run, as the standard library's.
    """
    logger: FilteringBoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
        processors=[
            structlog.stdlib.filter_by_level,
            *_COMMON,
            structlog.processors.StackInfoRenderer(),
            # Redaction happens here and in the handler: here for handlers that are not ours.
            redact,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
    )
    return logger


def configure_logging(settings: LogSettings, service: str) -> None:
    """Sends all logs of the process to standard error; replaces what was configured before."""

    def add_service(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Any:
        event["service"] = service
        return event

    level = settings.level.upper()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_COMMON, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                add_service,
                *_rendering(settings.format),
            ],
        )
    )
    if level != "DEBUG":
        handler.addFilter(_is_ours_or_serious)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)


def _rendering(form: str) -> list[Processor]:
    # The traceback becomes text before redaction, since it may quote a header.
    as_text = structlog.processors.format_exc_info
    if form == "json":
        return [as_text, redact, structlog.processors.JSONRenderer(default=str)]
    colors = sys.stderr.isatty()
    return [as_text, redact, structlog.dev.ConsoleRenderer(colors=colors)]


def _is_ours_or_serious(record: logging.LogRecord) -> bool:
    # At INFO, libraries log what they fetch and hear; only their complaints are wanted. That some
    # stranger's request is no HTTP is not one, and aiohttp would quote it with a traceback.
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        return False
    return record.levelno >= logging.WARNING or record.name.startswith(_OWN)
