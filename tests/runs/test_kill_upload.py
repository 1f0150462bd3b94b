"""SIGKILL of the web process while files come in: an upload goes on where it was, and the import
of an archive ends as if nothing had happened."""

import json
import os
import signal
import socket
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import pytest

from datasets import unfinished, uploads
from datasets.sources import UploadSource
from jobs import counters, services
from jobs.models import Job, Mode
from runs.models import ChunkState, RunState
from tests import make
from tests.services.processes import free_port
from tests.services.web import WITHOUT_PROXY, Web

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]

PART = 2_000_000
PICTURES = 2_000


@pytest.fixture
def job(alice) -> Job:
    return services.create_job(name="Pets", mode=Mode.MULTI, source=UploadSource(), by=alice)


@pytest.fixture
def web(tmp_path):
    web = Web(log=tmp_path / "log", model_server_port=free_port())
    web.start()
    yield web
    web.kill()


class Person:
    """Somebody with a script: a session and the token that goes with it."""

    def __init__(self, user, web: Web, job: Job) -> None:
        session = make.client(user).cookies["sessionid"].value
        self.web = web
        self.address = f"/api/jobs/{job.pk}/"
        self.headers = {
            "Cookie": f"sessionid={session}; csrftoken={'t' * 32}",
            "X-CSRFToken": "t" * 32,
            "Content-Type": "application/octet-stream",
        }

    def ask(self, method: str, address: str, body: bytes = b"") -> dict:
        request = urllib.request.Request(
            f"{self.web.url}{self.address}{address}",
            data=body if method != "GET" else None,
            headers=self.headers,
            method=method,
        )
        with WITHOUT_PROXY.open(request, timeout=60) as answer:
            return json.load(answer)

    def begin(self, address: str, *, length: int, sent: bytes) -> socket.socket:
        """A PUT whose body never ends: the connection stays open."""
        head = [f"PUT {self.address}{address} HTTP/1.1", f"Host: 127.0.0.1:{self.web.port}"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        head += [f"Content-Length: {length}", "", ""]
        connection = socket.create_connection(("127.0.0.1", self.web.port), timeout=30)
        connection.sendall("\r\n".join(head).encode() + sent)
        return connection


def file_address(path: str, size: int, **more: int) -> str:
    return "uploads/?" + urlencode({"path": path, "size": size, "modified": 1, **more})


def test_an_upload_goes_on_after_the_kill_where_it_was(alice, job, web):
    person = Person(alice, web, job)
    content = os.urandom(PART * 2 + 12_345)
    size = len(content)
    first = person.ask("PUT", file_address("a.jpg", size, offset=0), content[:PART])
    assert first["offset"] == PART
    half = content[PART : PART + PART // 2]
    with person.begin(file_address("a.jpg", size, offset=PART), length=PART, sent=half):
        web.kill()
    # What is left when the kill meets it while it writes the part down.
    (part,) = unfinished._all_parts().rglob("*.part")
    with part.open("ab") as file:
        file.write(content[PART : PART + 777])

    web.start()
    assert person.ask("GET", file_address("a.jpg", size))["offset"] == PART + 777
    second = person.ask("PUT", file_address("a.jpg", size, offset=PART), content[PART : 2 * PART])
    last = person.ask("PUT", file_address("a.jpg", size, offset=2 * PART), content[2 * PART :])

    assert (second["offset"], last["outcome"]) == (2 * PART, "stored")
    assert (make.folder_of(job) / "a.jpg").read_bytes() == content
    assert not list(unfinished._all_parts().rglob("*.part"))


def zip_of_pictures(path: Path) -> bytes:
    """Each picture is another one, so that none can stand for another."""
    make.jpeg(path.parent / "one.jpg", size=(16, 12))
    picture = (path.parent / "one.jpg").read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(PICTURES):
            archive.writestr(f"part-{number % 7}/{number:05d}.jpg", picture + b"%05d" % number)
    return path.read_bytes()


def test_the_import_of_an_archive_survives_the_kill(alice, job, web, tmp_path):
    person = Person(alice, web, job)
    content = zip_of_pictures(tmp_path / "pets.zip")
    person.ask("PUT", file_address("pets.zip", len(content), offset=0), content)
    folder = make.folder_of(job)
    services.synchronize(job.dataset, job=job, by=alice)
    run = job.runs.get()

    def unpacked() -> int:
        return sum(1 for _path in folder.rglob("*.jpg"))

    def is_in_the_middle() -> bool:
        """Then the process stays stopped, so that the kill finds it there."""
        os.kill(web.process.popen.pid, signal.SIGSTOP)
        if 0 < unpacked() < PICTURES:
            return True
        os.kill(web.process.popen.pid, signal.SIGCONT)
        return False

    def is_over() -> bool:
        run.refresh_from_db()
        return run.is_over

    web.process.wait_until(is_in_the_middle, seconds=60, what="The first pictures are unpacked")
    web.kill()
    assert 0 < unpacked() < PICTURES
    assert run.chunks.get().state == ChunkState.LEASED
    assert len(uploads.waiting_archives(job.dataset)) == 1

    web.start()
    web.process.wait_until(is_over, seconds=180, what="The import goes on")

    assert (run.state, run.total, run.counts) == (RunState.DONE, PICTURES, {"added": PICTURES})
    assert run.problems.count() == 0
    assert counters.read(job) == {"state:unlabeled": PICTURES}
    for number in range(PICTURES):
        path = folder / f"part-{number % 7}" / f"{number:05d}.jpg"
        assert path.read_bytes().endswith(b"%05d" % number)
    assert job.samples.count() == unpacked() == PICTURES
    assert uploads.waiting_archives(job.dataset) == []
