"""`manage.py start`: what `make run` does once the packages are there."""

import os
import re
import signal
import socket
import time
import urllib.request

import pytest

from labelhub.management.commands.start import NOT_FETCHED
from tests.services.processes import Process, free_port, manage, wait_until
from tests.services.web import WITHOUT_PROXY

pytestmark = pytest.mark.service

RUNS = "LabelHub runs on"


class Installation:
    """A data folder of its own, two free ports, and `start` as often as asked for."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port, self.model_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: value for name, value in os.environ.items() if "LABELHUB" not in name}
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        self.env = kept | {
            "LABELHUB_DATA_DIR": str(self.data),
            "LABELHUB_PORT": str(self.port),
            "LABELHUB_MODEL_SERVER_PORT": str(self.model_port),
            "LABELHUB_MODEL_PROCESSES": "1",
        }
        self.starts = 0

    def start(self, *options: str) -> Process:
        self.starts += 1
        log = self.folder / f"start-{self.starts}.log"
        return Process(manage("start", *options), log=log, env=self.env)

    def start_and_wait(self, *options: str) -> Process:
        process = self.start(*options)
        process.wait_until(lambda: RUNS in process.printed(), seconds=90, what="It starts")
        return process


@pytest.fixture
def installation(tmp_path):
    return Installation(tmp_path)


def session_of(pid: int) -> set[int]:
    """The process and its descendants, from /proc."""
    children: dict[int, set[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as about:
                    parent = int(about.read().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, set()).add(int(entry))
    found, waiting = set(), [pid]
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting += children.get(one, ())
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if os.path.exists(f"/proc/{pid}")}


def end(process: Process, number: int = signal.SIGINT) -> int:
    process.popen.send_signal(number)
    return process.popen.wait(15)


def test_the_first_start_sets_up_and_the_second_changes_nothing(installation):
    first = installation.start_and_wait("--no-model", "--no-sample")
    first.wait_until(lambda: "/welcome/" in first.printed(), seconds=5, what="The link is shown")
    [link] = re.findall(r"http\S+/welcome/\S+", first.printed())
    with WITHOUT_PROXY.open(link, timeout=20) as answer:
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert end(first) == 0
    manifest = (installation.data / "static" / "staticfiles.json").stat().st_mtime_ns
    database = (installation.data / "labelhub.sqlite3").stat().st_size

    started = time.monotonic()
    second = installation.start_and_wait("--no-model", "--no-sample")
    took = time.monotonic() - started
    assert end(second) == 0

    assert took < 30
    assert "ready" not in second.printed()
    assert (installation.data / "static" / "staticfiles.json").stat().st_mtime_ns == manifest
    assert (installation.data / "labelhub.sqlite3").stat().st_size == database


def test_it_stops_with_all_of_its_processes_and_answers_from_both_ports(installation):
    models = installation.data / "models"
    models.mkdir(parents=True)
    (models / NOT_FETCHED).touch()
    process = installation.start_and_wait("--no-sample")
    for url in (f"{installation.url}/healthz/", f"http://127.0.0.1:{installation.model_port}/"):
        wait_until(lambda url=url: answers(url), seconds=30, what=f"{url} answers")
    family = session_of(process.popen.pid)

    assert len(family) >= 3
    assert end(process, signal.SIGTERM) == 0

    wait_until(lambda: not alive(family), seconds=5, what="All processes are gone")
    assert process.printed().count("manage.py fetch_model") == 1


def answers(url: str) -> bool:
    try:
        with WITHOUT_PROXY.open(url, timeout=5) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@pytest.mark.parametrize(
    ("attribute", "setting"),
    [("port", "LABELHUB_PORT"), ("model_port", "LABELHUB_MODEL_SERVER_PORT")],
)
def test_a_port_in_use_is_one_line_that_names_the_setting(installation, attribute, setting):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", getattr(installation, attribute)))
        taken.listen()

        process = installation.start()
        code = process.popen.wait(60)

    assert code == 1
    [line] = process.printed().splitlines()
    assert str(getattr(installation, attribute)) in line
    assert f"{setting}=" in line
    assert not (installation.data / "labelhub.sqlite3").exists()


def test_a_wrong_setting_is_named(installation):
    installation.env["LABELHUB_MAX_IMAGE_MB"] = "plenty"

    process = installation.start()

    assert process.popen.wait(60) != 0
    assert "LABELHUB_MAX_IMAGE_MB='plenty'" in process.printed().splitlines()[-1]
