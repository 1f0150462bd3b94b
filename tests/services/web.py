"""The real web process, on a database and a data folder that the test shares with it."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from tests.services.processes import REPOSITORY, Process, free_port, manage

WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def environment(**more: str) -> dict[str, str]:
    """For programs that work on the database and the folders of this test process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LABELHUB_")}
    ours = {
        "LABELHUB_DATABASE_URL": database_url(),
        "LABELHUB_DATA_DIR": str(settings.DATA_DIR),
        "LABELHUB_IMAGE_ROOTS": os.pathsep.join(map(str, settings.IMAGE_ROOTS)),
        "LABELHUB_SECRET_KEY": settings.SECRET_KEY,
        "DJANGO_SETTINGS_MODULE": "tests.live_settings",
        "PYTHONPATH": str(REPOSITORY),
    }
    return kept | ours | more


def database_url() -> str:
    """The address of pytest-django's database, as LABELHUB_DATABASE_URL takes it."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        return f"sqlite:///{database['NAME']}"
    address = f"{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    return f"postgresql://{address}/{database['NAME']}"


def collect_static() -> None:
    command = manage("collectstatic", "--noinput", "--verbosity=0")
    subprocess.run(command, cwd=REPOSITORY, env=environment(), check=True)


class Web:
    """`start`, `stop`, `kill`; its address is `url`."""

    def __init__(self, *, log: Path, model_server_port: int, env: Mapping[str, str] = {}) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.env = environment(
            LABELHUB_PORT=str(self.port), LABELHUB_MODEL_SERVER_PORT=str(model_server_port), **env
        )
        self.process: Process | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "labelhub.asgi:application", "--lifespan=on"]
        command += ["--host=127.0.0.1", f"--port={self.port}", "--ws=websockets-sansio"]
        command += ["--no-access-log", "--log-level=warning", "--timeout-graceful-shutdown=3"]
        self.process = Process(command, log=self.log, env=self.env)
        self.process.wait_until(self.is_healthy, seconds=60, what="The web process answers")

    def is_healthy(self) -> bool:
        try:
            with WITHOUT_PROXY.open(f"{self.url}/healthz/", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> int:
        return self.process.stop()

    def kill(self) -> None:
        self.process.kill()
