"""Runs the processes of one machine together: starts them, watches them, stops all of them.

It knows nothing of Django. Each process is the head of a group of its own, so that Ctrl-C reaches
the supervisor alone, which then stops them in good order, and so that nothing that a process
leaves behind outlives it.
"""

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# A process that is asked to end finishes what it is at; after this time it is killed.
STOP_SECONDS = 10.0
START_SECONDS = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
# One that ran for so long has not been failing in a row.
STEADY_SECONDS = 60.0
TICK = 0.1
PR_SET_PDEATHSIG = 1

Say = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """One process. When a `vital` one ends all end, another one is started again.

    What it writes to stderr is shown, and of a `quiet` one nothing else.
    """

    name: str
    command: Sequence[str]
    vital: bool
    env: dict[str, str]
    quiet: bool = False


class PortInUse(Exception):
    """Something else listens there."""


def check_port(host: str, port: int) -> None:
    """Raises PortInUse unless `host:port` can be listened on now."""
    family, _kind, _proto, _name, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            raise PortInUse(error.strerror) from error


class Running:
    """A program with its process, and when it is to be started again."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program, self.folder = program, folder
        self.pause = FIRST_PAUSE
        self.starts_at: float | None = None
        self.start()

    def start(self) -> None:
        self.starts_at = None
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.program.command,
            cwd=self.folder,
            env=self.program.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if self.program.quiet else None,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )

    def has_ended(self) -> bool:
        return self.starts_at is None and self.process.poll() is not None

    def start_later(self) -> float:
        """Plans the next start; the seconds until then, more after each failure in a row."""
        if time.monotonic() - self.started_at > STEADY_SECONDS:
            self.pause = FIRST_PAUSE
        pause, self.pause = self.pause, min(self.pause * 2, LONGEST_PAUSE)
        self.starts_at = time.monotonic() + pause
        return pause

    def kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor:
    """`run` starts the programs and returns the exit code when all of them have ended."""

    def __init__(self, programs: Sequence[Program], *, folder: Path, say: Say) -> None:
        self.programs, self.folder, self.say = programs, folder, say
        self.running: list[Running] = []
        self.stop_asked = False

    def run(self, *, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> int:
        with self._signals() as woken:
            try:
                self.running = [Running(program, self.folder) for program in self.programs]
                return self._watch(woken, is_ready, on_ready)
            finally:
                self._stop_all()

    def _watch(self, woken: int, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> int:
        ready, give_up_at = False, time.monotonic() + START_SECONDS
        while not self.stop_asked:
            for running in self.running:
                if running.has_ended():
                    code = self._ended(running)
                    if code is not None:
                        return code
                elif running.starts_at is not None and time.monotonic() >= running.starts_at:
                    running.start()
            if not ready and is_ready():
                ready = True
                on_ready()
            elif not ready and time.monotonic() > give_up_at:
                self.say(f"LabelHub does not answer after {START_SECONDS:.0f} s; it is stopped.")
                return 1
            _wait(woken, TICK if not ready or self._restarts_wait() else None)
        return 0

    def _restarts_wait(self) -> bool:
        return any(running.starts_at is not None for running in self.running)

    def _ended(self, running: Running) -> int | None:
        """The exit code of everything, or None when only this one is to be started again."""
        code, name = running.process.returncode, running.program.name
        running.kill_group()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        if running.program.vital:
            self.say(f"The {name} ended ({how}).")
            return 128 - code if code < 0 else code or 1
        pause = running.start_later()
        self.say(f"The {name} ended ({how}); it is started again in {pause:.0f} s.")
        return None

    def _stop_all(self) -> None:
        alive = [each for each in self.running if each.process.poll() is None]
        for running in alive:
            running.process.terminate()
        end = time.monotonic() + STOP_SECONDS
        for running in alive:
            try:
                running.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"The {running.program.name} does not end; it is killed.")
        for running in self.running:
            running.kill_group()
            running.process.wait()

    @contextmanager
    def _signals(self):
        """While it lasts, SIGINT, SIGTERM and the end of a child wake `select` on what it gives."""
        reader, writer = os.pipe()
        for end in (reader, writer):
            os.set_blocking(end, False)

        def stop(number, frame) -> None:  # noqa: ARG001
            self.stop_asked = True

        wanted = {
            signal.SIGINT: stop,
            signal.SIGTERM: stop,
            signal.SIGHUP: stop,
            signal.SIGCHLD: lambda number, frame: None,  # noqa: ARG005
        }
        before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
        woken_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(woken_before)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)


def _wait(woken: int, seconds: float | None) -> None:
    if select.select([woken], [], [], seconds)[0]:
        os.read(woken, 4096)


def _die_with_parent() -> None:
    """Between fork and exec: a supervisor that is killed takes its processes with it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
