"""The log: lines for people, or an object a line; never a whole phone number, not even in a traceback."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

import msgspec
from aiohttp.http_exceptions import HttpProcessingError

from bot.settings.operation import Log
from channels.masking import mask_phones
from escalation.calendar import local
from escalation.inputs import Entry

TRAIL = "fenghuo.trail"
_trail = logging.getLogger(TRAIL)
_KEPT = ("event", "source", "channel", "clock", "result", "tries")
"""What a line says of a journal row beside its ids; the rest, and what people wrote, is the journal's own."""


class Rows:
    """Journal rows that were committed together: one record, a line each."""

    __slots__ = ("entries",)

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries

    def fields(self) -> Iterator[dict[str, Any]]:
        """Each row's reason and ids: one incident's or notice's id leads from its event to its receipt."""
        for entry in self.entries:
            found: dict[str, Any] = {
                "reason": entry.reason,
                "incident": entry.incident,
                "notice": entry.notice,
                "actor": entry.actor,
            }
            found |= {name: entry.detail[name] for name in _KEPT if name in entry.detail}
            yield {name: value for name, value in found.items() if value not in ("", None)}

    def __str__(self) -> str:
        return "\n".join(" ".join(f"{name}={value}" for name, value in each.items()) for each in self.fields())


def trail(entries: Sequence[Entry]) -> None:
    """Write a line for each of these rows, which are on disk now."""
    if entries and _trail.isEnabledFor(logging.INFO):
        _trail.info(Rows(entries))


class Plain(logging.Formatter):
    """``time LEVEL logger message``, a traceback below it where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        head = f"{_time(record)} {record.levelname} {record.name} "
        if isinstance(record.msg, Rows):
            text = "\n".join(head + line for line in str(record.msg).split("\n"))
        else:
            text = "\n".join(filter(None, (head + record.getMessage(), _trouble(self, record))))
        return mask_phones(text)


class Json(logging.Formatter):
    """One object a line: ``at``, ``level``, ``logger``, and ``message`` (and ``traceback``), or a journal row's ids."""

    def format(self, record: logging.LogRecord) -> str:
        head = {"at": _time(record), "level": record.levelname, "logger": record.name}
        if isinstance(record.msg, Rows):
            return "\n".join(_line(head | fields) for fields in record.msg.fields())
        body = head | {"message": record.getMessage()}
        trouble = _trouble(self, record)
        return _line(body | {"traceback": trouble} if trouble else body)


def _line(fields: dict[str, Any]) -> str:
    masked = {name: mask_phones(value) if isinstance(value, str) else value for name, value in fields.items()}
    return msgspec.json.encode(masked).decode()


def _time(record: logging.LogRecord) -> str:
    return local(int(record.created * 1000)).isoformat(timespec="milliseconds")


def _trouble(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""


def _no_http(record: logging.LogRecord) -> bool:
    """Whoever speaks no proper HTTP to the port makes a line: it is no fault of the hub."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        why = (error.message.strip().splitlines() or ["?"])[0].rstrip(":")
        record.msg, record.args = "%s: no HTTP that can be read: %s", (record.getMessage(), why[:120])
        record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
    return True


def configure(table: Log) -> None:
    """Log to standard error as the table says; called again, as the new one says."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if table.format == "json" else Plain())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(table.level.upper())
    server = logging.getLogger("aiohttp.server")
    server.filters[:] = [_no_http]
    logging.getLogger("apscheduler").setLevel(max(logging.WARNING, root.level))
    _trail.setLevel(logging.NOTSET if table.trail else logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _last_words


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("fenghuo").critical("the hub ends by an error", exc_info=(kind, error, trace))
