"""What has to happen from time to time without anybody asking: apps register it here, and the
run thread, or Celery beat, calls it.

Each is a function that looks into the rows for what is due and is safe to call twice at once.
"""

import logging
from collections.abc import Callable
from time import monotonic

logger = logging.getLogger(__name__)

SECONDS = 10.0

_due: list[Callable[[], None]] = []
_last = float("-inf")


def regularly(function: Callable[[], None]) -> Callable[[], None]:
    """Decorates a function that is called every ten seconds or so."""
    _due.append(function)
    return function


def tick(*, at_once: bool = False) -> None:
    """Calls all of them, if the last time is long enough ago. One that fails stops no other."""
    global _last
    if not at_once and monotonic() - _last < SECONDS:
        return
    _last = monotonic()
    for function in _due:
        try:
            function()
        except Exception:  # noqa: BLE001 the worker goes on, and tries it again the next time
            logger.exception("%s failed", function.__qualname__)
