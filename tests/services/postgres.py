"""A throw-away PostgreSQL cluster. PostgreSQL refuses root, so root runs it as user postgres."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests import needs
from tests.services.processes import free_port

USER = "labelhub"
# No crash is survived, nothing waits for a disk.
FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=100",
    "shared_buffers=64MB",
)


@contextmanager
def cluster() -> Iterator[str]:
    """`postgresql://labelhub:labelhub@127.0.0.1:<port>`, to which a database's name is added."""
    programs = needs.postgres()
    folder = Path(tempfile.mkdtemp(prefix="labelhub-postgres-"))
    run_as = _not_root(folder)
    port = free_port()
    (folder / "password").write_text(USER)
    (folder / "password").chmod(0o644)
    options = " ".join(f"-c {setting}" for setting in FAST)
    options += f" -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    control = [programs / "pg_ctl", "-D", folder / "data", "-w", "-s"]

    def run(*command: object) -> None:
        done = subprocess.run(
            [str(part) for part in command], cwd=folder, capture_output=True, text=True, **run_as
        )
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"

    try:
        run(
            programs / "initdb", "-D", folder / "data", "-U", USER, "-A", "scram-sha-256",
            f"--pwfile={folder / 'password'}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        run(*control, "-t", "30", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql://{USER}:{USER}@127.0.0.1:{port}"
        finally:
            run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _not_root(folder: Path) -> dict[str, object]:
    if os.getuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        needs.lacking("Root cannot run PostgreSQL, and there is no user postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def database(cluster_url: str, name: str) -> Iterator[str]:
    """An empty database of that name in the cluster, by its address."""
    with psycopg.connect(f"{cluster_url}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{cluster_url}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
