"""Structured logs: one line an event, JSON for machines or coloured text for a terminal."""

import logging
import sys
from typing import Any, Literal

from services.core.lean import left_out

# It loads what draws tracebacks, a twentieth of the start. They are written plainly here.
with left_out("rich", "better_exceptions"):
    import structlog

# Libraries that report each request or each poll at INFO.
_QUIET = ("snowflake", "botocore", "urllib3", "httpx", "httpcore", "alembic", "dbos", "asyncio", "watchfiles")


def configure_logging(style: Literal["json", "console"], level: str) -> None:
    """Send the program's own and its libraries' log lines to standard error in one style."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderers: list[Any]
    if style == "json":
        renderers = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        renderers = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    # The durable-work library installs a handler of its own unless one is there.
    library = logging.getLogger("dbos")
    library.handlers[:] = [logging.NullHandler()]
    library.propagate = True


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that takes an event name and fields: ``log.info("operation.started", id=…)``."""
    return structlog.stdlib.get_logger(name)
