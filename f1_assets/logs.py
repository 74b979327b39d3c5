"""Logs: lines to read, or JSON for a collector, each with the session, dataset and run that it is about."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from f1_assets.escaping import visible, visible_json

_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about", default={})  # noqa: B039 (never changed in place)


@contextlib.contextmanager
def about(session: object = None, dataset: str | None = None, run: str | None = None) -> Iterator[None]:
    """Yield what the lines that are logged in a block are about; what is None stays as it was."""
    given = {"session": session, "dataset": dataset, "run": run}
    token = _ABOUT.set({**_ABOUT.get(), **{name: str(value) for name, value in given.items() if value is not None}})
    try:
        yield
    finally:
        _ABOUT.reset(token)


class TextLines(logging.Formatter):
    """Lines to read: a message is one line, and nothing in it controls the terminal."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Write the message."""
        return visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: ANN401
        """Write the traceback, on as many lines as it has."""
        return visible(super().formatException(ei), lines=True)


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and session, dataset and run where known."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_ABOUT.get(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return visible_json(json.dumps(line, ensure_ascii=False, default=str))


def set_up_logs(log_format: str, debug: bool = False) -> None:
    """Send this process's logs to standard error.

    Parameters
    ----------
    log_format
        ``text``: warnings, to be read. ``json``: also what is done, for a collector.
    debug
        Whether to log everything.
    """
    handler = logging.StreamHandler(sys.stderr)
    is_json = log_format == "json"
    handler.setFormatter(JsonLines() if is_json else TextLines())
    for other in logging.getLogger("fastf1").handlers:
        # FastF1 writes by itself, and repeats what upstream sent.
        other.setFormatter(handler.formatter)
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("f1_assets").setLevel(logging.DEBUG if debug else logging.INFO if is_json else logging.NOTSET)
    # What the terminal shows of an import, the command prints by itself.
    logging.getLogger("f1_assets.importing").setLevel(logging.NOTSET if is_json or debug else logging.ERROR)
