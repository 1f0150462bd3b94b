"""One at a time, over all processes that share the data folder."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

# So many files serve all names: two that share one wait for each other now and then.
_FILES = 256


@contextmanager
def alone(what: str, name: str) -> Iterator[None]:
    """Waits until nobody else does `what` to the thing of that name.

    By flock, not by a file that must be removed: the lock of a process that is killed is gone
    with it. Who holds one must not ask for another of the same `what`.
    """
    folder = settings.DATA_DIR / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    number = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[0] % _FILES
    with (folder / f"{what}-{number:02x}").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
