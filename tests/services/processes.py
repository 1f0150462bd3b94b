"""Starts and ends the programs that tests work against. All of them listen on loopback only."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
REPOSITORY = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], T], *, seconds: float, what: str) -> T:
    """The first true value of `condition`; an AssertionError that names `what` after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds:g} s")


class Process:
    """A program in a process group of its own, with what it prints in a file."""

    def __init__(
        self, command: Sequence[Any], *, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [str(part) for part in command],
                cwd=REPOSITORY,
                env=None if env is None else dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_until(self, condition: Callable[[], T], *, seconds: float, what: str) -> T:
        """Like `wait_until`, but over when the program ends; a failure shows what it printed."""

        def ask() -> T:
            code = self.popen.poll()
            assert code is None, f"{what}: ended with {code}"
            return condition()

        try:
            return wait_until(ask, seconds=seconds, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.printed()}") from error

    def printed(self) -> str:
        return self.log.read_text(errors="replace")[-5_000:]

    def stop(self, seconds: float = 15) -> int:
        """Asks it to end; its exit code. Whatever it leaves behind is killed."""
        self.popen.terminate()
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"did not end within {seconds:g} s\n{self.printed()}") from error
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, for it and all of its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


def manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]
