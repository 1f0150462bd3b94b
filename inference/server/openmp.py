"""Paddle needs GNU OpenMP (libgomp.so.1), which a bare Debian lacks.

It brings Intel's library, which has the same entry points and serves under that name. The loader
reads its search path when a program starts, so it has to be in the environment before a prediction
process is spawned; it is not needed in the front, which never loads Paddle.
"""

import ctypes
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

GNU_OPENMP = "libgomp.so.1"
INTEL_OPENMP = "libs/libiomp5.so"  # in the package paddle
SEARCH_PATH = "LD_LIBRARY_PATH"


@contextmanager
def found_by_children() -> Iterator[None]:
    """As long as this lasts, processes that are spawned find the library."""
    intel = _intel_openmp()
    if _is_installed() or intel is None:
        yield
        return
    before = os.environ.get(SEARCH_PATH)
    with tempfile.TemporaryDirectory(prefix="labelhub-openmp-") as folder:
        (Path(folder) / GNU_OPENMP).symlink_to(intel)
        os.environ[SEARCH_PATH] = os.pathsep.join(filter(None, [folder, before]))
        try:
            yield
        finally:
            os.environ[SEARCH_PATH] = before or ""


def _is_installed() -> bool:
    try:
        ctypes.CDLL(GNU_OPENMP)
    except OSError:
        return False
    return True


def _intel_openmp() -> Path | None:
    """Without importing the package."""
    package = find_spec("paddle")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / INTEL_OPENMP
    return path if path.is_file() else None
