"""Signals: what one request did, and how log lines are written."""

import logging
import re
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from app.core.clock import wall_seconds


@dataclass
class RequestStats:
    """Counters of the work behind one request or job; its log line tells them."""

    db_queries: int = 0
    db_seconds: float = 0.0
    redis_calls: int = 0
    redis_seconds: float = 0.0
    degraded: bool = False

    def query(self, seconds: float) -> None:
        self.db_queries += 1
        self.db_seconds += seconds

    def redis(self, seconds: float) -> None:
        self.redis_calls += 1
        self.redis_seconds += seconds


_ROW_DATA = re.compile(r"^(LINE \d+: [^\n]*|DETAIL: [\s\S]*?(?=\n\n|\Z))", re.MULTILINE)
_NOT_PRINTED = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}
_stats: ContextVar[RequestStats | None] = ContextVar("request_stats", default=None)
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request, or of the one that caused the job, that runs now."""


def request_stats() -> RequestStats:
    stats = _stats.get()
    if stats is None:
        stats = RequestStats()
        _stats.set(stats)
    return stats


def start_request(identifier: str | None) -> RequestStats:
    """Begin the bookkeeping of a request or job."""
    request_id.set(identifier)
    stats = RequestStats()
    _stats.set(stats)
    return stats


def _with_request_id(_logger: Any, _method: str, event: Any) -> Any:
    identifier = request_id.get()
    if identifier and "request_id" not in event:
        event["request_id"] = identifier
    return event


def _without_row_data(_logger: Any, _method: str, event: Any) -> Any:
    """PostgreSQL quotes the statement with its values, or a whole row, below what it says; a log must not (SEC-57)."""
    if "exception" in event:
        event["exception"] = _ROW_DATA.sub("", event["exception"])
    return event


def _to_json(value: Any, **_options: Any) -> str:
    # orjson escapes the control characters of ASCII, so no input can begin a second log line (SEC-58); the others, and
    # what some readers take for line ends, are escaped here.
    text = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    return text if text.isascii() else text.translate(_NOT_PRINTED)


def configure_logging(level: str) -> None:
    """One JSON object a line on standard output, from our code and from libraries alike."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _with_request_id,
        structlog.processors.format_exc_info,
        _without_row_data,
        structlog.processors.UnicodeDecoder(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for chatty in ("procrastinate", "flask-limiter", "alembic"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


class Rendered(str):
    """A line that is written already."""

    __slots__ = ()


class _Formatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return record.msg if type(record.msg) is Rendered else super().format(record)


class PlainLog:
    """Writes what ``log`` writes, for the line that every request has: of plain values, so that it needs no processors.

    Args:
        name: of the logger.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, event: str, **values: Any) -> None:
        if not self._logger.isEnabledFor(logging.INFO):
            return
        now = datetime.fromtimestamp(wall_seconds(), UTC).isoformat().replace("+00:00", "Z")
        values.update(event=event, level="info", time=now, request_id=request_id.get())
        line = Rendered(_to_json(values))
        self._logger.handle(self._logger.makeRecord(self._logger.name, logging.INFO, "", 0, line, (), None))


def log(name: str) -> Any:
    """A structured logger; its events are short snake_case words, the rest are keys."""
    return structlog.stdlib.get_logger(name)
