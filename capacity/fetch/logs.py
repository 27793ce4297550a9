"""What of the log lines of other libraries is let through."""

from __future__ import annotations

import logging

from capacity.fetch import endpoint
from capacity.fetch.loop import THREAD_NAME


class _MaskNumbers(logging.Filter):
    """Cut phone numbers out of the log lines of httpx, which name every URL in full."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if "number" in text or "cursor" in text:
            record.msg, record.args = endpoint.mask(text), ()
        return True


class _OursSaysIt(logging.Filter):
    """Drop stamina's warning about a retry of ours, which our own line tells with the window."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.threadName != THREAD_NAME


_MASK = _MaskNumbers()
_OURS = _OursSaysIt()


def mind_the_logs() -> None:
    """Keep phone numbers out of httpx's lines, and retries of ours out of stamina's."""
    # A filter acts on the logger that a record was made by, not on its children: each has to be named.
    for name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy"):
        logging.getLogger(name).addFilter(_MASK)
    logging.getLogger("stamina").addFilter(_OURS)
