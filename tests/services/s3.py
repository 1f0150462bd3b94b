"""Real S3 servers on loopback: a one-node Ceph that keeps everything in memory, and rclone.

Both check signatures. Ceph knows nearly all of S3; rclone starts at once and needs no packages of
the system.
"""

import os
import secrets
import subprocess
import tempfile
import urllib.error
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from datasets.secrets import Secret
from datasets.storages.addresses import AddressRules
from datasets.storages.s3_connection import Keys, S3Connection
from tests import needs
from tests.services.processes import Process, free_port
from tests.services.web import WITHOUT_PROXY

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from datasets.storages.s3 import S3Storage

ENDPOINT = "LABELHUB_TEST_S3_ENDPOINT"
# Tests with one of these stay in one test process: Ceph takes 15 s to start.
SERVERS = [
    pytest.param(name, marks=[pytest.mark.service, pytest.mark.xdist_group("s3")])
    for name in ("ceph", "rclone", *(("other_s3",) if os.environ.get(ENDPOINT) else ()))
]
# Nothing survives a crash, nothing asks for a key; the gateway's default towards the monitor is a
# mode that needs keys, and it would wait 300 s for it.
CEPH_CONF = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = false
ms mon client mode = crc
run dir = {folder}/run
admin socket = {folder}/run/$name.asok
pid file = {folder}/run/$name.pid
log file = {folder}/$name.log
crash dir = {folder}/run
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data = {folder}/mon
mon data avail crit = 1
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd max object name len = 460
osd max object namespace len = 64
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw data = {folder}/rgw
rgw dns name = localhost
rgw thread pool size = 32
rgw enable usage log = false
rgw run sync thread = false
"""


@dataclass(frozen=True)
class S3Server:
    """Where it listens and the keys of one person who may do everything.

    `shared` is a bucket for tests that keep to a prefix of their own.
    """

    endpoint: str
    access_key: str
    secret_key: str
    folder: Path | None = None
    shared: str = ""

    def connection(self, bucket: str, **changes: Any) -> S3Connection:
        """How the product reaches a bucket here; loopback is on its list of what is allowed."""
        keys = Keys(access_key=self.access_key, secret_key=Secret(self.secret_key))
        given = {
            "bucket": bucket,
            "endpoint": self.endpoint,
            "keys": keys,
            "rules": AddressRules.allowing("127.0.0.1"),
        }
        return S3Connection(**(given | changes))

    def client(self, bucket: str = "any-bucket") -> "BaseClient":
        """The library, for what the product never asks."""
        from datasets.storages.s3_client import client_for

        return client_for(self.connection(bucket))

    @contextmanager
    def bucket(self) -> Iterator[str]:
        """The name of a bucket that is there until the end."""
        name = f"labelhub-{secrets.token_hex(6)}"
        client = self.client(name)
        client.create_bucket(Bucket=name)
        yield name
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
            keys = [item["Key"] for item in page.get("Contents", ())]
            assert all(result.deleted for result in self.storage(name).delete(keys))
        client.delete_bucket(Bucket=name)

    def storage(self, bucket: str = "", **changes: Any) -> "S3Storage":
        """A whole bucket, or a place of its own in the shared one."""
        if not bucket:
            bucket, changes = self.shared, {"prefix": f"tests/{secrets.token_hex(6)}"} | changes
        return self.connection(bucket, **changes).storage()

    def another_person(self) -> "S3Server":
        """Somebody else at the same Ceph, who may touch no bucket of the first one."""
        person = replace(self, access_key=f"bob-{secrets.token_hex(3)}", shared="")
        _add_person(person)
        return person


@contextmanager
def from_environment() -> Iterator[S3Server]:
    """The server that LABELHUB_TEST_S3_ENDPOINT, _ACCESS_KEY and _SECRET_KEY name, of any make."""
    access_key, secret_key = (
        os.environ[f"LABELHUB_TEST_S3_{name}_KEY"] for name in ("ACCESS", "SECRET")
    )
    server = S3Server(os.environ[ENDPOINT], access_key, secret_key)
    with server.bucket() as name:
        yield replace(server, shared=name)


def _with_shared(server: S3Server) -> S3Server:
    """A server that is thrown away with all its buckets."""
    shared = replace(server, shared="shared-by-tests")
    shared.client().create_bucket(Bucket=shared.shared)
    return shared


@contextmanager
def rclone() -> Iterator[S3Server]:
    """`rclone serve s3` over a folder that is thrown away; its buckets are folders in there."""
    program, port = needs.rclone(), free_port()
    server = S3Server(f"http://127.0.0.1:{port}", "rclone-person", secrets.token_hex(20))
    with tempfile.TemporaryDirectory(prefix="labelhub-rclone-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        command = [program, "serve", "s3", "--config", os.devnull, "--addr", f"127.0.0.1:{port}"]
        command += ["--auth-key", f"{server.access_key},{server.secret_key}"]
        command += ["--vfs-cache-mode", "off", "--dir-cache-time", "1s", data]
        process = Process(command, log=Path(folder) / "log")
        try:
            process.wait_until(lambda: _answers(server), seconds=20, what="rclone answers")
            yield _with_shared(server)
        finally:
            process.kill()


@contextmanager
def ceph() -> Iterator[S3Server]:
    """A Ceph of one monitor, one store in memory and one gateway; 15 s until it answers."""
    needs.ceph()
    with tempfile.TemporaryDirectory(prefix="labelhub-ceph-") as name, ExitStack() as running:
        folder, port = Path(name), free_port()
        server = S3Server(f"http://127.0.0.1:{port}", "alice", secrets.token_hex(20), folder)
        _lay_out(folder, port=port)
        _start_monitor(folder, running)
        _start_store(folder, running)
        _add_person(server)
        gateway = _start(folder, running, "radosgw", "-n", "client.rgw")
        gateway.wait_until(lambda: _answers(server), seconds=90, what="Ceph's gateway answers")
        yield _with_shared(server)


def _lay_out(folder: Path, *, port: int) -> None:
    for part in ("mon", "osd", "run", "rgw"):
        (folder / part).mkdir()
    mon_v1, mon_v2 = free_port(), free_port()
    fsid = str(uuid4())
    text = CEPH_CONF.format(folder=folder, fsid=fsid, mon_v1=mon_v1, mon_v2=mon_v2, port=port)
    (folder / "ceph.conf").write_text(text)
    addresses = f"[v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]"
    monmap = folder / "monmap"
    _ceph_run(folder, "monmaptool", "--create", "--fsid", fsid, "--addv", "a", addresses, monmap)
    _ceph_run(folder, "ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap)


def _start_monitor(folder: Path, running: ExitStack) -> None:
    _start(folder, running, "ceph-mon", "-i", "a")
    _ceph_run(folder, "ceph", "-s")


def _start_store(folder: Path, running: ExitStack) -> None:
    uuid = str(uuid4())
    number = _ceph_run(folder, "ceph", "osd", "new", uuid).strip()
    _ceph_run(
        folder, "ceph", "osd", "crush", "add", f"osd.{number}", "1", "root=default",
        "host=localhost",
    )  # fmt: skip
    _ceph_run(folder, "ceph-osd", "-i", number, "--mkfs", "--osd-uuid", uuid)
    store = _start(folder, running, "ceph-osd", "-i", number)

    def is_up() -> bool:
        return "1 up" in _ceph_run(folder, "ceph", "osd", "stat")

    store.wait_until(is_up, seconds=30, what="Ceph's store is up")


def _add_person(server: S3Server) -> None:
    name = server.access_key
    _ceph_run(
        server.folder, "radosgw-admin", "user", "create", f"--uid={name}",
        f"--display-name={name}", f"--access-key={name}", f"--secret-key={server.secret_key}",
    )  # fmt: skip


def _start(folder: Path, running: ExitStack, program: str, *arguments: Any) -> Process:
    command = [needs.ceph() / program, "-f", *arguments]
    process = Process(command, log=folder / f"{program}.out", env=_ceph_environment(folder))
    running.callback(process.kill)
    return process


def _ceph_run(folder: Path, program: str, *arguments: Any) -> str:
    done = subprocess.run(
        [str(part) for part in (needs.ceph() / program, *arguments)],
        cwd=folder,
        env=_ceph_environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
    return done.stdout


def _ceph_environment(folder: Path) -> dict[str, str]:
    return os.environ | {"CEPH_CONF": str(folder / "ceph.conf")}


def _answers(server: S3Server) -> bool:
    try:
        with closing(WITHOUT_PROXY.open(server.endpoint, timeout=5)):
            return True
    except urllib.error.HTTPError as refused:
        # Without a signature, it refuses: it is there.
        refused.close()
        return True
    except (urllib.error.URLError, OSError):
        return False
