"""A throw-away Redis that keeps nothing."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import needs
from tests.services.processes import Process, free_port


@contextmanager
def server() -> Iterator[str]:
    """`redis://127.0.0.1:<port>/0`."""
    program, port = needs.redis(), free_port()
    with tempfile.TemporaryDirectory(prefix="labelhub-redis-") as folder:
        command = [program, "--bind", "127.0.0.1", "--port", port, "--dir", folder]
        command += ["--save", "", "--appendonly", "no", "--maxmemory", "256mb"]
        process = Process(command, log=Path(folder) / "log")

        def answers() -> bool:
            with socket.socket() as connection:
                return connection.connect_ex(("127.0.0.1", port)) == 0

        try:
            process.wait_until(answers, seconds=10, what="Redis answers")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()
