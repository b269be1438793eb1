"""JSON logs: one object a line, with the ids of the request, the job and the institution, and no personal data.

Field values are trusted only under the technical names in PLAIN; every other text goes through `scrub`, and fields
whose name says that they hold something about a person are never written.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from usance.config import log_ship

Entry = MutableMapping[str, Any]

PLAIN = frozenset(
    {"timestamp", "level", "logger", "request_id", "job_id", "institution_id", "task", "view", "method", "process"}
)
PERSONAL = re.compile(
    r"(^|_)(name|surname|patronymic|phone|email|mail|address|birth|born|passport|identity|tax_?number|card|pan|cvv|iban|"
    r"account_number|code|otp|password|token|secret|key|cookie|authorization|body|payload|query|params|answers?)(_|$)",
    re.IGNORECASE,
)
_DATABASE_DETAIL = re.compile(r"(DETAIL|CONTEXT):.*?(?=\n[A-Z]+:|\Z)|\(([\w, ]+)\)=\((.*?)\)", re.DOTALL)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_MOMENT = r"\d{4}-\d{2}-\d{2}"
_DIGITS = re.compile(rf"(?<![\w-])(?!{_MOMENT})\+?(?:\d[ ().-]{{0,2}}){{9,}}(?![\w-])")
_TOKEN_IN_URL = re.compile(r"([?&][\w-]+=)[^&\s\"']+")


def scrub(text: str) -> str:
    """The text without e-mail addresses, phone, card or identity numbers, query values, and database row contents."""
    text = _DATABASE_DETAIL.sub("[row]", text)
    text = _MAIL.sub("[mail]", text)
    text = _TOKEN_IN_URL.sub(r"\1[value]", text)
    return _DIGITS.sub("[number]", text)


def redact(_logger: Any, _method: str, entry: Entry) -> Entry:
    """The processor that keeps personal data out; the last one before the entry is written."""
    for key, value in list(entry.items()):
        if key in PLAIN:
            continue
        if PERSONAL.search(key):
            entry[key] = "[personal]"
        else:
            entry[key] = _cleaned(value)
    return entry


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {k: "[personal]" if PERSONAL.search(str(k)) else _cleaned(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(v) for v in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return scrub(str(value))


def add_institution(_logger: Any, _method: str, entry: Entry) -> Entry:
    """The institution that the code is bound to, if any."""
    tenancy = sys.modules.get("usance.apps.institutions.tenancy")  # absent while the settings are being read
    if tenancy is not None and tenancy.is_bound():
        entry.setdefault("institution_id", str(tenancy.current_id()))
    return entry


def add_process(_logger: Any, _method: str, entry: Entry) -> Entry:
    entry["process"] = os.environ.get("USANCE_PROCESS", "usance")
    return entry


def _handlers() -> list[logging.Handler]:
    """Standard error, and the collector when there is one."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    collector = os.environ.get("USANCE_LOG_COLLECTOR", "")
    if collector:
        handlers.append(log_ship.Shipper(collector, authority=os.environ.get("USANCE_LOG_COLLECTOR_CA", "")))
    return handlers


def configure() -> None:
    """Send everything that is logged, by structlog or by the standard library, to standard error as JSON, and to a
    collector elsewhere when USANCE_LOG_COLLECTOR names one."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_process,
        add_institution,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    root = logging.getLogger()
    root.handlers = _handlers()
    for handler in root.handlers:
        handler.setFormatter(formatter)
    root.setLevel(os.environ.get("USANCE_LOG_LEVEL", "INFO").upper())
    for chatty in ("httpx", "httpcore", "fontTools", "asyncio", "granian.access", "pyhanko", "procrastinate"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("django.server").setLevel(logging.ERROR)
