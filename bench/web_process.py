"""The web process as a whole: CPU of the first start and memory under load.

    python -m bench.web_process

The first start makes the database and the static files, with no sample and no model. For the
memory, a job of 400 photos is imported and every page, thumbnail and live connection that a person
has is asked for by several at once.
"""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.database import machine
from bench.import_folder import make_images

PHOTOS = 400
AT_ONCE = 16


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="labelhub-bench-") as scratch:
        folder = Path(scratch)
        make_images(folder / "photos", PHOTOS, side=1000)
        print(machine())
        port = free_port()
        env = os.environ | {
            "LABELHUB_DATA_DIR": str(folder / "data"),
            "LABELHUB_IMAGE_ROOTS": str(folder),
            "LABELHUB_PORT": str(port),
        }
        with running(env) as (first, _output):
            print(f"first start: {cpu_of(first.pid):.1f} s CPU until it answers")
        with running(env) as (second, output):
            print(f"second start: {cpu_of(second.pid):.1f} s CPU until it answers")
            use(f"http://127.0.0.1:{port}", output, folder / "photos")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(env: dict[str, str]) -> Iterator[tuple[subprocess.Popen, str]]:
    """The started program, and what it printed until the welcome link."""
    command = [sys.executable, "manage.py", "start", "--no-sample", "--no-model"]
    program = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    output = ""
    try:
        while "/welcome/" not in output:
            line = program.stdout.readline()
            if not line:
                raise SystemExit(f"It did not start:\n{output}")
            output += line
        yield program, output
    finally:
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=20)


def family(pid: int) -> list[int]:
    """The process and its children, deepest last."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [one for child in children for one in family(int(child))]


def cpu_of(pid: int) -> float:
    """Seconds of CPU of a process, its living children and those it has waited for."""
    ticks = 0
    for one in family(pid):
        ticks += sum(int(n) for n in Path(f"/proc/{one}/stat").read_text().split()[13:17])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """Resident MB of the largest process of the family, now."""
    page = resource.getpagesize()
    sizes = [int(Path(f"/proc/{one}/statm").read_text().split()[1]) * page for one in family(pid)]
    return max(sizes) / 1e6


def use(address: str, output: str, photos: Path) -> None:
    server = int(re.search(r":(\d+)$", address).group(1))
    pid = listener(server)
    with httpx.Client(base_url=address, follow_redirects=True, timeout=60) as client:
        print(f"memory of the web process: {memory_of(pid):.0f} MB at first")
        ask = signed_up(client, output)
        body = {"name": "Photos", "mode": "multi", "folder": str(photos), "labels": ["a", "b"]}
        job = ask("/api/jobs/", body)["id"]
        while client.get(f"/api/jobs/{job}/").json()["counts"].get("state:unlabeled", 0) < PHOTOS:
            time.sleep(0.2)
        page = client.get(f"/jobs/{job}/?size=200").text
        thumbnails = re.findall(r'src="(/jobs/\d+/samples/\d+/thumbnail/[^"]+)"', page)
        assert len(thumbnails) == 200, len(thumbnails)
        paths = (thumbnails + [f"/jobs/{job}/?size=200", "/"] * 20) * 2
        with ThreadPoolExecutor(AT_ONCE) as people:
            codes = set(people.map(lambda path: client.get(path).status_code, paths))
        assert codes == {200}, codes
        print(f"  {memory_of(pid):.0f} MB after {len(paths)} requests, {AT_ONCE} at a time")


SECRET = "a-long-password-1"  # noqa: S105 of an account that lives for a minute


def signed_up(client: httpx.Client, output: str) -> Callable[[str, dict], dict]:
    """Somebody signs up by the link that the program printed; what posts to the API for them."""
    link = re.search(r"/welcome/\S+", output).group()
    post(client, link, email="bench@example.org", name="Bench", password=SECRET)

    def ask(path: str, body: dict) -> dict:
        headers = {"X-CSRFToken": client.cookies["csrftoken"], "Referer": str(client.base_url)}
        answer = client.post(path, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return ask


def post(client: httpx.Client, path: str, **fields: str) -> None:
    client.get(path)
    fields["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
    answer = client.post(path, data=fields)
    assert answer.status_code == 200, answer.text[:500]
    errors = re.findall(r"errorlist.*?</ul>", answer.text, re.S)
    assert "/welcome/" not in str(answer.url), errors


def listener(port: int) -> int:
    """The process that listens on the port of this machine."""
    inode = next(
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    )
    for folder in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(folder) == f"socket:[{inode}]":
                return int(folder.parts[2])
        except OSError:
            continue
    raise SystemExit("Nobody listens.")


if __name__ == "__main__":
    main()
