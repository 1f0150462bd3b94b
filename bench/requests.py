"""Requests as the web process answers them, with all middleware, in this process."""

import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotators.models import User


def settle(folder: Path) -> None:
    """Nothing that is not measured: hashed names of static files need `collectstatic`."""
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    settings.STATIC_ROOT = folder / "static"
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


def signed_in(user_id: int) -> Client:
    client = Client()
    backend = "django.contrib.auth.backends.ModelBackend"
    client.force_login(User.objects.get(pk=user_id), backend=backend)
    return client


def wall() -> float:
    """Seconds of the clock."""
    return time.perf_counter()


def busy() -> float:
    """Seconds that this process and, on this machine, its PostgreSQL connection worked: on a
    machine with other work what the clock of a free one would say, as nothing waits for a disk."""
    spent = time.process_time()
    if connection.vendor == "postgresql":
        backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
        spent += int(backend.read_text().split()[0]) / 1e9
    return spent


def timed(client: Client, address: str, clock: Callable[[], float] = wall):
    """Milliseconds and the answer."""
    began = clock()
    response = client.get(address)
    spent = 1000 * (clock() - began)
    assert response.status_code == 200, response.content[:300]
    return spent, response


def statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        client.get(address)
    return len(seen)
